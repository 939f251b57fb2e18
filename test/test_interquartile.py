"""The interquartile mean and its interval, by rliable's definition."""

from __future__ import annotations

import numpy as np
import pytest

from sac_control.training.interquartile import interquartile_interval, interquartile_mean


@pytest.mark.parametrize(
    ("values", "mean"),
    [
        ([3.0], 3.0),
        ([1.0, 2.0, 6.0], 3.0),  # too few to leave any out
        ([0.0, 4.0, 6.0, 1000.0], 5.0),
        ([1000.0] * 9 + [0.0], 1000.0),
        ([5.0, 1.0, 9.0, 2.0, 8.0, 3.0, 7.0, 4.0], 4.75),  # 3, 4, 5, 7
        ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 100.0], 4.0),  # 9 // 4 = 2 of each end
    ],
)
def test_mean_is_that_of_the_middle_half(values: list[float], mean: float) -> None:
    assert interquartile_mean(values) == pytest.approx(mean)


def test_mean_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="of no values"):
        interquartile_mean([])


def test_interval_of_equal_values_is_a_point_and_of_a_single_one_unknown() -> None:
    assert interquartile_interval([[1000.0] * 10]) == (1000.0, 1000.0)
    assert interquartile_interval([[1000.0]]) is None
    assert interquartile_interval([[1000.0], [900.0]]) is None
    assert interquartile_interval([]) is None


def test_interval_holds_the_truth_in_nineteen_of_twenty_samples() -> None:
    rng = np.random.default_rng(0)
    intervals = [interquartile_interval([rng.normal(0.0, 1.0, 40).tolist()], seed) for seed in range(100)]
    held = sum(interval is not None and interval.low <= 0.0 <= interval.high for interval in intervals)
    assert 88 <= held <= 100  # 95 % of 100 ± 3 standard deviations


def test_what_differs_between_strata_is_no_uncertainty() -> None:
    apart = [[0.0, 1.0] * 10, [100.0, 101.0] * 10]
    stratified = interquartile_interval(apart)
    pooled = interquartile_interval([[*apart[0], *apart[1]]])
    assert stratified is not None
    assert pooled is not None
    assert stratified.high - stratified.low < 0.2 * (pooled.high - pooled.low)


def test_same_seed_gives_the_same_interval() -> None:
    values = [np.random.default_rng(3).normal(size=30).tolist()]
    assert interquartile_interval(values, 1) == interquartile_interval(values, 1)
    assert interquartile_interval(values, 1) != interquartile_interval(values, 2)


def test_interval_of_very_many_values_takes_seconds_and_no_memory() -> None:
    values = np.random.default_rng(0).normal(size=100_000).tolist()
    interval = interquartile_interval([values])
    assert interval is not None
    assert -0.05 < interval.low < interval.high < 0.05
