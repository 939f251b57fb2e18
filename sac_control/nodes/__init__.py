"""The ROS 2 nodes: the only folder that imports rclpy and message types. Each node is thin and owns one core object.

topics.py      every topic and service name with its quality of service: the table of docs/design.md as code
messages.py    value to message and back, a two-way table
parameters.py  ROS parameters declared from the dataclasses of config.py
exchange.py    lockstep bookkeeping: what is awaited, allowed, overdue
waiting.py     says what a node is waiting for
compatibility.py  names peers that a topic cannot connect
periods.py     realtime bookkeeping: which control periods are over, late, unanswered
process.py     start, Ctrl-C and shutdown, written once for all nodes
event_loop.py  waits for messages, timers and requests, and calls a node back
garbage.py     garbage collection between two callbacks
simulator.py   publishes the pendulum's state, applies what is commanded
policy.py      answers states with efforts, swaps weights between two ticks
learner.py     turns transitions into better weights, keeps the run directory
evaluator.py   counts whole episodes of simulator and policy
"""
