"""Drawings of robots of any kind of description, where an engine is there that knows."""

from __future__ import annotations

from pathlib import Path

from sac_control.errors import ConfigError
from sac_control.robots.description import MJCF, read_description
from sac_control.robots.drawing import Drawing
from sac_control.robots.engines import is_installed
from sac_control.robots.urdf_drawing import draw_urdf


def draw(path: Path) -> Drawing:
    """What the robot description `path` shows.

    Raises:
        ConfigError: it cannot be read or drawn, or it is MJCF and mujoco is not installed.
    """
    description = read_description(path)
    if description.kind != MJCF:
        return draw_urdf(description)
    if not is_installed("mujoco"):
        raise ConfigError(f"{path} is MJCF, which mujoco reads, and that is not installed: pip install mujoco")
    from sac_control.worlds.mujoco_drawing import draw_mjcf

    return draw_mjcf(description)
