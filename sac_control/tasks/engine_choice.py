"""Which physics engine simulates a task: the one that was asked for, or its own, or one in which it was tried, too."""

from __future__ import annotations

import sys

from sac_control.errors import ConfigError
from sac_control.robots.engines import check_engine, is_installed
from sac_control.tasks.task import Task


def choose_engine(task: Task, wanted: str = "") -> tuple[str, str]:
    """The name of the engine, and a sentence for people where that is not what they would expect; empty otherwise.

    No engine is chosen for a task that brings its own.

    Raises:
        ConfigError: the engine is not known, not installed, or the task brings its own.
    """
    if not task.engine:
        if wanted:
            raise ConfigError(
                f"engine {wanted!r} was chosen for {task.specification.task}, which simulates itself: leave it out"
            )
        return "", ""
    python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    if wanted:
        check_engine(wanted)
        if not is_installed(wanted):
            raise ConfigError(f"engine {wanted} is not installed for {python}: pip install {wanted}, or choose another")
        return wanted, ""
    check_engine(task.engine)
    if is_installed(task.engine):
        return task.engine, ""
    others = [engine for engine in task.other_engines if is_installed(engine)]
    if not others:
        raise ConfigError(
            f"task {task.specification.task} is for the engine {task.engine}, which {python} has not installed: "
            f"pip install {task.engine}, or choose another with --engine"
        )
    return others[0], f"{python} has no {task.engine}: {others[0]} simulates {task.specification.task} in its place"
