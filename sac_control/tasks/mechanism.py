"""Mechanism: which machine a world must build, as plain data. Knows nothing of physics or of tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Color = tuple[float, float, float, float]  # red, green, blue and opacity, in [0, 1]
INVISIBLE: Color = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Camera:
    """Where pictures are taken from, looking along +y; x points right, z up."""

    target: tuple[float, float, float]  # [m] the point in the middle of the picture
    distance: float  # [m] from camera to target
    pitch: float  # [deg] negative looks down
    field_of_view: float = 30.0  # [deg] vertical opening angle


@dataclass(frozen=True, kw_only=True)
class Mechanism:
    """A machine described by one of pybullet's MJCF models."""

    model: str  # file name in the folder `mjcf` of pybullet_data
    joints: Mapping[str, str]  # our name of a joint -> the model's name
    colors: Mapping[str, Color]  # the model's name of a body -> how it is shown
    camera: Camera
