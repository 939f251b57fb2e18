"""Tasks by name, found through the entry-point group ``sac_control.tasks``, or by the path of a task file.

An entry point names a class that derives from `tasks.task.Task`, or a function without arguments that returns one.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from sac_control.errors import ConfigError
from sac_control.option import suggest
from sac_control.tasks.task import Task
from sac_control.tasks.task_file import read_task

GROUP = "sac_control.tasks"
_NEEDED = ("specification", "engine", "max_episode_steps", "solved_return", "start_dimensions")  # see `Task`
SUFFIXES = (".yaml", ".yml")  # of task files
DESCRIPTIONS = (".urdf", ".xacro", ".xml", ".mjcf")  # suffixes of what is easily taken for one


@cache
def _entries() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def is_file(reference: str) -> bool:
    """Whether `reference` means a task file, and not a name."""
    return reference.endswith(SUFFIXES)


def absolute_reference(reference: str) -> str:
    """`reference` so that every process understands it alike, whatever its working directory."""
    return str(Path(reference).expanduser().resolve()) if is_file(reference) else reference


def make_task(reference: str) -> Task:
    """The task called `reference`, or in the file of that path.

    Raises:
        ConfigError: there is none (the nearest name is told), its file cannot be understood, or its package is broken.
    """
    if is_file(reference):
        return read_task(Path(reference))
    if reference not in _entries():
        if Path(reference).suffix in DESCRIPTIONS:
            raise ConfigError(
                f"{reference} is a robot description and no task: sac_control new-task {reference} writes a first one"
            )
        files = [f"{reference}{suffix}" for suffix in SUFFIXES if Path(f"{reference}{suffix}").is_file()]
        raise ConfigError(
            f"task {reference!r} is not known; {suggest(reference, [*_entries(), *files])}; a task of your "
            "own is a file: --task my_robot.yaml"
        )
    return _load(reference)


@cache
def _load(name: str) -> Task:
    entry = _entries()[name]
    package = entry.dist.name if entry.dist else entry.value
    try:
        make = entry.load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"task {name!r} of the package {package} cannot be loaded: {error}") from None
    lacks = sorted(getattr(make, "__abstractmethods__", ()))
    task = make() if callable(make) and not lacks else make
    if isinstance(task, Task):
        lacks = [attribute for attribute in _NEEDED if not hasattr(task, attribute)]
    if lacks or not isinstance(task, Task):
        raise ConfigError(
            f"task {name!r} of the package {package} is {task!r:.80}: expected a sac_control.tasks.task.Task"
            + (f" that has {', '.join(lacks)}, too" if lacks else "")
        )
    return task


def _ours() -> dict[str, Task]:
    tasks = {name: _load(name) for name, entry in _entries().items() if entry.module.startswith("sac_control.")}
    return dict(sorted(tasks.items(), key=lambda item: (len(item[1].specification.joints), item[0])))


TASKS = _ours()  # the built-in tasks, those of the simplest robots first
