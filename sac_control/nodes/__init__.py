"""The ROS 2 nodes: the only folder that imports rclpy and message types. Each node is thin and owns one core object.

topics.py      every topic and service name with its quality of service: the table of docs/design.md as code
messages.py    value to message and back, a two-way table
parameters.py  ROS parameters declared from the dataclasses of settings
compatibility.py  names peers with an incompatible QoS
health.py      what every node tells of itself once per second
process.py     start, Ctrl-C and shutdown, written once for all nodes
event_loop.py  waits for messages, timers and requests, and calls a node back
simulator.py   publishes the pendulum's state, applies what is commanded
policy.py      answers states with commands, swaps weights between two ticks
shadow_relay.py      forwards states to a shadow policy, and publishes its actions
command_outlet.py  where its commands leave, and the safe one that is owed
transition_outlet.py  where a simulator's transitions leave, and those that were refused
rival_watch.py  keeps it silent while somebody else commands the robot
neighbours.py  conflicting nodes in the ROS graph
claim.py       of two runs in one namespace, the younger exits with an error
guard.py       what happens where one of its callbacks raises
policy_report.py  its status message and its diagnostics
policy_announcer.py  publishes them, and logs why nothing moves
learner.py     turns transitions into better weights, keeps the run directory
evaluator.py   counts whole episodes of simulator and policy
watcher.py     what topics say, for the page of `sac_control watch`; no node of a plan
"""
