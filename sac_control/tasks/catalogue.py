"""Tasks by name, found through the entry-point group ``sac_control.tasks``, by the path of a task file, or Gymnasium's.

An entry point names a class that derives from `tasks.robot_task.RobotTask`, or a function without arguments that
returns one. What begins with ``gymnasium/`` is an environment of Gymnasium.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from sac_control import plug_ins
from sac_control.errors import ConfigError
from sac_control.option import suggest
from sac_control.tasks.gymnasium_reference import PREFIX, is_gymnasium, parse_reference
from sac_control.tasks.robot_task import RobotTask
from sac_control.tasks.task import Task
from sac_control.tasks.task_file import read_task

GROUP = "sac_control.tasks"
_NEEDED = ("specification", "engine", "max_episode_steps", "solved_return", "start_dimensions")  # see `RobotTask`
SUFFIXES = (".yaml", ".yml")  # of task files
DESCRIPTIONS = (".urdf", ".xacro", ".xml", ".mjcf")  # suffixes of what is easily taken for one


def is_file(reference: str) -> bool:
    """Whether `reference` means a task file, and not a name."""
    return reference.endswith(SUFFIXES) and not is_gymnasium(reference)


def absolute_reference(reference: str) -> str:
    """`reference` so that every process understands it alike, whatever its working directory."""
    return str(Path(reference).expanduser().resolve()) if is_file(reference) else reference


def short_name(reference: str) -> str:
    """What files and runs of that task are called: ``Pendulum-v1`` for ``gymnasium/Pendulum-v1,g=5``."""
    if is_gymnasium(reference):
        return re.split("[/:]", parse_reference(reference).id)[-1]
    return Path(reference).stem if is_file(reference) else reference


def make_task(reference: str) -> Task:
    """The task called `reference`, in the file of that path, or of that environment of Gymnasium.

    Raises:
        ConfigError: there is none (the nearest name is told), its file cannot be understood, or its package is broken;
            see `GymnasiumTask` for what is refused there.
    """
    if is_gymnasium(reference):
        return _of_gymnasium(reference)
    return make_robot_task(reference)


def make_robot_task(reference: str) -> RobotTask:
    """The same, where a robot is needed.

    Raises:
        ConfigError: there is none, or it is an environment of Gymnasium.
    """
    if is_gymnasium(reference):
        raise ConfigError(f"{reference} has no robot: expected a task that has joints, such as {next(iter(TASKS))}")
    if is_file(reference):
        return read_task(Path(reference))
    if reference not in plug_ins.offered(GROUP):
        if Path(reference).suffix in DESCRIPTIONS:
            raise ConfigError(
                f"{reference} is a robot description and no task: sac_control new-task {reference} writes a first one"
            )
        files = [f"{reference}{suffix}" for suffix in SUFFIXES if Path(f"{reference}{suffix}").is_file()]
        if re.search(r"-v\d+$", reference):
            raise ConfigError(
                f"task {reference!r} is not known: an environment of Gymnasium is named {PREFIX}{reference}"
            )
        raise ConfigError(
            f"task {reference!r} is not known; {suggest(reference, [*plug_ins.offered(GROUP), *files])}; a task of "
            "your own is a file: --task my_robot.yaml"
        )
    return _load(reference)


@cache
def _of_gymnasium(reference: str) -> Task:
    from sac_control.tasks.gymnasium_task import GymnasiumTask  # which makes an environment to ask it

    return GymnasiumTask(reference)


@cache
def _load(name: str) -> RobotTask:
    make = plug_ins.load("task", GROUP, name)
    lacks = sorted(getattr(make, "__abstractmethods__", ()))
    task = make() if callable(make) and not lacks else make
    if isinstance(task, RobotTask):
        lacks = [attribute for attribute in _NEEDED if not hasattr(task, attribute)]
    if lacks or not isinstance(task, RobotTask):
        plug_ins.refuse("task", GROUP, name, task, "a sac_control.tasks.robot_task.RobotTask", lacks)
    return task


def _ours() -> dict[str, RobotTask]:
    tasks = {
        name: _load(name) for name, entry in plug_ins.offered(GROUP).items() if entry.module.startswith("sac_control.")
    }
    return dict(sorted(tasks.items(), key=lambda item: (len(item[1].specification.joints), item[0])))


TASKS = _ours()  # the built-in tasks, those of the simplest robots first
