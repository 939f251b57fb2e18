"""Bookkeeping of a realtime simulation: every period is made once, and those that were missed are counted."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sac_control.simulation.periods import MAX_CATCH_UP, Periods

PERIOD = 0.001


@pytest.fixture
def periods() -> Periods:
    return Periods(PERIOD)


def test_punctual_ticks_make_one_step_each_and_miss_nothing(periods: Periods) -> None:
    for k in range(100_000):
        assert periods.tick(5.0 + k * PERIOD) == 1
    assert (periods.late, periods.given_up) == (0, 0)


def test_tick_that_comes_late_makes_up_for_the_periods_that_are_over(periods: Periods) -> None:
    assert periods.tick(1.0) == 1
    assert periods.tick(1.0 + 3.2 * PERIOD) == 3
    assert periods.late == 2
    assert periods.tick(1.0 + 4.0 * PERIOD) == 1
    assert (periods.late, periods.given_up) == (2, 0)


def test_what_cannot_be_made_up_for_is_given_up_and_counted(periods: Periods) -> None:
    periods.tick(1.0)
    assert periods.tick(1.0 + 20 * PERIOD) == MAX_CATCH_UP
    assert periods.late == 19
    assert periods.given_up == 20 - MAX_CATCH_UP
    assert periods.tick(1.0 + 21 * PERIOD) == 1


def test_delay_of_less_than_a_period_misses_nothing(periods: Periods) -> None:
    for k in range(1000):
        assert periods.tick(1.0 + (k + 0.9 * (k % 3 > 0)) * PERIOD) == 1
    assert periods.late == 0


def test_first_tick_may_be_late_without_the_next_being_taken_for_early(periods: Periods) -> None:
    steps = [periods.tick(1.0 + 0.8 * PERIOD)] + [periods.tick(1.0 + k * PERIOD) for k in range(1, 50)]
    assert steps == [1] * 50
    assert periods.late == 0


def test_time_that_stood_still_is_not_made_up_for(periods: Periods) -> None:
    periods.tick(1.0)
    periods.stop()
    assert periods.tick(60.0) == 1
    assert periods.tick(60.0 + PERIOD) == 1
    assert periods.late == 0


@given(st.lists(st.floats(0.0, 20.0), min_size=1, max_size=50))
def test_every_period_is_stepped_or_given_up_exactly_once(times: list[float]) -> None:
    """Whenever ticks come [periods], those that are over by the last have been accounted for."""
    periods = Periods(PERIOD)
    now, steps = 0.0, periods.tick(10.0)
    for wait in times:
        now += 1.0 + wait
        steps += periods.tick(10.0 + now * PERIOD)
    assert steps + periods.given_up == 1 + len(times) + periods.late
    assert abs(steps + periods.given_up - (1 + math.floor(now))) <= 1  # the last may be over just now
