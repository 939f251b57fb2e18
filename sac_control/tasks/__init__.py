"""What is asked of a machine. Pure numpy: no physics, no Gymnasium, no ROS.

task.py        the interface: start states, rewards, failures
mechanism.py   which machine a task is about, as plain data
inverted_pendulum.py inverted_pendulum_swingup.py inverted_double_pendulum.py    the built-in tasks
catalogue.py   tasks by name: make_task
"""
