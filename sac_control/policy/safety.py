"""What stands between an action and a force: effort limits, and a watchdog on the age of the state.

Time is an argument, read from a steady clock; nothing here asks a clock. Everything fails towards zero force.
"""

from __future__ import annotations

import enum
import math

import numpy as np

from sac_control.types import FloatArray


class Mode(enum.IntEnum):
    """What the policy node does with its actuators; the values are those of PolicyAction.msg and PolicyStatus.msg."""

    INACTIVE = 0  # lifecycle state is not active: nothing is computed
    ARMING = 1  # active, and waits for a policy or for a first state
    ACTIVE = 2  # efforts of the policy are commanded
    HOLD_ZERO = 3  # zero is commanded: the input stopped or could not be used
    LATCHED_FAULT = 4  # zero is commanded until somebody intervenes


class EffortLimiter:
    """Clamps efforts to their limits; a vector with a value that is not finite becomes zero as a whole.

    Args:
        limit: (a,) float64 [N or N m], largest magnitude per joint.
    """

    def __init__(self, limit: FloatArray) -> None:
        self._limit, self._lowest = limit, -limit
        self.zero: FloatArray = np.zeros_like(limit)

    def limit(self, effort: FloatArray) -> FloatArray:
        """Limited effort, (a,) float64 [N or N m], always finite and within the limits."""
        if not all(map(math.isfinite, effort.tolist())):
            return self.zero
        limited: FloatArray = np.minimum(
            np.maximum(effort, self._lowest), self._limit
        )  # clip() takes three times as long
        return limited


class StateWatchdog:
    """Tells whether the newest usable state is too old to act upon."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout  # [s]
        self._last: float | None = None  # [s] steady time of the newest usable state

    def feed(self, now: float) -> None:
        """Note that a usable state has arrived at steady time `now` [s]."""
        self._last = now

    def age(self, now: float) -> float:
        """Time since the newest usable state [s]; infinite before the first."""
        return math.inf if self._last is None else now - self._last

    def is_stale(self, now: float) -> bool:
        """Whether the newest usable state is older than the timeout."""
        return self.age(now) > self._timeout
