"""Environments: a task acted out, as Gymnasium wants it. No ROS, no torch.

    environment.py    the interface
    env.py          a robot's task in a world
    gymnasium_env.py    any environment of Gymnasium with Box spaces
    sensors.py      what is measured of a robot, and command_line.py which command acts when; wire.py: how late
    trial.py        one episode of a policy, and what became of it; motion.py: how it moved at the end
    start_points.py    where the episodes of an evaluation begin
    pacer.py        real time for those who watch
    entry_point.py  what Gymnasium calls for an environment
    check/          whether a task asks what its author means
    registry.py     environments by name: make_env, and `gymnasium.make("sac_control/InvertedPendulum-v0")`

Importing this package registers the tasks with Gymnasium, where that is installed: a robot's computer needs none.
"""

import importlib.util

from sac_control.tasks.catalogue import TASKS, make_task

__all__ = ["TASKS", "make_env", "make_robot_env", "make_task"]

if importlib.util.find_spec("gymnasium") is not None:
    from sac_control.envs.registry import make_env, make_robot_env, register_tasks

    register_tasks()
