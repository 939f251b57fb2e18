"""Where episodes begin: weighted boxes of joint positions and velocities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sac_control.types import FloatArray


@dataclass(frozen=True, kw_only=True)
class Range:
    """A number that is drawn anew for each start: uniformly from ``centre - spread`` to ``centre + spread``."""

    place: int  # in the state, (2j,)
    centre: float
    spread: float  # at least 0


@dataclass(frozen=True, kw_only=True)
class Box:
    """Start states; what no range is about begins at 0."""

    share: float  # of the starts, relative to other boxes, > 0
    ranges: tuple[Range, ...]

    @property
    def drawn(self) -> tuple[Range, ...]:
        """The ranges that are wider than a point."""
        return tuple(each for each in self.ranges if each.spread > 0.0)


class Starts:
    """Start states at points of the unit cube.

    Args:
        boxes: one or more.
        joints: j.
    """

    def __init__(self, boxes: Sequence[Box], joints: int) -> None:
        self._boxes, self._size = tuple(boxes), 2 * joints
        shares = np.array([box.share for box in boxes])
        self._limits = np.cumsum(shares / shares.sum())  # of the first coordinate, where there are several boxes
        self._chooses = len(boxes) > 1
        self.dimensions = max(1, self._chooses + max(len(box.drawn) for box in boxes))

    def start_from(self, unit: FloatArray) -> FloatArray:
        """The state, (2j,) float64, at the point `unit`, (dimensions,), of the unit cube."""
        box, coordinates = self._boxes[0], unit
        if self._chooses:
            chosen = min(int(np.searchsorted(self._limits, unit[0], side="right")), len(self._boxes) - 1)
            box, coordinates = self._boxes[chosen], unit[1:]
        state = np.zeros(self._size)
        for each in box.ranges:
            state[each.place] = each.centre
        for each, coordinate in zip(box.drawn, coordinates, strict=False):
            state[each.place] = each.centre + each.spread * (2.0 * coordinate - 1.0)
        return state
