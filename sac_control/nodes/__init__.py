"""The ROS 2 nodes: the only folder that imports rclpy and message types. Each node is thin and owns one core object.

topics.py      every topic and service name with its quality of service: the table of docs/design.md as code
messages.py    value to message and back, a two-way table
parameters.py  ROS parameters declared from the dataclasses of config.py
exchange.py    lockstep bookkeeping: what is awaited, allowed, overdue
waiting.py     says what a node is waiting for
compatibility.py  names peers that a topic cannot connect
diagnosis.py   level and sentence of a node's diagnostics, the worst first
health.py      what every node tells of itself once per second
periods.py     realtime bookkeeping: which control periods are over, late, unanswered
process.py     start, Ctrl-C and shutdown, written once for all nodes
event_loop.py  waits for messages, timers and requests, and calls a node back
garbage.py     garbage collection between two callbacks
simulator.py   publishes the pendulum's state, applies what is commanded
realtime.py    real-time scheduling and locked memory, where parameters ask for them
policy.py      answers states with efforts, swaps weights between two ticks
shadow.py      leads states to a shadow policy, and its answers to a topic
command_outlet.py  where its commands leave, and the zero that is owed
rival_watch.py  keeps it silent while somebody else commands the robot
neighbours.py  who else is on the wires
guard.py       what happens where one of its callbacks raises
aside.py       what may fail beside control
policy_report.py  what that node tells of itself
policy_announcer.py  when and where it tells it
learner.py     turns transitions into better weights, keeps the run directory
evaluator.py   counts whole episodes of simulator and policy
"""
