"""Rates of counters over the last seconds. Pure arithmetic; the clock is given."""

from __future__ import annotations

from collections import deque

WINDOW = 3.0  # [s] over which rates are averaged


class Rates:
    """How fast transitions and updates come."""

    def __init__(self) -> None:
        self._history: deque[tuple[float, int, int]] = deque()  # (time [s], transitions, updates)

    def measure(self, now: float, transitions: int, updates: int) -> tuple[float, float]:
        """Transitions and updates per second over the last `WINDOW`, given the counters at time `now` [s]."""
        self._history.append((now, transitions, updates))
        while len(self._history) > 2 and self._history[0][0] < now - WINDOW:
            self._history.popleft()
        then, first_transitions, first_updates = self._history[0]
        elapsed = now - then
        if elapsed <= 0.0:
            return 0.0, 0.0
        return (transitions - first_transitions) / elapsed, (updates - first_updates) / elapsed
