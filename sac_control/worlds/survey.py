"""Surveys of robot descriptions of any kind, and the view of a robot, where an engine is there that knows."""

from __future__ import annotations

from pathlib import Path

from sac_control.errors import ConfigError
from sac_control.robots.description import MJCF, read_description
from sac_control.robots.engines import is_installed
from sac_control.robots.robot import Camera
from sac_control.robots.survey import Survey, survey_urdf


def survey(path: Path) -> Survey:
    """What the robot description `path` says.

    Raises:
        ConfigError: it cannot be read, or it is MJCF and mujoco is not installed.
    """
    description = read_description(path)
    if description.kind != MJCF:
        return survey_urdf(description)
    if not is_installed("mujoco"):
        raise ConfigError(f"{path} is MJCF, which mujoco reads, and that is not installed: pip install mujoco")
    from sac_control.worlds.mujoco_survey import survey_mjcf

    return survey_mjcf(description)


def view(path: Path) -> Camera | None:
    """A camera that has the whole robot in its picture; None where mujoco is not installed.

    Raises:
        ConfigError: mujoco cannot load the robot.
    """
    if not is_installed("mujoco"):
        return None
    from sac_control.worlds.mujoco_survey import view_of

    return view_of(path)
