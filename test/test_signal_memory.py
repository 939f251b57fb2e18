"""What is remembered of the last control periods, by time and not by count."""

from __future__ import annotations

import pytest

from sac_control.expression import Arrival, SignalLayout, SignalMemory, compile, parse  # noqa: A004

LAYOUT = SignalLayout(("a",), ("a",))
T = 0.01  # [s]
MS = 1_000_000  # [ns]


def row(value: float) -> list[float]:
    return [value, 0.0, 0.0, value / 10.0]


def positions(memory: SignalMemory) -> list[float]:
    return [each[0] for each in memory.rows]


def test_rows_are_kept_newest_first_and_no_more_than_are_looked_back_to() -> None:
    memory = SignalMemory(2, LAYOUT)
    fullness = []
    for value in (1.0, 2.0, 3.0, 4.0):
        memory.push(row(value))
        fullness.append(memory.is_full)
    assert positions(memory) == [4.0, 3.0, 2.0]
    assert fullness == [False, False, True, True]
    assert compile(parse("a - a@2 + action(a)@1"), LAYOUT)(memory.rows) == pytest.approx(2.3)
    memory.clear()
    assert memory.rows == []
    assert not memory.is_full


def test_episode_begins_as_if_the_machine_had_stood_there_without_an_action() -> None:
    memory = SignalMemory(2, LAYOUT)
    memory.push(row(9.0))
    memory.start(row(1.0))
    assert memory.is_full
    assert memory.rows == [[1.0, 0.0, 0.0, 0.0]] * 3
    memory.push(row(2.0))
    assert memory.rows == [[2.0, 0.0, 0.0, 0.2], [1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]]


def test_what_is_given_is_copied() -> None:
    memory = SignalMemory(1, LAYOUT)
    given = row(1.0)
    memory.start(given)
    given[0] = 5.0
    memory.rows[0][0] = 7.0
    assert positions(memory) == [7.0, 1.0]


def test_without_looking_back_there_is_one_row() -> None:
    memory = SignalMemory(0, LAYOUT)
    memory.push(row(1.0))
    assert memory.is_full
    memory.push(row(2.0))
    assert positions(memory) == [2.0]


def test_gap_in_time_empties_the_memory() -> None:
    memory = SignalMemory(1, LAYOUT)
    arrivals = []
    for stamp, value in [(0, 1.0), (10, 2.0), (30, 3.0), (40, 4.0), (5, 5.0), (15, 6.0)]:
        arrivals.append((memory.push_at(row(value), stamp * MS, T), memory.is_full))
    assert arrivals == [
        (Arrival.FIRST, False),
        (Arrival.NEXT_PERIOD, True),
        (Arrival.GAP, False),  # a state is missing
        (Arrival.NEXT_PERIOD, True),
        (Arrival.GAP, False),  # time went back
        (Arrival.NEXT_PERIOD, True),
    ]
    assert positions(memory) == [6.0, 5.0]


def test_states_may_come_early_and_late() -> None:
    memory = SignalMemory(3, LAYOUT)
    for stamp in (0.0, 10.4, 19.7, 30.1, 44.0, 50.0, 61.0):
        assert memory.push_at(row(stamp), round(stamp * MS), T) in (Arrival.FIRST, Arrival.NEXT_PERIOD)
    assert positions(memory) == [61.0, 50.0, 44.0, 30.1]


@pytest.mark.parametrize("share", [0.97, 1.03])
def test_clock_that_is_a_little_off_makes_no_gap_in_the_long_run(share: float) -> None:
    memory = SignalMemory(1, LAYOUT)
    arrivals = {memory.push_at(row(0.0), round(index * share * 10 * MS), T) for index in range(1, 1000)}
    assert arrivals == {Arrival.FIRST, Arrival.NEXT_PERIOD}


@pytest.mark.parametrize("per_period", [2, 3, 4, 10])
def test_states_that_come_more_often_are_not_counted_as_control_periods(per_period: int) -> None:
    memory = SignalMemory(5, LAYOUT)
    for index in range(per_period * 20 + 1):
        at = index / per_period  # [control periods]
        memory.push_at(row(at), round(at * 10 * MS), T)
    for age, position in enumerate(positions(memory)):
        assert position == pytest.approx(20.0 - age, abs=1.0)


def test_memory_that_was_cleared_begins_anew_whatever_the_stamp() -> None:
    memory = SignalMemory(1, LAYOUT)
    memory.push_at(row(1.0), 100 * MS, T)
    memory.clear()
    assert memory.push_at(row(2.0), 50 * MS, T) is Arrival.FIRST
    assert memory.push_at(row(3.0), 60 * MS, T) is Arrival.NEXT_PERIOD
