"""Worlds by the name of their physics engine, found through the entry-point group ``sac_control.worlds``."""

from __future__ import annotations

import importlib.util
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from sac_control.errors import ConfigError
from sac_control.option import suggest
from sac_control.robots.robot import Robot
from sac_control.worlds.world import World

GROUP = "sac_control.worlds"
OURS = ("pybullet", "mujoco")  # each simulates with the package of its name


@cache
def _entries() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def engines() -> list[str]:
    """Names of all that are registered, whether their engine is installed or not."""
    return sorted(_entries())


def is_installed(engine: str) -> bool:
    """Whether the package that it simulates with is there: looked up, not imported; of others' worlds it is."""
    return engine not in OURS or importlib.util.find_spec(engine) is not None


def check_engine(engine: str) -> None:
    """See that there is a world of that name.

    Raises:
        ConfigError: there is none; the nearest name is told.
    """
    if engine not in _entries():
        raise ConfigError(f"engine {engine!r} is not known; {suggest(engine, engines())}")


def make_world(engine: str, robot: Robot, *, has_window: bool = False) -> World:
    """`robot` in the physics engine `engine`.

    Raises:
        ConfigError: there is no such engine, it is not installed, it cannot load the robot, or open a window.
    """
    check_engine(engine)
    try:
        kind: type[World] = _entries()[engine].load()
    except ImportError as error:
        raise ConfigError(
            f"engine {engine} needs the package {error.name or engine!r}, which is not installed: "
            f"pip install {error.name or engine}, or choose another with simulator.engine"
        ) from None
    return kind(robot, has_window=has_window)
