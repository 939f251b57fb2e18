"""Which joint states count at all: finite, newer than the one before, stamp age within the limit. Knows no ROS."""

from __future__ import annotations

import math

from sac_control.errors import StateError
from sac_control.types import JointState


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


def check_age(stamp: int, timeout: float, now: int) -> None:
    """See that a state is as old as it should be.

    Args:
        stamp: [ns] of the state.
        timeout: [s] by which it may differ from `now`.
        now: [ns] by the clock that stamps are compared with: system time, or simulated time where that is used.

    Raises:
        StateError: it is too old, of the future, or has no stamp, or there is no time to compare it with.
    """
    if abs(now - stamp) <= 1e9 * timeout:
        return
    if not now:
        raise StateError(
            "use_sim_time is set and nothing has come on /clock: start what publishes it, or leave use_sim_time out"
        )
    if not stamp:
        raise StateError("state has no stamp: let its publisher stamp it with the time of the measurement")
    raise StateError(
        f"state is {1e-9 * (now - stamp):.3f} s old by its stamp, at most {timeout:g} s are accepted: "
        "synchronise the clocks of the computers, or unset policy.check_stamps"
    )


def check_order(stamp: int, last: int, *, is_fresh: bool) -> None:
    """See that a `stamp` [ns] is newer than the `last` one.

    Where the last one `is_fresh` no more, stamps may begin anew: a simulator was restarted or a clock set.

    Raises:
        StateError: it is not.
    """
    if stamp == last:
        raise StateError(
            f"its stamp, {1e-9 * stamp:.3f} s, is that of the state before, too: let its publisher stamp each state "
            "with the time of its measurement"
        )
    if stamp < last and is_fresh:
        raise StateError(f"state is {1e-9 * (last - stamp):.3f} s older than the one before it: it came too late")
