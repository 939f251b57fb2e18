"""Every arrival is counted as new, as a duplicate, or as the end of a gap."""

from __future__ import annotations

import json
import random

from hypothesis import given
from hypothesis import strategies as st

from sac_control.training.arrivals import FARTHEST, MOST_SOURCES, WINDOW, Arrivals


def test_numbers_in_order_are_new() -> None:
    arrivals = Arrivals()
    assert all(arrivals.is_new(5, number) for number in range(10))
    assert (arrivals.duplicates, arrivals.missing, arrivals.expected) == (0, 0, 10)


def test_a_repeated_number_is_a_duplicate() -> None:
    arrivals = Arrivals()
    assert [arrivals.is_new(5, number) for number in (0, 1, 1, 0, 2)] == [True, True, False, False, True]
    assert (arrivals.duplicates, arrivals.missing) == (2, 0)


def test_skipped_numbers_are_missing() -> None:
    arrivals = Arrivals()
    assert [arrivals.is_new(5, number) for number in (0, 1, 5)] == [True, True, True]
    assert (arrivals.duplicates, arrivals.missing, arrivals.expected) == (0, 3, 6)


def test_a_source_is_first_believed_at_any_number() -> None:
    arrivals = Arrivals()
    assert arrivals.is_new(5, 1000)
    assert arrivals.missing == 0


def test_sources_are_numbered_apart_and_the_last_heard_is_expected() -> None:
    arrivals = Arrivals()
    for source, number in ((1, 0), (2, 0), (1, 1), (1, 2), (2, 1)):
        assert arrivals.is_new(source, number)
    assert arrivals.expected == 2
    arrivals.is_new(1, 3)
    assert arrivals.expected == 4


def test_nothing_heard_expects_nothing() -> None:
    assert Arrivals().expected is None


def test_a_late_number_is_new_once_and_no_longer_missing() -> None:
    arrivals = Arrivals()
    assert [arrivals.is_new(5, number) for number in (0, 3, 1, 1, 3)] == [True, True, True, False, False]
    assert (arrivals.duplicates, arrivals.missing, arrivals.expected) == (2, 1, 4)


def test_a_source_whose_first_numbers_change_places_loses_none() -> None:
    arrivals = Arrivals()
    assert [arrivals.is_new(5, number) for number in (7, 4, 5, 4)] == [True, True, True, False]
    assert (arrivals.duplicates, arrivals.missing, arrivals.expected) == (1, 1, 8)


def test_a_number_later_than_the_window_is_given_up_lest_it_be_taken_twice() -> None:
    arrivals = Arrivals()
    arrivals.is_new(5, 0)
    arrivals.is_new(5, WINDOW + 1)
    assert arrivals.is_new(5, 2), "the last one within the window"
    assert not arrivals.is_new(5, 1)
    assert (arrivals.duplicates, arrivals.missing) == (1, WINDOW - 1)
    arrivals.is_new(5, 100 * WINDOW)
    assert not arrivals.is_new(5, 2)


def test_a_source_that_says_nothing_usable_is_not_known_and_displaces_none() -> None:
    arrivals = Arrivals()
    for source in range(1000):
        arrivals.is_new(source, 7)
    for source in range(10_000, 30_000):
        assert arrivals.is_new(source, 10**9)
        arrivals.distrust(source, 10**9)
    assert (arrivals.expected, arrivals.missing) == (8, 0)
    assert not any(arrivals.is_new(source, 7) for source in range(1000))


def test_an_unusable_number_has_come_unless_it_is_absurd() -> None:
    arrivals = Arrivals()
    arrivals.is_new(5, 0)
    arrivals.is_new(5, 2)
    arrivals.distrust(5, 2)
    assert (arrivals.missing, arrivals.is_new(5, 2)) == (1, False)
    assert arrivals.is_new(5, 3 + FARTHEST)
    arrivals.distrust(5, 3 + FARTHEST)
    assert [arrivals.is_new(5, number) for number in (3, 4, 1)] == [True, True, True]
    assert (arrivals.missing, arrivals.expected) == (0, 5)


def test_memory_is_bounded_whatever_comes() -> None:
    arrivals, numbers = Arrivals(), random.Random(1)
    for source in range(3 * MOST_SOURCES):
        for number in (0, numbers.randrange(2**63)):
            arrivals.is_new(source, number)
    for _ in range(3 * WINDOW):
        arrivals.is_new(1, numbers.randrange(10 * WINDOW))
    state = arrivals.state()["next"]
    assert len(state) == MOST_SOURCES
    assert max(len(seen) for _, _, seen, _ in state) <= WINDOW / 4


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20)), max_size=60),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20)), max_size=20),
)
def test_restored_arrivals_judge_like_the_original(before: list[tuple[int, int]], after: list[tuple[int, int]]) -> None:
    arrivals, restored = Arrivals(), Arrivals()
    for arrival in before:
        arrivals.is_new(*arrival)
    restored.restore(json.loads(json.dumps(arrivals.state())))
    assert [arrivals.is_new(*arrival) for arrival in after] == [restored.is_new(*arrival) for arrival in after]
    assert arrivals.state() == restored.state()
    assert arrivals.expected == restored.expected


@given(st.lists(st.integers(0, 50), min_size=1, max_size=80))
def test_each_number_of_a_source_is_new_exactly_once_in_whatever_order(numbers: list[int]) -> None:
    arrivals = Arrivals()
    accepted = [number for number in numbers if arrivals.is_new(1, number)]
    assert accepted == list(dict.fromkeys(numbers))
    assert len(accepted) + arrivals.duplicates == len(numbers)
    assert len(accepted) + arrivals.missing == max(numbers) - min(numbers) + 1
    assert arrivals.expected == max(numbers) + 1
