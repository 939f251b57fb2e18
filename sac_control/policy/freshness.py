"""Which joint states count at all: finite, newer than the one before, not older than they say. Knows no ROS."""

from __future__ import annotations

import math

from sac_control.errors import StateError
from sac_control.types import JointState

SYSTEM_TIME = 1_577_836_800_000_000_000  # [ns] the year 2020: later stamps are of system time, earlier ones simulated


def check_finite(state: JointState, joints: frozenset[str]) -> None:
    """See that each position and velocity of `joints` is finite; what other joints do is not our business.

    Raises:
        StateError: one is not.
    """
    positions, velocities = state.position.tolist(), state.velocity.tolist()
    if math.isfinite(sum(positions) + sum(velocities)):
        return
    for name, *values in zip(state.names, positions, velocities, strict=False):
        if name in joints and not all(map(math.isfinite, values)):
            raise StateError(f"joint {name!r} has position and velocity {values}: expected numbers that are finite")


def check_age(stamp: int, timeout: float, wall_clock: int) -> None:
    """See that a state is as old as it should be, where its `stamp` [ns] is of system time.

    Args:
        timeout: [s] by which the stamp may differ.
        wall_clock: [ns] system time.

    Raises:
        StateError: it is too old, or of the future.
    """
    if stamp > SYSTEM_TIME and abs(wall_clock - stamp) > 1e9 * timeout:
        raise StateError(
            f"state is {1e-9 * (wall_clock - stamp):.3f} s old by its stamp, at most {timeout:g} s are accepted: "
            "synchronise the clocks of the computers, or unset policy.check_stamps"
        )


def check_order(stamp: int, last: int, *, is_fresh: bool) -> None:
    """See that a `stamp` [ns] is newer than the `last` one.

    Where the last one `is_fresh` no more, stamps may begin anew: a simulator was restarted or a clock set.

    Raises:
        StateError: it is not.
    """
    if stamp == last or (stamp < last and is_fresh):
        raise StateError(f"state is {1e-9 * (last - stamp):.3f} s older than the one before it: it came too late")
