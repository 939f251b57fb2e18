"""Worlds by the name of their physics engine, found through the entry-point group ``sac_control.worlds``."""

from __future__ import annotations

import inspect

from sac_control.errors import ConfigError
from sac_control.robots.engines import check_engine, engine_entries
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
    entry = engine_entries()[engine]
    package = entry.dist.name if entry.dist else entry.value
    try:
        kind = entry.load()
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"engine {engine} needs the package {error.name or engine!r}, which is not installed: "
            f"pip install {error.name or engine}, or choose another with simulator.engine"
        ) from None
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"engine {engine!r} of the package {package} cannot be loaded: {error}") from None
    if not (isinstance(kind, type) and issubclass(kind, World)) or inspect.isabstract(kind):
        lacks = ", ".join(sorted(getattr(kind, "__abstractmethods__", ())))
        raise ConfigError(
            f"engine {engine!r} of the package {package} is {kind!r:.80}: expected a class that derives from "
            f"sac_control.worlds.world.World{f' and has {lacks}, too' if lacks else ''}"
        )
    return kind(robot, has_window=has_window)
