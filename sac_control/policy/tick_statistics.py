"""How regularly control ticks come and how long they take. Knows no ROS."""

from __future__ import annotations

import math

from sac_control.policy.policy_config import PolicyConfig

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

    def findings(self, control_period: float, config: PolicyConfig) -> list[tuple[int, str]]:
        """What is wrong with mean and deviation of the period: 1 for a warning or 2 for an error, and a sentence."""
        if not control_period or not self._periods:  # no ticks at all, of which others speak
            return []
        mean, deviation = self.mean_period, self.period_deviation
        found = (
            (
                level_of(abs(mean - control_period) / control_period, config.period_warning, config.period_error),
                f"states come every {mean:.4g} s, the policy was trained for {control_period:.4g} s",
            ),
            (
                level_of(deviation / control_period, config.jitter_warning, config.jitter_error),
                f"states come irregularly, {mean:.4g} s apart with a deviation of {deviation:.4g} s",
            ),
        )
        return [(level, sentence) for level, sentence in found if level]


def level_of(share: float, warning: float, error: float) -> int:
    """0 where a `share` is no more than what is warned of, 1 for a warning, 2 for an error."""
    return (share > warning) + (share > error)
