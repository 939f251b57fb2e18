"""Robot: the machine that a world must build, as plain data. Knows nothing of physics or of tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sac_control.errors import ConfigError

Color = tuple[float, float, float, float]  # red, green, blue and opacity, in [0, 1]

_WHOLE = 1e-6  # relative distance from a whole number that is rounding


@dataclass(frozen=True, kw_only=True)
class Camera:
    """Where pictures are taken from, looking along +y; x points right, z up."""

    target: tuple[float, float, float] = (0.0, 0.0, 0.3)  # [m] the point in the middle of the picture
    distance: float = 3.5  # [m] from camera to target
    pitch: float = -12.0  # [deg] negative looks down
    yaw: float = 0.0  # [deg] positive goes round to the right, counter-clockwise seen from above
    field_of_view: float = 30.0  # [deg] vertical opening angle


@dataclass(frozen=True, kw_only=True)
class Drive:
    """How one joint is driven."""

    joint: str  # its name
    limit: float  # largest command, both ways [N or N m; m/s or rad/s; m or rad]
    interface: str = "effort"  # what is commanded: effort, velocity or position
    max_effort: float | None = None  # [N or N m] that a velocity or position drive can give; None: whatever it takes


@dataclass(frozen=True, kw_only=True)
class Robot:
    """A machine with its joints, drives and periods.

    Raises:
        ConfigError: the control period is not a whole number of physics periods.
    """

    description: Path  # absolute path of the URDF, xacro or MJCF file
    joints: tuple[str, ...]  # (j,) names of the joints that are measured, in this order
    drives: tuple[Drive, ...]  # (a,) in the order of the command
    control_period: float  # [s] between two commands
    physics_period: float  # [s] of one step of the engine
    model_names: Mapping[str, str] = field(default_factory=dict)  # joint -> its name in the description, where another
    gravity: float = 9.81  # [m/s²] along -z
    air_damping: float = 0.0  # pybullet alone: linear and angular damping of every link, as the engine defines it
    colors: Mapping[str, Color] = field(default_factory=dict)  # pybullet alone: link -> how it is shown
    camera: Camera = field(default_factory=Camera)

    def __post_init__(self) -> None:
        if complaint := period_complaint(self.control_period, self.physics_period):
            raise ConfigError(f"physics_period {complaint}")

    @property
    def substeps(self) -> int:
        """Physics periods in a control period."""
        return round(self.control_period / self.physics_period)

    def model_name(self, joint: str) -> str:
        """What the description calls `joint`."""
        return self.model_names.get(joint, joint)


def period_complaint(control_period: float, physics_period: float) -> str:
    """Why a control period [s] cannot be simulated in steps of a physics period [s]; empty where it can."""
    steps = control_period / physics_period
    if steps >= 1.0 - _WHOLE and abs(steps - round(steps)) <= _WHOLE * steps:
        return ""
    return (
        f"is {physics_period:g} s, the control period {control_period:g} s: expected a whole part of it, such as "
        f"{control_period / max(1, round(steps)):.6g}"
    )
