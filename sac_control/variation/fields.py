"""What of a robot and its wires can vary, with units and bounds. A world changes the plant, an environment the rest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from sac_control.errors import ConfigError
from sac_control.option import suggest


class Of(Enum):
    """What a field is a property of."""

    JOINT = "joint"
    HINGE = "joint that turns"
    DRIVE = "driven joint"
    POSITION = "joint's position"
    SIGNAL = "joint's position, or velocity(joint)"
    WIRE = "wire: states or commands"
    ROBOT = "robot"


WIRES = ("states", "commands")


@dataclass(frozen=True, kw_only=True)
class Field:
    """One kind of quantity that can vary."""

    of: Of
    neutral: float  # its value in a robot that is as described
    unit: str
    description: str
    low: float = -math.inf  # smallest value
    is_low_allowed: bool = True  # itself
    high: float = math.inf  # largest value
    is_plant: bool = True  # a matter of the physics, not of measurement and time

    @property
    def is_factor(self) -> bool:
        """Whether it multiplies what the description says."""
        return self.unit == "1" and self.neutral == 1.0

    def allows(self, value: float) -> bool:
        """Whether a robot can have this value."""
        is_above = value > self.low or (self.is_low_allowed and value == self.low)
        return math.isfinite(value) and is_above and value <= self.high

    @property
    def allowed(self) -> str:
        """The values that a robot can have, in words."""
        bounds = []
        if self.low > -math.inf:
            bounds.append(f"at least {self.low:g}" if self.is_low_allowed else f"greater than {self.low:g}")
        if self.high < math.inf:
            bounds.append(f"at most {self.high:g}")
        return " and ".join(bounds) or "a finite number"


def _factor(of: Of, description: str) -> Field:
    return Field(of=of, neutral=1.0, unit="1", description=description, low=0.0, is_low_allowed=False, high=100.0)


def _amount(of: Of, unit: str, description: str, *, high: float = math.inf, is_plant: bool = True) -> Field:
    return Field(of=of, neutral=0.0, unit=unit, description=description, low=0.0, high=high, is_plant=is_plant)


FIELDS: Mapping[str, Field] = {
    "mass": _factor(Of.JOINT, "factor of the mass of the link that the joint moves; its inertia changes with it"),
    "inertia": _factor(Of.JOINT, "factor of the inertia of that link about its centre of mass, at the same mass"),
    "length": _factor(
        Of.HINGE, "factor of the length of that link: centre of mass, what it carries, and inertia by its square"
    ),
    "travel": _factor(Of.JOINT, "factor of the positions at which the joint ends, where it has an end"),
    "damping": _amount(Of.JOINT, "N s/m or N m s/rad", "viscous friction of the joint, beside the description's"),
    "friction": _amount(Of.JOINT, "N or N m", "dry friction of the joint, beside the description's"),
    "gain": _factor(Of.DRIVE, "factor of the effort that the drive makes of a command"),
    "limit": Field(
        of=Of.DRIVE,
        neutral=1.0,
        unit="1",
        description="share of the largest command beyond which the drive gives no more",
        low=0.0,
        is_low_allowed=False,
        high=1.0,
    ),
    "response": _amount(Of.DRIVE, "s", "time constant with which the drive follows its command (first order)"),
    "gravity_tilt": Field(
        of=Of.ROBOT,
        neutral=0.0,
        unit="rad",
        description="the robot's base is turned by this about the y axis, against gravity",
        low=-1.5,
        high=1.5,
    ),
    "air_damping": _factor(
        Of.ROBOT, "factor of the braking by air: air_damping in pybullet, density and viscosity of an MJCF in MuJoCo"
    ),
    "push": Field(
        of=Of.JOINT,
        neutral=0.0,
        unit="N s or N m s",
        description="impulse on the joint, spread over the control period at push_time",
    ),
    "push_time": Field(of=Of.ROBOT, neutral=0.0, unit="s", description="when in an episode pushes come", low=0.0),
    "noise": _amount(Of.SIGNAL, "m or rad, or 1/s", "deviation of independent Gaussian noise", is_plant=False),
    "offset": Field(
        of=Of.POSITION,
        neutral=0.0,
        unit="m or rad",
        description="by how much the zero of the encoder is off",
        is_plant=False,
    ),
    "encoder": _amount(Of.POSITION, "m or rad", "step of the encoder; 0 measures exactly", is_plant=False),
    "difference": _amount(
        Of.ROBOT,
        "1",
        "1: velocities are differences of measured positions; 0: they are measured",
        high=1.0,
        is_plant=False,
    ),
    "latency": _amount(Of.WIRE, "control periods", "age of what arrives", high=50.0, is_plant=False),
    "jitter": _amount(Of.WIRE, "control periods", "largest random latency beside it", high=50.0, is_plant=False),
    "loss": _amount(
        Of.WIRE, "1", "probability that a message is lost; the one before stays in force", high=0.99, is_plant=False
    ),
}


class Quantity(NamedTuple):
    """One number that can vary."""

    field: str
    of: str = ""  # the joint, velocity(joint), or wire; empty: the whole robot

    def __str__(self) -> str:
        return f"{self.field}({self.of})" if self.of else self.field

    @classmethod
    def parse(cls, text: str) -> Quantity:
        """The quantity that is written so."""
        field, _, rest = text.partition("(")
        return cls(field, rest.removesuffix(")"))

    @property
    def neutral(self) -> float:
        """Its value in a robot that is as described."""
        return FIELDS[self.field].neutral


Variation = Mapping[Quantity, float]  # what differs from the description; what is not named does not

NOMINAL: Variation = {}


def targets(field: str, joints: tuple[str, ...], driven: tuple[str, ...], hinges: tuple[str, ...]) -> tuple[str, ...]:
    """All that `field` can be a property of, in a robot with these joints; ``("",)`` where it is the robot itself."""
    return {
        Of.JOINT: joints,
        Of.HINGE: hinges,
        Of.DRIVE: driven,
        Of.POSITION: joints,
        Of.SIGNAL: (*joints, *(f"velocity({joint})" for joint in joints)),
        Of.WIRE: WIRES,
        Of.ROBOT: ("",),
    }[FIELDS[field].of]


def check(variation: Variation, joints: tuple[str, ...], driven: tuple[str, ...]) -> None:
    """See that a robot with these joints can differ so.

    Raises:
        ConfigError: a field or joint is unknown, or the value is one that no robot has.
    """
    for quantity, value in variation.items():
        if quantity.field not in FIELDS:
            raise ConfigError(f"{quantity} cannot vary; {suggest(quantity.field, FIELDS)}")
        field, known = FIELDS[quantity.field], targets(quantity.field, joints, driven, joints)
        if quantity.of not in known:
            of = f"{quantity.of!r}" if quantity.of else "nothing"
            raise ConfigError(
                f"{quantity.field} is of a {field.of.value}, and {of} is none of this robot; "
                f"{suggest(quantity.of, known) if any(known) else 'write it without brackets'}"
            )
        if not field.allows(value):
            raise ConfigError(f"{quantity} is {value:g}: expected {field.allowed} [{field.unit}]")


def without_neutral(variation: Variation) -> dict[Quantity, float]:
    """What of it differs from the description at all."""
    return {quantity: value for quantity, value in variation.items() if value != quantity.neutral}


def to_text(variation: Variation) -> str:
    """One line for people and tables; empty for the robot as described."""
    return "; ".join(f"{quantity} {value:.4g}" for quantity, value in without_neutral(variation).items())
