"""The compiled updates make the same numbers as those by autograd, from the same seed on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from batches import random_batch
from learners import SMALL, Shape, assert_equal, layout_of, prepared, trained
from sac_control.algorithms.learner import LOG_STD_BOUNDS, Learner

pytestmark = pytest.mark.needs("torch")

CHECKPOINT = Path(__file__).parent / "data" / "run_format_1" / "checkpoints" / "851" / "learner.safetensors"
SHAPES = [
    ((64, 64), 128, 5, 1),
    ((32, 16, 8), 64, 7, 3),
    ((16,), 32, 3, 2),
    ((33, 17), 19, 5, 1),
    ((256, 256), 256, 5, 1),
]
OPTIONS: list[dict[str, Any]] = [
    {"learn_alpha": False, "alpha": 0.37},
    {"policy_delay": 3},
    {"target_update_interval": 4},
    {"policy_delay": 2, "target_update_interval": 3},
    {"max_gradient_norm": 0.05},
    {"gamma": 1.0, "tau": 1.0},
    {"threads": 2},
    {"reward_scale": 0.1},
]


def pair(shape: Shape, **options: Any) -> tuple[Learner, Learner]:
    """Two learners from the same seed, which have seen the same observations."""
    return prepared("torch", shape, **options), prepared("native", shape, **options)


@pytest.mark.parametrize("shape", SHAPES)
def test_same_seed_gives_the_same_start_and_the_same_noise(shape: Shape) -> None:
    reference, native = pair(shape)
    assert_equal(reference, native, 0.0)
    np.testing.assert_array_equal(reference.draw_noise(2, 5), native.draw_noise(2, 5))


@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_of_one_update_equal_those_by_autograd(shape: Shape) -> None:
    """Adam's first moment after one step is a tenth of the gradient."""
    reference, native = trained("torch", shape), trained("native", shape)
    expected, found = reference.state(), native.state()
    for name in ("actor", "critics", "log_alpha"):
        gradient = 10.0 * expected[f"{name}.first_moment"]
        assert np.abs(gradient).max() > 0.0
        np.testing.assert_allclose(
            10.0 * found[f"{name}.first_moment"], gradient, rtol=1e-4, atol=2e-6 * max(1.0, np.abs(gradient).max())
        )


@pytest.mark.parametrize("shape", SHAPES)
def test_fifty_updates_equal_those_by_autograd(shape: Shape) -> None:
    _, rows, o, a = shape
    reference, native = pair(shape)
    start = reference.state()
    for number in range(50):
        for each in (reference, native):
            each.update(random_batch(number, rows, o, a))
        expected, found = reference.metrics(), native.metrics()
        assert expected.keys() == found.keys()
        for name, value in found.items():
            assert value == pytest.approx(expected[name], rel=1e-3, abs=1e-3), name
    # Where one row of one batch wakes a hidden unit in one learner and just not in the other, Adam takes a whole step
    # for all weights of that unit, and the layers before it feel that. Both have come the same way all the same.
    expected_state, found_state = reference.state(), native.state()
    for name in ("actor.parameters", "critics.parameters", "targets.parameters", "log_alpha.parameters"):
        way = np.abs(expected_state[name] - start[name]).mean()
        assert np.abs(found_state[name] - expected_state[name]).mean() < 0.01 * way, name


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_every_option_does_what_it_does_by_autograd(options: dict[str, Any]) -> None:
    reference, native = (trained(each, ((16, 8), 32, 5, 2), 13, **options) for each in ("torch", "native"))
    assert_equal(reference, native, 2e-4)
    assert reference.metrics().keys() == native.metrics().keys()


def test_a_scale_of_the_learning_rates_does_what_it_does_by_autograd() -> None:
    reference, native = pair(SMALL)
    for number in range(6):
        for each in (reference, native):
            each.learning_rate_scale[...] = 1.0 / (1 + number)
            each.update(random_batch(number, 16, 4, 1))
    assert_equal(reference, native, 1e-4)


def test_a_clamped_deviation_gets_no_gradient() -> None:
    shape = ((8,), 16, 4, 2)
    reference, native = pair(shape)
    state = reference.state()
    bias = layout_of(reference).views(state["actor.parameters"])[-1]
    bias[2:] = LOG_STD_BOUNDS[1] + 5.0, LOG_STD_BOUNDS[0] - 5.0
    for each in (reference, native):
        each.restore(state)
        each.update(random_batch(0, 16, 4, 2))
    assert_equal(reference, native, 1e-5)
    after = layout_of(native).views(native.state()["actor.parameters"])[-1]
    assert after[2:].tolist() == bias[2:].tolist()
    assert after[:2].tolist() != bias[:2].tolist()


@pytest.mark.parametrize("options", [{}, {"policy_delay": 3, "target_update_interval": 2}], ids=str)
def test_each_goes_on_from_the_state_of_the_other(options: dict[str, Any]) -> None:
    reference, native = pair(SMALL, **options)
    for number in range(5):
        reference.update(random_batch(number, 16, 4, 1))
    native.restore(reference.state())
    native.generator.bit_generator.state = reference.generator.bit_generator.state
    assert_equal(reference, native, 0.0)
    for number in range(5, 10):
        for each in (reference, native):
            each.update(random_batch(number, 16, 4, 1))
    assert_equal(reference, native, 1e-4)
    reference.restore(native.state())
    assert_equal(native, reference, 0.0)


@pytest.mark.parametrize("backend", ["torch", "native"])
def test_a_state_that_an_earlier_version_saved_is_taken_over_to_the_last_bit(backend: str) -> None:
    saved = load_file(CHECKPOINT)
    learner = prepared(backend, ((64, 64), 128, 5, 1))
    learner.restore(saved)
    for name, array in learner.state().items():
        np.testing.assert_array_equal(array, saved[name], err_msg=name)


def test_values_start_where_they_do_by_autograd() -> None:
    reference, native = pair(SMALL)
    for each in (reference, native):
        each.start_values_at(66.0)
    assert_equal(reference, native, 0.0)
    for each in (reference, native):
        each.update(random_batch(0, 16, 4, 1))
    assert_equal(reference, native, 1e-4)
    assert native.metrics()["q"] == pytest.approx(66.0, abs=3.0)
