"""The plants on which a policy is examined, made of ranges: each field alone towards its bounds, and all of it mildly.

Three sets share no numbers but those of the robot as described: those of training are drawn for each episode
(`Ranges.draw`), those of the gate lie a little beyond the bounds, those of the report at them: what passes the gate
passes the report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from sac_control.variation.fields import FIELDS, NOMINAL, Quantity, Variation
from sac_control.variation.ranges import Range, Ranges

GATE_SIZE, REPORT_SIZE = 24, 20
_GATE_SEED, _REPORT_SEED = 0x67617465, 0x65786D  # "gate", "exm"
_GATE_SHARES = 1.02, 1.1  # of the way to a bound
_LEAST_MIXTURES = 3
_MILD = 0.5  # of the way to a bound, at most


@dataclass(frozen=True, kw_only=True)
class Plant:
    """A robot that differs from its description, under a name."""

    name: str
    variation: Variation


def gate_plants(ranges: Ranges) -> list[Plant]:
    """Those that decide when a training ends: `GATE_SIZE`, or more where there are many fields."""
    rng = np.random.default_rng(_GATE_SEED)
    return _plants(ranges, lambda: float(rng.uniform(*_GATE_SHARES)), rng, GATE_SIZE)


def report_plants(ranges: Ranges) -> list[Plant]:
    """Those on which a policy is reported: `REPORT_SIZE`, or more where there are many fields."""
    return _plants(ranges, lambda: 1.0, np.random.default_rng(_REPORT_SEED), REPORT_SIZE)


def _plants(ranges: Ranges, share: Callable[[], float], rng: np.random.Generator, size: int) -> list[Plant]:
    always = {each.quantity: each.low for each in ranges.ranges if each.low == each.high}
    varying = [each for each in ranges.ranges if each.low != each.high]
    plants = [Plant(name="as described", variation=always or NOMINAL)]
    for field in dict.fromkeys(each.quantity.field for each in varying):
        those = [each for each in varying if each.quantity.field == field]
        for side in ("low", "high"):
            values = _towards(those, side, share())
            if values:
                plants.append(Plant(name=_name(field, values), variation={**always, **values}))
    for number in range(max(_LEAST_MIXTURES, size - len(plants)) if varying else 0):
        mixture = {each.quantity: _mild(each, each.at(rng.random())) for each in varying}
        plants.append(Plant(name=f"all of it mildly, {number + 1}", variation={**always, **mixture}))
    return plants


def _towards(ranges: Iterable[Range], side: str, share: float) -> dict[Quantity, float]:
    """Each quantity at `share` of the way from normal to one of its bounds; those left out whose bound is normal."""
    bounds = ((each, each.low if side == "low" else each.high) for each in ranges)
    return {each.quantity: _on_the_way(each, bound, share) for each, bound in bounds if bound != each.quantity.neutral}


def _mild(each: Range, value: float) -> float:
    """Part of the way from normal to `value`, but within the range."""
    return min(max(_on_the_way(each, value, _MILD), each.low), each.high)


def _on_the_way(each: Range, value: float, share: float) -> float:
    """`share` of the way from normal to `value`, as far as a robot can be so."""
    field, neutral = FIELDS[each.quantity.field], each.quantity.neutral
    there = neutral * (value / neutral) ** share if field.is_factor else neutral + share * (value - neutral)
    return float(min(max(there, field.low), field.high))


def _name(field: str, values: Variation) -> str:
    numbers = [f"{value:.3g}" for value in dict.fromkeys(values.values())]
    sign = "×" if FIELDS[field].is_factor else ""
    return f"{field.replace('_', ' ')} {sign}{' / '.join(numbers)}"
