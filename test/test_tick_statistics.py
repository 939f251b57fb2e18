from __future__ import annotations

import math

import pytest

from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.tick_statistics import TickStatistics

T = 0.01


def ticks(periods: list[float]) -> TickStatistics:
    """Ticks of 1 ms, and these times [s] between their beginnings."""
    statistics, now = TickStatistics(), 5.0
    statistics.add(now, now + 0.001, T)
    for period in periods:
        now += period
        statistics.add(now, now + 0.001, T)
    return statistics


def test_mean_and_deviation_are_those_of_the_periods() -> None:
    statistics = ticks([0.008, 0.012] * 10)
    assert statistics.mean_period == pytest.approx(0.010)
    assert statistics.period_deviation == pytest.approx(0.002)
    assert statistics.mean_duration == pytest.approx(0.001)
    assert statistics.longest == pytest.approx(0.001)


def test_interruption_is_no_period() -> None:
    assert ticks([0.01, 3.0, 0.01]).mean_period == pytest.approx(0.01)


@pytest.mark.parametrize(("period", "level"), [(0.0101, 0), (0.0108, 1), (0.0092, 1), (0.013, 2), (0.005, 2)])
def test_states_at_another_rate_than_the_policy_was_trained_for_are_told(period: float, level: int) -> None:
    found = ticks([period] * 5).findings(T, PolicyConfig())
    assert [each for each, _ in found] == [level] * (level > 0)
    assert all("trained for 0.01 s" in sentence for _, sentence in found)


@pytest.mark.parametrize(("jitter", "level"), [(0.001, 0), (0.003, 1), (0.006, 2)])
def test_states_that_come_irregularly_are_told(jitter: float, level: int) -> None:
    found = ticks([T - jitter, T + jitter] * 5).findings(T, PolicyConfig())
    assert [each for each, _ in found] == [level] * (level > 0)
    assert all("irregularly" in sentence for _, sentence in found)


def test_what_is_told_of_is_a_setting() -> None:
    config = PolicyConfig(period_warning=0.5, period_error=1.0, jitter_warning=1.0, jitter_error=2.0)
    assert not ticks([0.006, 0.020] * 5).findings(T, config)
    assert [level for level, _ in ticks([0.016] * 5).findings(T, config)] == [1]
    assert [level for level, _ in ticks([0.025] * 5).findings(T, config)] == [2]


def test_without_ticks_nothing_is_said() -> None:
    statistics = ticks([])
    assert math.isnan(statistics.mean_period)
    assert statistics.findings(T, PolicyConfig()) == []
    statistics.clear()
    assert statistics.mean_duration == 0.0
