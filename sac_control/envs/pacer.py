"""Pacer: makes simulated time pass no faster than real time, for people who watch."""

from __future__ import annotations

import time
from collections.abc import Callable


class Pacer:
    """Holds up its caller until the next period begins.

    Args:
        period: duration of a period [s].
        clock: a steady clock [s].
        sleep: waits for a time [s].
    """

    def __init__(
        self,
        period: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._period = period
        self._clock = clock
        self._sleep = sleep
        self._next = clock()

    def restart(self) -> None:
        """Begin the first period now."""
        self._next = self._clock() + self._period

    def wait(self) -> None:
        """Return at the end of the current period; at once where that has passed. Lost time is not made up for."""
        remaining = self._next - self._clock()
        if remaining > 0:
            self._sleep(remaining)
        self._next = max(self._next, self._clock()) + self._period
