"""How much may vary: ranges of quantities, from which the plant of an episode is drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sac_control.variation.fields import FIELDS, Quantity


@dataclass(frozen=True, kw_only=True)
class Range:
    """What one quantity can be."""

    quantity: Quantity
    low: float
    high: float

    def at(self, share: float) -> float:
        """The value at `share` of the range, from 0 to 1. A factor is as often below its geometric mean as above."""
        if FIELDS[self.quantity.field].is_factor:
            return math.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low)))
        return self.low + share * (self.high - self.low)


@dataclass(frozen=True)
class Ranges:
    """Ranges of different quantities."""

    ranges: tuple[Range, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def draw(self, rng: np.random.Generator) -> dict[Quantity, float]:
        """One plant: each quantity anywhere in its range, independent of the others; a factor by its logarithm."""
        shares = rng.random(len(self.ranges))
        return {each.quantity: each.at(share) for each, share in zip(self.ranges, shares.tolist(), strict=True)}
