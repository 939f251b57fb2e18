"""What is asked. No physics, no ROS; Gymnasium is imported where one of its environments is asked for.

task.py         the interface: what a learner must know
robot_task.py   what is asked of a robot: start states, rewards, failures
catalogue.py    tasks by name, others' packages included, or by file: make_task
file_task.py    a task from a file, which docs/your_robot.md explains
task_file.py    its reader, and yaml_reader.py, which tells file and line of what it refuses
expression_reader.py  the expressions in it
ranges_reader.py  what of a robot may vary, from a file or a setting
exam.py exam_reader.py    by what a solution is judged
plants_reader.py  plants of a user's own, from a file
new_task.py     the text of a first task file
starts.py       weighted boxes of start states
gymnasium_task.py gymnasium_reference.py gymnasium_maker.py    what an environment of Gymnasium asks
engine_choice.py  which physics engine simulates it
builtin.py      the built-in tasks: inverted_pendulum.yaml inverted_pendulum_swingup.yaml inverted_double_pendulum.yaml
"""
