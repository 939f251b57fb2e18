"""The compiled updates make the same numbers as those by autograd, from the same seed on."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch

from batches import part, random_batch
from sac_control.sac.learner import LOG_STD_BOUNDS, Learner
from sac_control.sac.native_learner import NativeLearner
from sac_control.sac.reference.sac_v1 import SoftActorCriticV1
from sac_control.sac.reference.soft_actor_critic import SoftActorCritic
from sac_control.sac.sac_config import SacConfig

SHAPES = [
    ((64, 64), 128, 5, 1),
    ((32, 16, 8), 64, 7, 3),
    ((16,), 32, 3, 2),
    ((33, 17), 19, 5, 1),
    ((256, 256), 256, 5, 1),
]
SMALL = ((8,), 16, 4, 1)
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
Shape = tuple[tuple[int, ...], int, int, int]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def pair(shape: Shape, **options: Any) -> tuple[SoftActorCritic, NativeLearner]:
    """Two learners from the same seed, which have seen the same observations."""
    hidden_sizes, rows, o, a = shape
    config = SacConfig(hidden_sizes=hidden_sizes, batch_size=rows, **options)
    reference = SoftActorCritic(config, observation_size=o, action_size=a, seed=3)
    native = NativeLearner(config, observation_size=o, action_size=a, seed=3)
    statistics = np.random.default_rng(5).normal(1.0, 3.0, (100, o)).astype(np.float32)
    for each in (reference, native):
        each.observe(statistics)
        each.refresh_normalisation()
    return reference, native


def assert_equal(reference: Learner, native: Learner, tolerance: float) -> None:
    expected, found = reference.state(), native.state()
    assert expected.keys() == found.keys()
    for name, array in expected.items():
        assert found[name].shape == array.shape
        np.testing.assert_allclose(found[name], array, rtol=tolerance, atol=tolerance, err_msg=name)


def run(shape: Shape, updates: int, **options: Any) -> tuple[SoftActorCritic, NativeLearner]:
    """Both after the same updates."""
    _, rows, o, a = shape
    reference, native = pair(shape, **options)
    for number in range(updates):
        for each in (reference, native):
            each.update(random_batch(number, rows, o, a))
    return reference, native


@pytest.mark.parametrize("shape", SHAPES)
def test_same_seed_gives_the_same_start_and_the_same_noise(shape: Shape) -> None:
    reference, native = pair(shape)
    assert_equal(reference, native, 0.0)
    np.testing.assert_array_equal(reference.draw_noise(2, 5), native.draw_noise(2, 5))


@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_of_one_update_equal_those_by_autograd(shape: Shape) -> None:
    """Adam's first moment after one step is a tenth of the gradient."""
    reference, native = run(shape, 1)
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
    reference, native = run(((16, 8), 32, 5, 2), 13, **options)
    assert_equal(reference, native, 2e-4)
    assert reference.metrics().keys() == native.metrics().keys()


@pytest.mark.parametrize("algorithm", [SoftActorCritic, SoftActorCriticV1, NativeLearner])
def test_scaled_rewards_are_learnt_from_as_if_they_had_come_so(algorithm: type[Learner]) -> None:
    scaled, same = (
        algorithm(SacConfig(hidden_sizes=(8,), batch_size=16, reward_scale=scale), observation_size=4, action_size=1,
                  seed=3)
        for scale in (0.5, 1.0)
    )  # fmt: skip
    scaled.start_values_at(40.0)
    same.start_values_at(20.0)
    for number in range(3):
        batch = random_batch(number, 16, 4, 1)
        scaled.update(batch)
        same.update(dataclasses.replace(batch, reward=np.float32(0.5) * batch.reward))
    assert_equal(same, scaled, 0.0)


def test_a_fixed_temperature_stays() -> None:
    _, native = run(SMALL, 3, learn_alpha=False, alpha=0.37)
    assert native.metrics()["alpha"] == pytest.approx(0.37)
    assert math.exp(native.state()["log_alpha.parameters"].item()) == pytest.approx(0.37)


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
    bias = reference.actor_layout.views(state["actor.parameters"])[-1]
    bias[2:] = LOG_STD_BOUNDS[1] + 5.0, LOG_STD_BOUNDS[0] - 5.0
    for each in (reference, native):
        each.restore(state)
        each.update(random_batch(0, 16, 4, 2))
    assert_equal(reference, native, 1e-5)
    after = native.actor_layout.views(native.state()["actor.parameters"])[-1]
    assert after[2:].tolist() == bias[2:].tolist()
    assert after[:2].tolist() != bias[:2].tolist()


def test_what_follows_a_termination_may_be_anything() -> None:
    _, native = pair(SMALL)
    broken = random_batch(0, 16, 4, 1)
    broken.next_observation[broken.terminated] = math.nan
    assert broken.terminated.any()
    native.update(broken)
    assert native.is_finite()
    whole = dataclasses.replace(broken, next_observation=np.nan_to_num(broken.next_observation))
    _, other = pair(SMALL)
    other.update(whole)
    assert_equal(other, native, 0.0)


@pytest.mark.parametrize("damage", [math.nan, math.inf, 1e25])  # the square of the last is infinite: in Adam's moment
def test_divergence_is_noticed_and_a_restored_state_is_sound_again(damage: float) -> None:
    _, native = run(SMALL, 1)
    sound = native.state()
    assert native.is_finite()
    native.update(dataclasses.replace(random_batch(1, 16, 4, 1), reward=np.full((1, 16), damage, np.float32)))
    assert not native.is_finite()
    native.restore(sound)
    native.update(random_batch(2, 16, 4, 1))
    assert native.is_finite()


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


@pytest.mark.parametrize("options", [{}, {"policy_delay": 2, "target_update_interval": 3}, {"threads": 2}], ids=str)
def test_k_batches_in_one_call_equal_k_calls_to_the_last_bit(options: dict[str, Any]) -> None:
    (_, at_once), (_, apart) = pair(SMALL, **options), pair(SMALL, **options)
    many = random_batch(0, 16, 4, 1, batches=7)
    at_once.update(many)
    for i in range(7):
        apart.update(part(many, slice(i, i + 1)))
    assert_equal(at_once, apart, 0.0)
    assert at_once.metrics() == apart.metrics()


def test_two_threads_make_the_numbers_of_one() -> None:
    _, one = run(((32, 32), 64, 5, 1), 20, threads=1)
    _, two = run(((32, 32), 64, 5, 1), 20, threads=2)
    assert_equal(one, two, 0.0)


def test_same_seed_and_batches_give_the_same_numbers_twice() -> None:
    (_, first), (_, second) = run(SMALL, 20), run(SMALL, 20)
    assert_equal(first, second, 0.0)


def test_a_saved_state_does_not_follow_later_updates() -> None:
    _, native = run(SMALL, 1)
    state = native.state()
    before = {name: array.copy() for name, array in state.items()}
    actor = native.actor_parameters()
    weight = actor.layers[0][0].copy()
    native.update(random_batch(1, 16, 4, 1))
    assert all(np.array_equal(state[name], before[name]) for name in state)
    np.testing.assert_array_equal(actor.layers[0][0], weight)
    assert not np.array_equal(native.state()["actor.parameters"], state["actor.parameters"])


def test_values_start_where_they_do_by_autograd() -> None:
    reference, native = pair(SMALL)
    for each in (reference, native):
        each.start_values_at(66.0)
    assert_equal(reference, native, 0.0)
    for each in (reference, native):
        each.update(random_batch(0, 16, 4, 1))
    assert_equal(reference, native, 1e-4)
    assert native.metrics()["q"] == pytest.approx(66.0, abs=3.0)


def test_metrics_are_empty_before_the_first_update_and_plain_numbers_after() -> None:
    _, native = pair(SMALL)
    assert native.metrics() == {}
    native.update(random_batch(0, 16, 4, 1))
    assert set(native.metrics()) == {"alpha", "alpha_loss", "critic_loss", "q", "actor_loss", "entropy"}
    assert all(type(value) is float and math.isfinite(value) for value in native.metrics().values())


def test_arrays_that_lie_otherwise_in_memory_are_understood() -> None:
    shape = ((8,), 16, 4, 2)
    (_, first), (_, second) = pair(shape), pair(shape)
    batch = random_batch(0, 16, 4, 2)
    first.update(batch)
    names = ("observation", "action", "next_observation")
    second.update(dataclasses.replace(batch, **{name: np.asfortranarray(getattr(batch, name)) for name in names}))
    assert_equal(first, second, 0.0)


def test_another_batch_size_than_the_configured_one_is_an_error() -> None:
    _, native = pair(SMALL)
    with pytest.raises(ValueError, match=r"15.*16"):
        native.update(random_batch(0, 15, 4, 1))
