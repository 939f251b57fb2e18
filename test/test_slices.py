"""Updates are cut by the time that they take, and grouped by their number alone."""

from __future__ import annotations

import pytest

from sac_control.training.slices import LONGEST, MOST_UPDATES, Slices


class Updates:
    """Updates that take a known time each, and the clock that shows it."""

    def __init__(self, seconds: float) -> None:
        self.now, self.seconds, self.counts = 0.0, seconds, list[int]()

    def clock(self) -> float:
        return self.now

    def make(self, count: int) -> None:
        self.counts.append(count)
        self.now += count * self.seconds


def made(seconds: float, owed: int) -> tuple[list[int], list[int]]:
    """The slices in which updates of `seconds` each are made, and the numbers of updates behind which a group ends."""
    updates, ends = Updates(seconds), list[int]()
    slices = Slices(updates.clock)
    while sum(updates.counts) < owed:
        slices.make(owed - sum(updates.counts), updates.make)
        if slices.is_whole_group:
            ends.append(sum(updates.counts))
    return updates.counts, ends


@pytest.mark.parametrize("seconds", [0.0, 1e-6, 1e-4, 1e-3, 9e-3, 0.15])
def test_a_slice_is_no_longer_than_it_shall_be_unless_a_single_update_is(seconds: float) -> None:
    counts, _ = made(seconds, 200)
    assert sum(counts) == 200
    assert max(counts) * seconds <= max(LONGEST, seconds) + 1e-12
    assert counts[0] == 1, "how long an update takes is not known before the first"


def test_fast_updates_are_made_sixteen_at_a_time() -> None:
    counts, _ = made(1e-4, 17 * MOST_UPDATES)
    assert counts[2:] == [MOST_UPDATES] * 16


def test_an_update_that_was_held_up_once_shortens_one_slice_alone() -> None:
    updates = Updates(1e-4)
    slices = Slices(updates.clock)
    for seconds in (1e-4, 0.3, 1e-4, 1e-4, 1e-4):
        updates.seconds = seconds
        slices.make(1000, updates.make)
    assert updates.counts == [1, 15, 1, 15, 16]


@pytest.mark.parametrize("seconds", [0.0, 1e-3, 2e-3, 0.15])
@pytest.mark.parametrize("owed", [1, 8, 16, 40, 200])
def test_groups_end_behind_the_same_updates_however_long_these_take(seconds: float, owed: int) -> None:
    _, ends = made(seconds, owed)
    assert ends == [*range(MOST_UPDATES, owed, MOST_UPDATES), owed]
