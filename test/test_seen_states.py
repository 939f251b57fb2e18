"""Bounds of the states that a training has seen: right, cheap, and the same where it is resumed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sac_control.training.seen_states import LEAST, MOST, SeenStates


def seen(states: np.ndarray, *is_continuous: bool) -> SeenStates:
    one = SeenStates(is_continuous or (False,) * (states.shape[1] // 2))
    for state in states:
        one.add(state)
    return one


def test_bounds_are_the_quantiles_of_position_and_velocity_of_each_joint() -> None:
    states = np.random.default_rng(0).normal([0.0, 5.0, -2.0, 1.0], [1.0, 2.0, 0.1, 3.0], (4000, 4))
    one = seen(states[:LEAST])
    assert one.bounds is not None
    low, high = np.quantile(np.float32(states[:LEAST]).astype(float), [0.001, 0.999], axis=0)
    assert one.bounds == pytest.approx(np.array([[low[k], high[k], low[k + 1], high[k + 1]] for k in (0, 2)]))
    one = seen(states)
    low, high = np.quantile(states[: one.counted], [0.001, 0.999], axis=0)
    assert one.counted > 0.9 * len(states)
    assert one.bounds == pytest.approx(np.array([[low[k], high[k], low[k + 1], high[k + 1]] for k in (0, 2)]), abs=1e-5)


def test_too_few_states_give_no_bounds_and_states_that_are_not_known_count_for_nothing() -> None:
    one = seen(np.zeros((LEAST - 1, 2)))
    for state in (np.zeros(0), np.zeros(4), np.array([math.nan, 0.0]), np.array([0.0, math.inf])):
        one.add(state)
    assert (one.count, one.bounds) == (LEAST - 1, None)
    one.add(np.zeros(2))
    assert one.bounds is not None


def test_many_states_take_bounded_memory_and_their_bounds_stay_right() -> None:
    count = 10 * MOST
    ramp = np.stack([np.linspace(-1.0, 1.0, count), np.linspace(3.0, 1.0, count)], axis=1)
    one = seen(np.random.default_rng(0).permutation(ramp))
    assert len(one.state()["seen_states.kept"]) <= MOST
    assert one.bounds == pytest.approx(np.array([[-0.998, 0.998, 1.002, 2.998]]), abs=2e-3)


@pytest.mark.parametrize("middle", [0.0, 3.0, math.pi, -math.pi, 40.0])
def test_directions_have_bounds_beside_their_mean_whatever_the_number_of_turns(middle: float) -> None:
    """An arc of 0.8 rad to both sides that is given with any number of whole turns."""
    rng = np.random.default_rng(0)
    beside = rng.uniform(-0.8, 0.8, 5000)
    angles = middle + beside + 2.0 * math.pi * rng.integers(-3, 4, 5000)
    one = seen(np.stack([angles, np.zeros(5000)], axis=1), True)
    assert one.bounds is not None
    low, high = one.bounds[0, :2]
    assert high - low == pytest.approx(1.6, abs=0.02)
    assert math.cos((low + high) / 2.0 - middle) == pytest.approx(1.0, abs=1e-3)


def test_directions_all_around_are_a_whole_turn_even_where_most_states_lie_opposite_to_their_mean() -> None:
    """A swing-up hangs down at its start: bounds beside the mean must not cut out just that."""
    rng = np.random.default_rng(0)
    angles = np.concatenate([rng.normal(math.pi, 0.05, 400), rng.normal(0.0, 0.3, 4000), rng.uniform(-4, 4, 4000)])
    one = seen(np.stack([rng.permutation(angles), np.zeros(8400)], axis=1), True)
    assert one.bounds is not None
    assert one.bounds[0, :2].tolist() == [-math.pi, math.pi]


@pytest.mark.parametrize("cut", [0, LEAST - 1, LEAST, 1234, MOST + 17, 3 * MOST])
def test_states_that_are_saved_and_restored_go_on_to_the_last_bit(cut: int) -> None:
    states = np.random.default_rng(0).normal(size=(3 * MOST + 500, 2))
    whole, first = seen(states, True), seen(states[:cut], True)
    second = SeenStates((True,))
    second.restore({**first.state(), "other": np.zeros(3)})
    for state in states[cut:]:
        second.add(state)
    for name, array in whole.state().items():
        assert array.tobytes() == second.state()[name].tobytes()
