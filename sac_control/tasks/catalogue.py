"""The tasks by name. A new task is one file and one line here. Loads no physics engine."""

from __future__ import annotations

from sac_control.errors import ConfigError
from sac_control.option import suggest
from sac_control.tasks.inverted_double_pendulum import InvertedDoublePendulum
from sac_control.tasks.inverted_pendulum import InvertedPendulum
from sac_control.tasks.inverted_pendulum_swingup import InvertedPendulumSwingup
from sac_control.tasks.task import Task

TASKS: dict[str, Task] = {
    "inverted_pendulum": InvertedPendulum(),
    "inverted_pendulum_swingup": InvertedPendulumSwingup(),
    "inverted_double_pendulum": InvertedDoublePendulum(),
}


def make_task(name: str) -> Task:
    """The task called `name`.

    Raises:
        ConfigError: there is none; the nearest name is told.
    """
    if name not in TASKS:
        raise ConfigError(f"task {name!r} is not known; {suggest(name, TASKS)}")
    return TASKS[name]
