"""What an effort must fit into on its way out: finite, within its limits, changing no faster than allowed."""

from __future__ import annotations

import math

import numpy as np

from sac_control.types import FloatArray


class EffortLimiter:
    """Limits efforts, and remembers the last one, because the next may differ from it by so much only.

    Args:
        limit: (a,) float64 [N or N m], largest magnitude per joint.
        max_rate: (a,) float64 [N/s or N m/s], largest change per second and joint, infinite for any; None: any.
    """

    def __init__(self, limit: FloatArray, max_rate: FloatArray | None = None) -> None:
        self.zero: FloatArray = np.zeros_like(limit)
        self._last = self.zero
        self.set(limit, max_rate)

    def set(self, limit: FloatArray, max_rate: FloatArray | None = None) -> None:
        """Limit by these from the next effort on; one that is beyond a limit that shrinks comes back at once."""
        self._limit, self._lowest = limit, -limit
        self._limits = limit.tolist()
        rates = [math.inf] * len(limit) if max_rate is None else max_rate.tolist()
        self._max_rates = rates
        self._has_rates = not all(map(math.isinf, rates))

    def limit(self, effort: FloatArray, elapsed: float = 0.0, authority: float = 1.0) -> FloatArray:
        """Limited effort, (a,) float64 [N or N m]: always finite and within the limits.

        An effort with a value that is not finite becomes zero as a whole.

        Args:
            effort: (a,) float64 [N or N m].
            elapsed: time since the effort before [s]; the change is limited to `max_rate` times that.
            authority: share of the limits that may be used, from 0 to 1.
        """
        values = effort.tolist()
        if not all(map(math.isfinite, values)):
            return self.release()
        limited: FloatArray
        if authority == 1.0 and not self._has_rates:
            limited = np.minimum(np.maximum(effort, self._lowest), self._limit)  # clip() takes three times as long
        else:
            reach = zip(values, self._limits, self._last.tolist(), self._max_rates, strict=True)
            limited = np.array(
                [
                    _clamped(value, authority * limit, last, math.inf if rate == math.inf else rate * elapsed)
                    for value, limit, last, rate in reach
                ]
            )
            limited = np.minimum(np.maximum(limited, self._lowest), self._limit)  # whatever `authority` may be
        self._last = limited
        return limited

    def release(self) -> FloatArray:
        """Zero at once, however fast that is; the next effort starts from there."""
        self._last = self.zero
        return self.zero


def _clamped(value: float, limit: float, last: float, step: float) -> float:
    """`value` within ±`limit`, at most `step` away from `last`, which may lie beyond a limit that has shrunk."""
    value = min(max(value, -limit), limit)
    return min(max(value, last - step), last + step)
