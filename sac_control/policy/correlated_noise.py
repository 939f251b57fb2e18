"""Exploration that is smooth over time: Gaussian noise of which each tick's is like the one before."""

from __future__ import annotations

import math

import numpy as np

from sac_control.types import Float32Array


class CorrelatedNoise:
    """ε ← ρ ε + √(1 - ρ²) N(0, 1), of variance 1 at each tick (autoregressive noise, Korenkevych et al. 2019).

    Independent noise at 60 Hz averages out before it has moved a cart along its rail, so what happens far from the
    middle is never learnt. Correlated noise takes it there.

    Args:
        size: a, numbers drawn per tick.
        correlation: ρ of one tick with the next, from 0 (independent) to less than 1.
    """

    def __init__(self, size: int, correlation: float) -> None:
        self._kept, self._fresh = correlation, math.sqrt(1.0 - correlation**2)
        self._size = size
        self._value: Float32Array | None = None

    def next(self, rng: np.random.Generator) -> Float32Array:
        """The noise of the next tick, (a,) float32."""
        drawn = rng.standard_normal(self._size, np.float32)
        if self._value is None or not self._kept:
            self._value = drawn
        else:
            self._value = self._kept * self._value + self._fresh * drawn
        return self._value

    def go_on_from(self, before: CorrelatedNoise) -> None:
        """Begin where `before` was."""
        if before._size == self._size:
            self._value = before._value
