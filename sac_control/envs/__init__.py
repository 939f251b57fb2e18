"""The world that a policy acts in. pybullet, Gymnasium and numpy; no ROS, no torch.

    task.py               what is asked: start, reward, failure. Pure numpy
    inverted_pendulum.py inverted_pendulum_swingup.py inverted_double_pendulum.py    the tasks
    mechanism.py          which machine a task is about, as plain data
    world.py              physics: forces in, joint states out
    window.py picture.py  the physics shown, in a window or as an image
    env.py                a task in a world, as gymnasium.Env
    pacer.py              real time for those who watch
    episodes.py           episodes in a row, with stamps and numbers: what a simulator node owns
    tasks.py              tasks by name: make_task
    entry_point.py        what Gymnasium calls for an environment
    registry.py           environments by name: make_env, and `gymnasium.make("sac_control/InvertedPendulum-v0")`

Importing this package registers the tasks with Gymnasium, where that is installed: a robot's computer needs none.
"""

import importlib.util

from sac_control.envs.tasks import TASKS, make_task

__all__ = ["TASKS", "make_env", "make_task"]

if importlib.util.find_spec("gymnasium") is not None:
    from sac_control.envs.registry import make_env, register_tasks

    register_tasks()
