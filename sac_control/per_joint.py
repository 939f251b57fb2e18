"""Settings that have a value for each joint: ``left/arm: 0.05, wheel: 3``. Strict, and written once for all of them.

A name may hold anything but commas and colons, which separate; blanks at its ends do not count.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from sac_control.errors import ConfigError

EXAMPLE = "'arm: 0.05, wheel: 3'"


def parse_texts(where: str, text: str, example: str) -> dict[str, str]:
    """A text for each joint that is named; none where nothing is.

    Args:
        where: name of the setting.
        text: what it is set to.
        example: how it is written.

    Raises:
        ConfigError: it is not written so, or names a joint twice.
    """
    found: dict[str, str] = {}
    for part in text.split(",") if text.strip() else []:
        name, colon, value = (each.strip() for each in part.partition(":"))
        if not (name and colon and value) or ":" in value or not (name + value).isprintable():
            raise ConfigError(f"{where} has {part.strip()!r:.100}: expected a joint, a colon and a value, as {example}")
        if name in found:
            raise ConfigError(f"{where} names joint {name!r} twice: leave one out")
        found[name] = value
    return found


def parse_numbers(
    where: str, text: str, example: str = EXAMPLE, *, low: float | None = None, high: float | None = None
) -> dict[str, float]:
    """A number from `low` to `high`, if there are such bounds, for each joint that is named.

    Raises:
        ConfigError: the text is not written as `example` is, names a joint twice, or has what is no such number.
    """
    return {
        name: _number(f"{where} of joint {name!r}", value, low, high)
        for name, value in parse_texts(where, text, example).items()
    }


def is_number(text: str) -> bool:
    """Whether `text` is a plain number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def format_numbers(values: Mapping[str, float]) -> str:
    """`values` as they are written."""
    return ", ".join(f"{name}: {value:g}" for name, value in values.items())


def _number(where: str, text: str, low: float | None, high: float | None) -> float:
    value = float(text) if is_number(text) else math.nan
    if not (-math.inf if low is None else low) <= value <= (math.inf if high is None else high) or math.isinf(value):
        allowed = "" if low is None or high is None else f", from {low:g} to {high:g}"
        raise ConfigError(f"{where} is {text!r:.100}: expected a number{allowed}")
    return value
