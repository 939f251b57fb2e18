"""What a command must fit into on its way out: finite, within its limits, changing no faster than allowed."""

from __future__ import annotations

import math

import numpy as np

from sac_control.policy.safe_command import SafeCommand
from sac_control.types import FloatArray


class Limiter:
    """Limits commands, and remembers the last one, because the next may differ from it by so much only.

    Args:
        limit: (a,) float64, largest magnitude per joint [unit of its interface].
        max_rate: (a,) float64, largest change per second and joint, infinite for any; None: any.
        safe: from where commands start; None: from zero, as efforts do.
    """

    def __init__(self, limit: FloatArray, max_rate: FloatArray | None = None, safe: SafeCommand | None = None) -> None:
        count = len(limit)
        self._safe = SafeCommand(("",) * count, ("effort",) * count) if safe is None else safe
        self._is_free = False  # whether the newest command was not the safe one
        self._last: FloatArray = np.zeros(count)
        self._start: list[float] = [0.0] * count
        self.set(limit, max_rate)

    def set(self, limit: FloatArray, max_rate: FloatArray | None = None) -> None:
        """Limit by these from the next command on.

        Where a limit has shrunk, an effort or a velocity beyond it comes back at once, a position no faster than
        `max_rate`.
        """
        self._limit, self._lowest = limit, -limit
        self._limits = limit.tolist()
        rates = [math.inf] * len(limit) if max_rate is None else max_rate.tolist()
        self._max_rates = rates
        self._has_rates = not all(map(math.isinf, rates))

    def limit(self, command: FloatArray, elapsed: float = 0.0, authority: float = 1.0) -> FloatArray | None:
        """Limited command, (a,) float64: finite and within the limits; None where a value is not finite.

        A position may be beyond its limits while it comes from there.

        Args:
            command: (a,) float64 [unit of the interface].
            elapsed: time since the command before [s]; the change is limited to `max_rate` times that.
            authority: share of the limits that may be used, from 0 to 1; of positions, of the way from the safe
                command to the limits.
        """
        values = command.tolist()
        if not all(map(math.isfinite, values)):
            return None
        if not self._is_free:
            self._begin()
        limited: FloatArray
        if authority == 1.0 and not self._has_rates:
            limited = np.minimum(np.maximum(command, self._lowest), self._limit)  # clip() takes three times as long
        else:
            limited = self._gently_limited(values, elapsed, authority)
        self._last = limited
        return limited

    def release(self) -> FloatArray:
        """The safe command at once, however fast that is; the next command starts from there."""
        self._is_free = False
        return self._safe.hold()

    def _begin(self) -> None:
        """Start from the safe command, which was the last one."""
        self._last = self._safe.hold()
        self._start = self._last.tolist()
        self._safe.let_go()
        self._is_free = True

    def _gently_limited(self, values: list[float], elapsed: float, authority: float) -> FloatArray:
        limited = []
        for value, limit, rate, last, start, is_position in zip(
            values,
            self._limits,
            self._max_rates,
            self._last.tolist(),
            self._start,
            self._safe.is_position,
            strict=True,
        ):
            step = math.inf if rate == math.inf else rate * elapsed
            if is_position:
                low, high = start - authority * (start + limit), start + authority * (limit - start)
                limited.append(_clamped(_clamped(value, -limit, limit), low, high, last, step))
            else:
                own = _clamped(value, -authority * limit, authority * limit, last, step)
                limited.append(min(max(own, -limit), limit))  # whatever `last` may be
        return np.array(limited)


def _clamped(value: float, low: float, high: float, last: float = math.nan, step: float = math.inf) -> float:
    """`value` from `low` to `high`, at most `step` away from `last`, which may lie beyond limits that shrank."""
    value = min(max(value, low), high)
    return value if step == math.inf else min(max(value, last - step), last + step)
