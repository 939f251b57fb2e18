"""Starts of an evaluation: few, spread out, and as many as asked for however many numbers a start is made of."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from sac_control.envs import TASKS
from sac_control.envs.start_points import extreme, stratified


@pytest.mark.parametrize("dimensions", sorted({task.start_dimensions for task in TASKS.values()} | {5}))
@pytest.mark.parametrize("most", [0, 1, 3, 20, 1000])
def test_few_dimensions_have_all_their_corners_in_the_order_that_trainings_have_always_had(
    dimensions: int, most: int
) -> None:
    """The same draws, too: those after them decide the other starts of a training that is to be repeated."""
    ours, before = np.random.default_rng(3), np.random.default_rng(3)
    expected = before.permutation(list(itertools.product((0.0, 1.0), repeat=dimensions)))[:most]
    np.testing.assert_array_equal(extreme(ours, most, dimensions), expected)
    assert ours.bit_generator.state == before.bit_generator.state


@pytest.mark.parametrize("dimensions", [13, 24, 64, 500])
@pytest.mark.parametrize("most", [0, 1, 2, 7, 20])
def test_many_dimensions_have_as_many_different_corners_as_asked_for(dimensions: int, most: int) -> None:
    corners = extreme(np.random.default_rng(3), most, dimensions)
    assert corners.shape == (most, dimensions)
    assert set(np.unique(corners)) <= {0.0, 1.0}
    assert len({tuple(corner) for corner in corners.tolist()}) == most


def test_as_many_as_the_setting_allows_are_different_ones() -> None:
    assert len(np.unique(extreme(np.random.default_rng(3), 1000, 13), axis=0)) == 1000


@pytest.mark.parametrize("seed", range(20))
def test_many_dimensions_are_tried_at_both_ends_by_corners_that_are_far_apart(seed: int) -> None:
    corners = extreme(np.random.default_rng(seed), 20, 24)
    np.testing.assert_array_equal(corners.mean(axis=0), 0.5)
    np.testing.assert_array_equal(corners[0::2], 1.0 - corners[1::2])
    unlike = [int((one != other).sum()) for one, other in itertools.combinations(corners, 2)]
    assert min(unlike) >= 9, "corners drawn at random come as near as 2 of 24 axes"


def test_evaluations_that_follow_each_other_try_different_corners() -> None:
    rng = np.random.default_rng(3)
    first, second = ({tuple(corner) for corner in extreme(rng, 20, 24).tolist()} for _ in range(2))
    assert not first & second


def test_stratified_starts_are_one_in_each_slice_of_each_axis() -> None:
    points = stratified(np.random.default_rng(3), 10, 3)
    assert np.sort((points * 10).astype(int), axis=0).tolist() == [[k] * 3 for k in range(10)]
