"""What the machine withheld is subtracted once, however many processors it was withheld on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from withheld import Withheld, union


def watched(folder: Path, *processors: list[tuple[float, float]]) -> Withheld:
    """As if the watchers had written these, from and until [s], one list per processor."""
    machine = Withheld()
    machine._files = [folder / str(number) for number in range(len(processors))]
    for file, late in zip(machine._files, processors, strict=True):
        file.write_bytes(np.array(late, float).tobytes())
    return machine


def test_a_tick_that_is_late_while_four_processors_stand_still_is_late_all_the_same(tmp_path: Path) -> None:
    """30 ms late, 10 of them withheld on all four: 20 are its own. The sum of the four would leave none."""
    machine = watched(tmp_path, *[[(5.0, 5.010)]] * 4)
    assert machine.given(4.99, 5.02) == pytest.approx(0.020)
    assert machine.given_to_each(4.99, 5.02) == pytest.approx(0.020)


def test_what_is_withheld_on_one_processor_after_another_counts_each_time(tmp_path: Path) -> None:
    machine = watched(tmp_path, [(1.0, 1.2)], [(1.1, 1.3), (1.5, 1.6)], [])
    assert machine.given(0.0, 2.0) == pytest.approx(2.0 - 0.3 - 0.1)
    assert machine.given_to_each(0.0, 2.0) == pytest.approx(2.0 - (0.2 + 0.3) / 3)


def test_what_is_withheld_before_and_after_does_not_count(tmp_path: Path) -> None:
    machine = watched(tmp_path, [(0.0, 1.1), (1.9, 3.0), (4.0, 5.0)])
    assert machine.given(1.0, 2.0) == pytest.approx(0.8)
    assert machine.given(1.2, 1.8) == pytest.approx(0.6)
    assert machine.given(0.2, 0.9) == 0.0


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 10)), max_size=12))
def test_union_counts_every_moment_once(spans: list[tuple[int, int]]) -> None:
    moments = {moment for begin, length in spans for moment in range(begin, begin + length)}
    intervals = np.array([(begin, begin + length) for begin, length in spans], float).reshape(-1, 2)
    assert union(intervals) == len(moments)
