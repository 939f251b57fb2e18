"""What functions and operators give, as floating-point numbers have it (IEEE 754): inf or NaN where Python would raise.

NaN goes through all of them but comparisons, which are false with it. A number is true where it is neither 0 nor NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable


def sine(x: float) -> float:
    """NaN of an infinite angle."""
    try:
        return math.sin(x)
    except ValueError:
        return math.nan


def cosine(x: float) -> float:
    """NaN of an infinite angle."""
    try:
        return math.cos(x)
    except ValueError:
        return math.nan


def exponential(x: float) -> float:
    """Infinite where it is too large for a number."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def square_root(x: float) -> float:
    """NaN of a negative number."""
    return math.nan if x < 0.0 else math.sqrt(x)


def sign(x: float) -> float:
    """-1, 0 or 1."""
    return x if math.isnan(x) else float((x > 0.0) - (x < 0.0))


def smallest(*values: float) -> float:
    """NaN where any value is."""
    return math.nan if any(map(math.isnan, values)) else min(values)


def largest(*values: float) -> float:
    """NaN where any value is."""
    return math.nan if any(map(math.isnan, values)) else max(values)


def clip(x: float, low: float, high: float) -> float:
    """`high` where `low` lies above it; NaN where any value is."""
    return smallest(largest(x, low), high)


def quotient(a: float, b: float) -> float:
    """Infinite where `b` alone is 0, with the sign of both; NaN where both are."""
    if b == 0.0:
        return math.nan if a == 0.0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1.0, b)
    return a / b


def power(a: float, b: float) -> float:
    """NaN of a negative number to a fraction; infinite where it is too large, or 0 to a negative exponent."""
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0.0 and math.fmod(b, 2.0) else math.inf
    except ValueError:
        if a != 0.0:
            return math.nan
        return math.copysign(math.inf, a) if abs(math.fmod(b, 2.0)) == 1.0 else math.inf


def is_true(x: float) -> bool:
    """Neither 0 nor NaN."""
    return x < 0.0 or x > 0.0


def differs(a: float, b: float) -> bool:
    """False with NaN, as every comparison here."""
    return a < b or a > b


CALLS: dict[str, Callable[..., float]] = {
    "abs": abs, "sin": sine, "cos": cosine, "tanh": math.tanh, "exp": exponential, "sqrt": square_root,
    "min": smallest, "max": largest, "clip": clip, "sign": sign,
}  # fmt: skip
