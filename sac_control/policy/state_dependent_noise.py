"""Exploration that is smooth over time: a random matrix over the actor's features, kept for some ticks."""

from __future__ import annotations

import numpy as np

from sac_control.types import Float32Array


class StateDependentNoise:
    """ε(s) = θᵀ z(s), θ_ij ~ N(0, σ_ij²) (Raffin et al. 2021). While θ is kept, ε depends on the state alone.

    Args:
        deviation: σ, (f, a) float32.
        interval: ticks that a matrix is kept for; -1 keeps the first.
    """

    def __init__(self, deviation: Float32Array, interval: int) -> None:
        self._deviation, self._interval = deviation, interval
        self._unit = np.zeros_like(deviation)  # the matrix in units of the deviation
        self._matrix = np.zeros_like(deviation)
        self._ticks_left = 0  # until the next draw; counts down from -1 for ever

    def at(self, features: Float32Array, rng: np.random.Generator) -> Float32Array:
        """ε, (a,) float32, for features z, (f,) float32; the next matrix is drawn from `rng` when its time has come."""
        if self._ticks_left == 0:
            self._unit = rng.standard_normal(self._unit.shape, np.float32)
            self._matrix = self._deviation * self._unit
            self._ticks_left = self._interval
        self._ticks_left -= 1
        return features @ self._matrix

    def go_on_from(self, before: StateDependentNoise) -> None:
        """Keep the draw of `before` for the rest of its time, with deviations of one's own."""
        if self._interval > 0 and before._interval > 0 and before._unit.shape == self._unit.shape:
            self._unit, self._ticks_left = before._unit, min(before._ticks_left, self._interval)
            self._matrix = self._deviation * self._unit
