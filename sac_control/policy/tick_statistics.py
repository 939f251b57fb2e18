"""How regularly control ticks come and how long they take. Knows no ROS."""

from __future__ import annotations

import math

WARN_DEVIATION, ERROR_DEVIATION = 0.05, 0.2  # share of the control period by which the mean period may differ
LONG_PAUSE = 10.0  # control periods; a longer time between two ticks is an interruption and no period


class TickStatistics:
    """Sums over the ticks since the last `clear`. Times are of a steady clock [s]."""

    def __init__(self) -> None:
        self._last: float | None = None
        self.clear()

    def clear(self) -> None:
        """Begin anew; the time to the tick before still counts."""
        self.count, self._total, self.longest = 0, 0.0, 0.0
        self._periods, self._sum, self._squares = 0, 0.0, 0.0

    def add(self, start: float, end: float, control_period: float) -> None:
        """A tick from `start` to `end`."""
        duration = end - start
        self.count += 1
        self._total += duration
        self.longest = max(self.longest, duration)
        if self._last is not None and (period := start - self._last) < LONG_PAUSE * control_period:
            self._periods += 1
            self._sum += period
            self._squares += period * period
        self._last = start

    @property
    def mean_duration(self) -> float:
        """Mean duration of a tick [s]; 0 without any."""
        return self._total / self.count if self.count else 0.0

    @property
    def mean_period(self) -> float:
        """Mean time from one tick to the next [s]; NaN without any."""
        return self._sum / self._periods if self._periods else math.nan

    @property
    def period_deviation(self) -> float:
        """Standard deviation of that time [s]."""
        if not self._periods:
            return math.nan
        return math.sqrt(max(0.0, self._squares / self._periods - self.mean_period**2))

    def verdict(self, control_period: float) -> tuple[int, str]:
        """0, 1 or 2 for good, worth a warning, wrong, and a sentence unless good."""
        error = abs(self.mean_period - control_period) / control_period if control_period else 0.0
        if not error > WARN_DEVIATION:  # NaN is no ticks at all, of which others speak
            return 0, ""
        sentence = f"states come every {self.mean_period:.4g} s, the policy was trained for {control_period:.4g} s"
        return (2 if error > ERROR_DEVIATION else 1), sentence
