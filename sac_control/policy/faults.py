"""Counts what went wrong inside callbacks, and says when it is too much. Knows no ROS."""

from __future__ import annotations

from collections import deque

MAX_FAULTS = 5  # within WINDOW; one more, and the process had better begin anew
WINDOW = 10.0  # [s]


class FaultCounter:
    """Remembers the faults of the last `WINDOW`. Times are of a steady clock [s]."""

    def __init__(self) -> None:
        self.count = 0  # in all
        self.newest = ""  # what it was
        self._times: deque[float] = deque(maxlen=MAX_FAULTS + 1)

    def add(self, sentence: str, now: float) -> bool:
        """Count a fault; whether there were too many."""
        self.count, self.newest = self.count + 1, sentence
        self._times.append(now)
        return len(self._times) > MAX_FAULTS and now - self._times[0] <= WINDOW

    def is_recent(self, now: float) -> bool:
        """Whether the newest one happened within `WINDOW`."""
        return bool(self._times) and now - self._times[-1] <= WINDOW
