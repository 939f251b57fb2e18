"""Correlated noise has the variance and the memory that its definition promises."""

from __future__ import annotations

import numpy as np
import pytest

from sac_control.policy.correlated_noise import CorrelatedNoise


def drawn(correlation: float, ticks: int = 200_000) -> np.ndarray:
    noise, rng = CorrelatedNoise(1, correlation), np.random.default_rng(0)
    return np.array([noise.next(rng)[0] for _ in range(ticks)])


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.97])
def test_variance_is_one_and_memory_fades_by_the_correlation(correlation: float) -> None:
    values = drawn(correlation)
    memory = (1.0 + correlation) / (1.0 - correlation)  # ticks that one independent draw is worth
    tolerance = 5.0 * np.sqrt(memory / len(values))
    assert values.mean() == pytest.approx(0.0, abs=tolerance)
    assert values.var() == pytest.approx(1.0, abs=2.0 * tolerance)
    for lag in (1, 5):
        assert np.mean(values[lag:] * values[:-lag]) == pytest.approx(correlation**lag, abs=2.0 * tolerance)


def test_without_correlation_it_is_the_generator_itself() -> None:
    noise, rng, same = CorrelatedNoise(2, 0.0), np.random.default_rng(3), np.random.default_rng(3)
    for _ in range(5):
        np.testing.assert_array_equal(noise.next(rng), same.standard_normal(2, np.float32))


def test_a_successor_goes_on_where_its_predecessor_was() -> None:
    rng = np.random.default_rng(1)
    before, after = CorrelatedNoise(1, 0.999), CorrelatedNoise(1, 0.999)
    for _ in range(100):
        last = before.next(rng)
    after.go_on_from(before)
    assert abs(float(after.next(rng)[0] - last[0])) < 6.0 * np.sqrt(1.0 - 0.999**2)
