"""The world that a policy acts in. pybullet, Gymnasium and numpy; no ROS, no torch.

    task.py               what is asked: start, reward, failure. Pure numpy
    inverted_pendulum.py  the one task so far
    mechanism.py          which machine a task is about, as plain data
    world.py              physics: forces in, joint states out
    window.py picture.py  the physics shown, in a window or as an image
    env.py                a task in a world, as gymnasium.Env
    pacer.py              real time for those who watch
    registry.py           tasks by name: make_task, make_env, and `gymnasium.make("sac_control/InvertedPendulum-v0")`

Importing this package registers the tasks with Gymnasium.
"""

from sac_control.envs.env import Env
from sac_control.envs.registry import TASKS, make_env, make_task, register_tasks
from sac_control.envs.task import Task
from sac_control.envs.world import World

__all__ = ["TASKS", "Env", "Task", "World", "make_env", "make_task"]

register_tasks()
