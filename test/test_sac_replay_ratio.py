"""The replay ratio is kept to the update, whatever it is and whenever it changes."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from sac_control.algorithms.replay_ratio import ReplayRatio

RATIOS = st.sampled_from([0.01, 0.1, 0.29, 1 / 3, 1.0, 1.5, 4.0, 7.3, 20.0])


def test_updates_are_owed_after_the_warm_up_and_less_those_made() -> None:
    ratio = ReplayRatio(2.5, warmup=10)
    assert [ratio.owed(n, 0) for n in (0, 10, 11, 12, 14)] == [0, 0, 2, 5, 10]
    assert ratio.owed(14, 7) == 3
    assert ratio.owed(12, 7) == 0


@given(ratio=RATIOS, warmup=st.integers(0, 50), updates=st.integers(0, 500))
def test_the_next_update_is_owed_at_first_owing_and_not_before(ratio: float, warmup: int, updates: int) -> None:
    line = ReplayRatio(ratio, warmup)
    first = line.first_owing(updates)
    assert line.owed(first, updates) >= 1
    assert line.owed(first - 1, updates) == 0


@given(before=RATIOS, after=RATIOS, change_at=st.integers(0, 200), later=st.integers(0, 200))
def test_a_change_forgives_nothing_and_charges_nothing_twice(
    before: float, after: float, change_at: int, later: int
) -> None:
    line, unchanged = ReplayRatio(before, 20), ReplayRatio(before, 20)
    line.change(after, change_at)
    assert line.owed(change_at, 0) == unchanged.owed(change_at, 0)
    grown = line.owed(change_at + later, 0) - line.owed(change_at, 0)
    counted = later if change_at >= 20 else max(0, change_at + later - 20)
    assert abs(grown - after * counted) < 1.0 + 1e-3 * counted


def test_it_goes_on_from_its_state() -> None:
    line, restored = ReplayRatio(1 / 3, 20), ReplayRatio(1.0, 0)
    line.change(2.0, 77)
    restored.restore(json.loads(json.dumps(line.state())))
    assert [line.owed(n, 5) for n in range(70, 200)] == [restored.owed(n, 5) for n in range(70, 200)]
