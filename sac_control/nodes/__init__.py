"""The ROS 2 nodes: the only folder that imports rclpy and message types. Each node is thin and owns one core object.

topics.py      every topic and service name with its quality of service: the table of docs/design.md as code
messages.py    value to message and back, a two-way table
parameters.py  ROS parameters declared from the dataclasses of settings
compatibility.py  names peers with an incompatible QoS
health.py      what every node tells of itself once per second
middleware.py  how a process joins a domain: never by shared memory
process.py     start, Ctrl-C and shutdown, written once for all nodes
event_loop.py  waits for messages, timers and requests, and calls a node back
simulator.py   publishes the pendulum's state, applies what is commanded
policy.py      answers states with commands, swaps weights between two ticks
shadow_relay.py      forwards states to a shadow policy, and publishes its actions
command_outlet.py  where its commands leave, and the safe one that is owed
transition_outlet.py  where a simulator's transitions leave, and those that were refused
joint_outlet.py  where each joint goes out by its name, for plots
rival_watch.py  keeps it silent while somebody else commands the robot
neighbours.py  conflicting nodes in the ROS graph
claim.py       of two runs in one namespace, the younger exits with an error
guard.py       what happens where one of its callbacks raises
policy_report.py  its status message and its diagnostics
policy_announcer.py  publishes them, and logs why nothing moves
learner.py     turns transitions into better weights, keeps the run directory
audience.py    who listens to its status: it waits for them, and stays for them
plot_window.py  waits for topics, then becomes rqt_plot, by way of rqt_plot_start.py
evaluator.py   counts whole episodes of simulator and policy
recorder_watch.py  lets a simulator wait until a recorder hears it
recorder.py    keeps what is said on our topics in a bag
ros_env.py     a simulator node as an environment of Gymnasium: RosEnv
simulator_client.py  its far side: finds the simulator, sees that it is one, commands it
watcher.py     what topics say, for the page of `sac_control watch`; no node of a plan
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """`RosEnv`, late: it needs Gymnasium, which a robot lacks."""
    if name != "RosEnv":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from sac_control.nodes.ros_env import RosEnv

    return RosEnv
