"""Which joint states can be used at all: finite, in order, stamp age within the limit. Knows no ROS."""

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
            raise StateError(f"joint {name!r} has position and velocity {values}: expected finite numbers")


def check_age(stamp: int, timeout: float, now: int) -> None:
    """See that the age of a stamp is within the limit.

    Args:
        stamp: [ns] of the state.
        timeout: [s] by which it may differ from `now`.
        now: [ns] by the clock that stamps are compared with: system time, or simulated time where that is used.

    Raises:
        StateError: it is stale or in the future, there is no stamp, or no time to compare it with.
    """
    if abs(now - stamp) <= 1e9 * timeout:
        return
    if not now:
        raise StateError(
            "use_sim_time is set and nothing is published on /clock: start its publisher, or leave use_sim_time out"
        )
    if not stamp:
        raise StateError("state has no stamp: its publisher must set it to the time of the measurement")
    age = 1e-9 * (now - stamp)
    told = f"stamp is {age:.3f} s old" if age > 0 else f"stamp is {-age:.3f} s in the future"
    raise StateError(
        f"{told}, limit {timeout:g} s: synchronise the clocks of the computers, or unset policy.check_stamps"
    )


def check_order(stamp: int, last: int, *, is_fresh: bool) -> None:
    """See that a `stamp` [ns] is newer than the `last` one.

    Where the last one `is_fresh` no more, stamps may begin anew: a simulator was restarted or a clock set.

    Raises:
        StateError: it is not.
    """
    if stamp == last:
        raise StateError(
            f"stamp {1e-9 * stamp:.3f} s is that of the previous state: its publisher must set the stamp of each "
            "state to the time of its measurement"
        )
    if stamp < last and is_fresh:
        raise StateError(f"state is out of order: its stamp is {1e-9 * (last - stamp):.3f} s before the previous one")
