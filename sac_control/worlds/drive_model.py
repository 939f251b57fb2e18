"""What drives make of their commands where they differ from their description. The same for every engine."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from sac_control.errors import ConfigError
from sac_control.robots.robot import Drive, Robot
from sac_control.variation.fields import Quantity

DRIVE_FIELDS = ("gain", "limit", "response")


class DriveModel:
    """First-order response, then gain, then limit; one command per physics period.

    A drive of time constant T goes 1 - exp(-h / T) of the way to its command in a physics period h.

    Args:
        robot: whose drives they are.
        variation: what of them differs, of `DRIVE_FIELDS` alone.

    Attributes:
        state: (a,) what the drives give, before gain and limit; None where a first command decides that.

    Raises:
        ConfigError: gain or limit of a drive that is not commanded by effort.
    """

    def __init__(self, robot: Robot, variation: Mapping[Quantity, float]) -> None:
        for field, joint in variation:
            interface = next(drive.interface for drive in robot.drives if drive.joint == joint)
            if field != "response" and interface != "effort":
                raise ConfigError(
                    f"{field}({joint}) is of a drive that is commanded by {interface}: expected one that is commanded "
                    "by effort; leave it out"
                )
        drives = robot.drives
        self._gains = [variation.get(Quantity("gain", drive.joint), 1.0) for drive in drives]
        self._limits = [_limit(drive, variation) for drive in drives]
        constants = [variation.get(Quantity("response", drive.joint), 0.0) for drive in drives]
        self._ways = [1.0 - math.exp(-robot.physics_period / each) if each > 0.0 else 1.0 for each in constants]
        # A position drive that begins at 0 would jump there first.
        self._idle = [None if drive.interface == "position" else 0.0 for drive in drives]
        self.reset()

    def reset(self) -> None:
        """Drives are idle."""
        self.state: list[float | None] = list(self._idle)

    def follow(self, command: Sequence[float]) -> list[float]:
        """What the drives give in the next physics period under `command`, (a,)."""
        given = [
            value if at is None else at + way * (value - at)
            for at, way, value in zip(self.state, self._ways, command, strict=True)
        ]
        self.state = list(given)
        return [
            min(max(gain * value, -limit), limit)
            for gain, limit, value in zip(self._gains, self._limits, given, strict=True)
        ]


def _limit(drive: Drive, variation: Mapping[Quantity, float]) -> float:
    """A gain above 1 gives more than the largest command would: a stronger motor is stronger."""
    share = variation.get(Quantity("limit", drive.joint))
    return math.inf if share is None else share * drive.limit
