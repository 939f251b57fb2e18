"""The joint states that a training has seen, and the bounds of nearly all of them. Bounded memory, no chance.

Of many states every second, fourth, eighth and so on is kept. Bounds are found anew when the number of states has grown
by a tenth, so they depend on the states and their order alone: a training that is resumed has the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from sac_control.types import Array, Float32Array, FloatArray

SHARE = 0.001  # of the states that lie below, and again above
LEAST = 100  # states before there are bounds
MOST = 8192  # states kept
WHOLE_TURN = 0.95  # share of a turn from which on all of it counts as seen: bounds leave a gap where most states may be
_TURN = 2.0 * math.pi  # [rad]


class SeenStates:
    """Collects states.

    Args:
        is_continuous: (j,) whether each joint turns for ever; empty collects nothing.
        is_mirrored: the training learns from mirror images, too, so that the states of opposite sign count as seen.

    Attributes:
        count: states seen.
        bounds: (j, 4) float64, lowest and highest position [m or rad], lowest and highest velocity [1/s] of each joint;
            None while there are too few states. Positions of a continuous joint are at most one turn apart.
        counted: states of which these were found.
    """

    def __init__(self, is_continuous: Sequence[bool], *, is_mirrored: bool = False) -> None:
        self._is_continuous, self._is_mirrored = tuple(is_continuous), is_mirrored
        self._size = 2 * len(self._is_continuous)
        self._kept: Float32Array = np.zeros((MOST, self._size), np.float32)
        self._filled = 0  # rows of these
        self._stride = 1  # one state of so many is kept
        self._due = LEAST  # count at which bounds are found
        self.count = 0
        self.bounds: FloatArray | None = None
        self.counted = 0

    def add(self, state: FloatArray) -> None:
        """See `state`, (2j,) float64, position and velocity of each joint in turn; one of another size says nothing."""
        if not self._size or len(state) != self._size or not all(map(math.isfinite, state.tolist())):
            return
        if self.count % self._stride == 0:
            if self._filled == MOST:
                self._kept[: MOST // 2] = self._kept[::2].copy()
                self._filled, self._stride = MOST // 2, 2 * self._stride
            if self.count % self._stride == 0:
                self._kept[self._filled] = state
                self._filled += 1
        self.count += 1
        if self.count >= self._due:
            self.bounds, self.counted = self._found(), self.count
            self._due = self.count + self.count // 10

    def state(self) -> dict[str, Array]:
        """All of it, to be saved."""
        numbers = np.array([self.count, self._stride, self.counted, self._due])
        arrays: dict[str, Array] = {
            "seen_states.kept": self._kept[: self._filled].copy(),
            "seen_states.numbers": numbers,
        }
        return arrays if self.bounds is None else {**arrays, "seen_states.bounds": self.bounds.copy()}

    def restore(self, arrays: Mapping[str, Array]) -> None:
        """Continue from `state()`, whatever else is among `arrays`; begin anew where nothing was saved."""
        kept = arrays.get("seen_states.kept", self._kept[:0])
        self._filled = len(kept)
        self._kept[: self._filled] = kept
        numbers = arrays.get("seen_states.numbers", np.array([0, 1, 0, LEAST])).tolist()
        self.count, self._stride, self.counted, self._due = numbers
        self.bounds = arrays.get("seen_states.bounds")

    def _found(self) -> FloatArray:
        kept = np.asarray(self._kept[: self._filled], np.float64)
        if self._is_mirrored:
            kept = np.concatenate([kept, -kept])
        low, high = np.quantile(kept, [SHARE, 1.0 - SHARE], axis=0)
        bounds = np.stack([low[0::2], high[0::2], low[1::2], high[1::2]], axis=1)
        for joint, is_continuous in enumerate(self._is_continuous):
            if is_continuous:
                bounds[joint, :2] = _turning_bounds(kept[:, 2 * joint])
        return bounds


def _turning_bounds(angles: FloatArray) -> tuple[float, float]:
    """Bounds of directions, (n,) float64 [rad], to both sides of their mean."""
    mean = math.atan2(np.sin(angles).mean(), np.cos(angles).mean())
    beside = (angles - mean + math.pi) % _TURN - math.pi
    low, high = np.quantile(beside, [SHARE, 1.0 - SHARE]).tolist()
    return (-math.pi, math.pi) if high - low > WHOLE_TURN * _TURN else (mean + low, mean + high)
