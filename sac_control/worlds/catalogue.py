"""Worlds by the name of their physics engine, found through the entry-point group ``sac_control.worlds``."""

from __future__ import annotations

import inspect

from sac_control import plug_ins
from sac_control.errors import ConfigError
from sac_control.robots.engines import GROUP, check_engine, engine_entries
from sac_control.robots.robot import Robot
from sac_control.worlds.world import World


def engines() -> list[str]:
    """Names of all that are registered, whether their engine is installed or not."""
    return sorted(engine_entries())


def make_world(engine: str, robot: Robot, *, has_window: bool = False) -> World:
    """`robot` in the physics engine `engine`.

    Raises:
        ConfigError: there is no such engine, it is not installed, it cannot load the robot, or open a window.
    """
    check_engine(engine)
    try:
        kind = plug_ins.load("engine", GROUP, engine)
    except ConfigError as error:
        if not isinstance(error.__cause__, ModuleNotFoundError):
            raise
        missing = error.__cause__.name or engine
        raise ConfigError(
            f"engine {engine} needs the package {missing!r}, which is not installed: pip install {missing}, or choose "
            "another with simulator.engine"
        ) from None
    if not (isinstance(kind, type) and issubclass(kind, World)) or inspect.isabstract(kind):
        expected = "a class that derives from sac_control.worlds.world.World"
        plug_ins.refuse("engine", GROUP, engine, kind, expected, sorted(getattr(kind, "__abstractmethods__", ())))
    return kind(robot, has_window=has_window)
