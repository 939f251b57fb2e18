"""Normalisation statistics are exact, and apply only when told to."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sac_control.algorithms.normaliser import Normaliser


@given(sizes=st.lists(st.integers(1, 30), min_size=2, max_size=8), offset=st.floats(-1e4, 1e4), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_merged_statistics_equal_numpy_on_all_data(sizes: list[int], offset: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    parts = [random.normal(offset, 2.0, (size, 3)).astype(np.float32) for size in sizes]
    normaliser = Normaliser(3)
    for part in parts:
        normaliser.observe(part)
    normaliser.refresh()
    data = np.concatenate(parts).astype(np.float64)
    np.testing.assert_allclose(normaliser.mean, data.mean(0), rtol=1e-6)
    np.testing.assert_allclose(normaliser.std, np.maximum(data.std(0), 1e-2), rtol=1e-5)


def test_observations_take_effect_only_at_a_refresh() -> None:
    normaliser = Normaliser(2)
    normaliser.observe(np.array([[1.0, 5.0], [5.0, 5.0]], np.float32))
    assert (normaliser.mean.tolist(), normaliser.std.tolist()) == ([0.0, 0.0], [1.0, 1.0])
    normaliser.refresh()
    assert normaliser.mean.tolist() == [3.0, 5.0]


def test_a_constant_observation_is_not_blown_up() -> None:
    normaliser = Normaliser(1)
    normaliser.observe(np.full((100, 1), 0.995, np.float32))
    normaliser.refresh()
    assert abs(0.996 - normaliser.mean.item()) / normaliser.std.item() < 1.0


def test_refresh_before_any_observation_changes_nothing() -> None:
    normaliser = Normaliser(2)
    normaliser.refresh()
    assert normaliser.std.tolist() == [1.0, 1.0]


def test_arrays_restore_a_normaliser_and_let_it_go_on() -> None:
    random = np.random.default_rng(0)
    original, restored = Normaliser(2), Normaliser(2)
    original.observe(random.normal(3.0, 2.0, (50, 2)).astype(np.float32))
    original.refresh()
    for name, array in restored.arrays().items():
        array[...] = original.arrays()[name]
    more = random.normal(-1.0, 1.0, (50, 2)).astype(np.float32)
    for each in (original, restored):
        each.observe(more)
        each.refresh()
    assert original.mean.tolist() == restored.mean.tolist()
    assert original.std.tolist() == restored.std.tolist()
