"""Every arrival is counted as new, as a duplicate, or as the end of a gap."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sac_control.sac.arrivals import Arrivals


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


def test_ten_thousand_sources_do_not_fill_the_memory() -> None:
    arrivals = Arrivals()
    for source in range(10_000):
        arrivals.is_new(source, 0)
    assert len(arrivals.state()["next"]) < 100


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20)), max_size=60),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20)), max_size=20),
)
def test_restored_arrivals_judge_like_the_original(before: list[tuple[int, int]], after: list[tuple[int, int]]) -> None:
    arrivals, restored = Arrivals(), Arrivals()
    for arrival in before:
        arrivals.is_new(*arrival)
    restored.restore(arrivals.state())
    assert [arrivals.is_new(*arrival) for arrival in after] == [restored.is_new(*arrival) for arrival in after]
    assert arrivals.state() == restored.state()
    assert arrivals.expected == restored.expected


@given(st.lists(st.integers(0, 50), min_size=1, max_size=80))
def test_each_number_of_a_source_is_new_at_most_once(numbers: list[int]) -> None:
    arrivals = Arrivals()
    accepted = [number for number in numbers if arrivals.is_new(1, number)]
    assert accepted == sorted(set(accepted))
    assert len(accepted) + arrivals.duplicates == len(numbers)
    assert len(accepted) + arrivals.missing == (arrivals.expected or 0) - numbers[0]
