"""Numbers as the tables write them."""

from __future__ import annotations

import math

from benchmarks.intervals import LEVEL, Interval


def number(value: float, digits: int = 0, unit: str = "") -> str:
    """1250.0 to "1,250"; infinite is what was never reached."""
    if math.isinf(value):
        return "never"
    return f"{value:,.{digits}f}" + (f" {unit}" if unit else "")


def percent(value: float) -> str:
    """0.9712 to "97.1 %", and never to 100 % what is not all."""
    rounded = math.floor(1000.0 * value + 1e-9) / 10.0
    return f"{rounded:.1f} %".replace(".0 %", " %")


def interval(value: Interval | None, digits: int = 0, unit: str = "") -> str:
    """Its two ends, and its coverage where that is below the usual."""
    if value is None or value.coverage <= 0.0:
        return "–"
    text = f"{number(value.low, digits)} – {number(value.high, digits, unit)}"
    return text if value.coverage >= LEVEL - 1e-9 else f"{text} ({100.0 * value.coverage:.0f} %)"


def micro(value: float | None) -> str:
    """A time in microseconds; None is that of an answer that never came."""
    return "no answer" if value is None else f"{value:,.{0 if value >= 100.0 else 1}f} µs"
