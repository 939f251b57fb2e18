"""Control periods of a simulation that follows a steady clock: how many are over, which were missed. Knows no ROS."""

from __future__ import annotations

MAX_CATCH_UP = 5  # periods made up for at once before the rest is given up


class Periods:
    """Counts the periods that a timer marks.

    Args:
        period: [s] of the clock.
    """

    def __init__(self, period: float) -> None:
        self._period = period
        self._start: float | None = None  # [s] beginning of the first period
        self._over = 0  # periods over since then
        self.late = 0  # made up for together with a later one, or given up
        self.given_up = 0
        self.unanswered = 0  # over without an answer to their state

    def stop(self) -> None:
        """Time stands still until the next tick, which ends a first period."""
        self._start = None

    def tick(self, now: float) -> int:
        """Steps to make at a tick of the timer at `now` [s]: 1 unless it comes late."""
        if self._start is None:
            self._start, self._over = now - self._period, 0
        # A timer is never early: a tick that seems so shows that those before it were late.
        self._start = min(self._start, now - (self._over + 1) * self._period)
        over = int((now - self._start) / self._period + 1e-6)
        due, self._over = over - self._over, over
        self.late += due - 1
        self.given_up += max(0, due - MAX_CATCH_UP)
        return min(due, MAX_CATCH_UP)
