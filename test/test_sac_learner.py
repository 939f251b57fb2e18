"""Every learner reaches solutions known in closed form, repeats itself, and can be put down and resumed."""

from __future__ import annotations

import dataclasses
import math
import sys
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from batches import part, random_batch
from learners import BACKENDS, NEEDS_TORCH, kind_of, layout_of, through, values_of
from sac_control.algorithms.learner import Learner
from sac_control.algorithms.replay_buffer import Batch
from sac_control.algorithms.sac.sac_config import SacConfig
from sac_control.errors import RunError
from sac_control.types import Array, Float32Array


class Make(Protocol):
    def __call__(self, observation_size: int = 3, action_size: int = 1, seed: int = 0, **settings: Any) -> Learner: ...


@pytest.fixture(params=BACKENDS)
def learner(request: pytest.FixtureRequest) -> Make:
    """Makes learners of one kind."""
    kind = kind_of(request.param)

    def make(observation_size: int = 3, action_size: int = 1, seed: int = 0, **settings: Any) -> Learner:
        config = SacConfig.from_mapping({"hidden_sizes": (16, 16), "batch_size": 32} | settings)
        return kind(config, observation_size=observation_size, action_size=action_size, seed=seed)

    return make


def batch(seed: int, action_size: int = 1) -> Batch:
    return random_batch(seed, action_size=action_size)


def same(first: dict[str, Array], second: dict[str, Array]) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


def one_batch(
    observation: Float32Array, action: Float32Array, reward: Float32Array, following: Float32Array, terminated: Array
) -> Batch:
    return Batch(
        observation=observation[None],
        action=action[None],
        reward=reward[None],
        next_observation=following[None],
        terminated=terminated[None],
    )


def test_policy_of_a_one_step_bandit_is_the_boltzmann_distribution_of_its_rewards(learner: Make) -> None:
    """π* ∝ exp(r / α). For r = α log p, with p a squashed Gaussian, the actor can and must become p itself."""
    alpha, mean, std = 0.5, 0.4, 0.5
    sac = learner(
        1, hidden_sizes=(32, 32), batch_size=256, alpha=alpha, learn_alpha=False,
        actor_learning_rate=3e-3, critic_learning_rate=3e-3, normalise_observations=False,
    )  # fmt: skip
    random = np.random.default_rng(0)
    nothing, always = np.zeros((256, 1), np.float32), np.ones(256, np.bool_)
    for _ in range(1200):
        u = 1.3 * random.standard_normal(256)
        action = np.tanh(u)
        log_p = -0.5 * ((u - mean) / std) ** 2 - math.log(std * math.sqrt(2.0 * math.pi)) - np.log1p(-(action**2))
        reward = alpha * np.maximum(log_p, -8.0)
        sac.update(one_batch(nothing, action[:, None].astype(np.float32), reward.astype(np.float32), nothing, always))
    (found_mean, found_log_std) = through(layout_of(sac).views(sac.state()["actor.parameters"]), nothing[:1])[0]
    assert found_mean == pytest.approx(mean, abs=0.06)
    assert math.exp(found_log_std) == pytest.approx(std, rel=0.12)


def test_truncation_does_not_end_the_future_and_termination_does(learner: Make) -> None:
    """stable-baselines3 #284, CleanRL #198, haarnoja/sac #30: a time limit treated as an end.

    Reward is 1 per step. State 0 goes on for ever, cut into episodes only by truncation: V = 1 / (1 - γ) = 5.
    States 1, 2, 3 follow each other, then the chain terminates: V = 1 + γ + γ², 1 + γ, 1.
    """
    gamma = 0.8
    sac = learner(
        4, hidden_sizes=(32,), batch_size=64, gamma=gamma, tau=0.1, alpha=1e-6, learn_alpha=False,
        critic_learning_rate=3e-3, normalise_observations=False,
    )  # fmt: skip
    state, following = np.eye(4, dtype=np.float32), np.eye(4, dtype=np.float32)[[0, 2, 3, 0]]
    rng, ones = np.random.default_rng(0), np.ones(64, np.float32)
    for _ in range(800):
        row, action = rng.integers(4, size=64), rng.uniform(-1.0, 1.0, (64, 1)).astype(np.float32)
        # Truncation is not in a batch at all: it changes no target.
        sac.update(one_batch(state[row], action, ones, following[row], row == 3))
    values = values_of(sac, state, np.zeros((4, 1), np.float32)).mean(0).tolist()
    assert values == pytest.approx([1 / (1 - gamma), 1 + gamma + gamma**2, 1 + gamma, 1.0], rel=0.04)


@pytest.mark.parametrize("action_size", [1, 2, 6])
def test_target_entropy_is_per_dimension_times_dimensions(action_size: int, learner: Make) -> None:
    """ml-agents PR #5372, TorchRL PR #3291: the dimensions were ignored or squared."""
    sac = learner(3, action_size, target_entropy=-0.5)
    assert sac.state()["target_entropy"] == -0.5 * action_size


@pytest.mark.parametrize("action_size", [1, 3])
def test_same_seed_and_batches_give_the_same_numbers(action_size: int, learner: Make) -> None:
    first, second, other = (learner(3, action_size, seed=seed) for seed in (5, 5, 6))
    for number in range(5):
        for each in (first, second, other):
            each.update(batch(number, action_size=action_size))
    assert same(first.state(), second.state())
    assert not np.array_equal(first.state()["actor.parameters"], other.state()["actor.parameters"])


def test_updates_depend_on_no_global_random_state(learner: Make) -> None:
    first, second = learner(), learner()
    for seed, each in enumerate((first, second)):
        np.random.seed(seed)  # noqa: NPY002 - the point of the test
        if "torch" in sys.modules:
            sys.modules["torch"].manual_seed(seed)
        each.update(batch(0))
    assert same(first.state(), second.state())


def test_a_learner_restored_from_a_file_continues_bit_identically(tmp_path: Path, learner: Make) -> None:
    original, resumed = learner(seed=1), learner(seed=2)
    for number in range(4):
        original.observe(batch(number).observation[0])
        original.refresh_normalisation()
        original.update(batch(number))
    save_file(original.state(), tmp_path / "learner.safetensors")
    resumed.restore(load_file(tmp_path / "learner.safetensors"))
    resumed.generator.bit_generator.state = original.generator.bit_generator.state
    assert same(original.state(), resumed.state())
    for number in range(4, 8):
        original.update(batch(number))
        resumed.update(batch(number))
    assert same(original.state(), resumed.state())


def test_a_saved_state_and_actor_parameters_do_not_follow_later_updates(learner: Make) -> None:
    sac = learner()
    state, arrays = sac.state(), sac.actor_parameters()
    before, layer = {name: array.copy() for name, array in state.items()}, arrays.layers[0][0].copy()
    sac.update(batch(0))
    assert same(state, before)
    assert np.array_equal(arrays.layers[0][0], layer)
    assert not np.array_equal(sac.state()["actor.parameters"], state["actor.parameters"])


def test_a_state_of_other_sizes_is_refused_and_changes_nothing(learner: Make) -> None:
    sac = learner()
    before = sac.state()
    with pytest.raises(RunError, match=r"actor.parameters.*resume with"):
        sac.restore(learner(4).state())
    with pytest.raises(RunError, match=r"lacks 'targets\.parameters'"):
        sac.restore({name: tensor for name, tensor in before.items() if name != "targets.parameters"})
    assert same(before, sac.state())


def test_targets_follow_the_critics_by_tau_and_by_nothing_else(learner: Make) -> None:
    sac = learner(tau=0.25)
    before = sac.state()["targets.parameters"]
    sac.update(batch(0))
    assert_follows(sac, before, 0.25)


def assert_follows(sac: Learner, before: Array, tau: float) -> None:
    critics, targets = (sac.state()[f"{name}.parameters"] for name in ("critics", "targets"))
    assert not np.array_equal(targets, before)
    np.testing.assert_allclose(targets, before + tau * (critics - before), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("damage", [math.nan, math.inf, 1e25])  # the square of the last is infinite: in Adam's moment
def test_divergence_is_noticed_and_a_restored_state_is_sound_again(learner: Make, damage: float) -> None:
    sac = learner()
    sac.update(batch(0))
    sound = sac.state()
    assert sac.is_finite()
    sac.update(dataclasses.replace(batch(1), reward=np.full((1, 32), damage, np.float32)))
    assert not sac.is_finite()
    sac.restore(sound)
    sac.update(batch(2))
    assert sac.is_finite()


def test_what_follows_a_termination_may_be_anything(learner: Make) -> None:
    sac, other = learner(), learner()
    broken = batch(0)
    broken.next_observation[broken.terminated] = math.nan
    assert broken.terminated.any()
    sac.update(broken)
    assert sac.is_finite()
    other.update(dataclasses.replace(broken, next_observation=np.nan_to_num(broken.next_observation)))
    assert same(sac.state(), other.state())


def test_values_can_be_started_anywhere_before_the_first_update(learner: Make) -> None:
    sac, some = learner(), batch(0)
    before = values_of(sac, some.observation[0], some.action[0])
    sac.start_values_at(100.0)
    after = values_of(sac, some.observation[0], some.action[0])
    np.testing.assert_allclose(after, before + 100.0, rtol=1e-5)
    assert np.array_equal(sac.state()["critics.parameters"], sac.state()["targets.parameters"])


@pytest.mark.parametrize("backend", [*BACKENDS, pytest.param("sac_v1", marks=NEEDS_TORCH)])
def test_scaled_rewards_are_learnt_from_as_if_they_had_come_so(backend: str) -> None:
    scaled, same_start = (
        kind_of(backend)(SacConfig(hidden_sizes=(8,), batch_size=32, reward_scale=scale), observation_size=3,
                         action_size=1, seed=3)
        for scale in (0.5, 1.0)
    )  # fmt: skip
    scaled.start_values_at(40.0)
    same_start.start_values_at(20.0)
    for number in range(3):
        scaled.update(batch(number))
        same_start.update(dataclasses.replace(batch(number), reward=np.float32(0.5) * batch(number).reward))
    assert same(scaled.state(), same_start.state())


def test_a_temperature_that_is_not_learnt_stays(learner: Make) -> None:
    sac = learner(learn_alpha=False, alpha=0.3)
    sac.update(batch(0))
    assert sac.metrics()["alpha"] == pytest.approx(0.3)
    assert "alpha_loss" not in sac.metrics()
    assert sac.state()["log_alpha.parameters"].item() == pytest.approx(math.log(0.3))


def test_metrics_are_empty_before_the_first_update_and_plain_numbers_after(learner: Make) -> None:
    sac = learner()
    assert sac.metrics() == {}
    sac.update(batch(0))
    assert set(sac.metrics()) == {"alpha", "alpha_loss", "critic_loss", "q", "actor_loss", "entropy"}
    assert all(type(value) is float and math.isfinite(value) for value in sac.metrics().values())


def test_switched_off_normalisation_leaves_observations_alone(learner: Make) -> None:
    sac = learner(normalise_observations=False)
    sac.observe(batch(0).observation[0] + 7.0)
    sac.refresh_normalisation()
    assert sac.normaliser.mean.tolist() == [0.0, 0.0, 0.0]


def test_k_batches_in_one_call_equal_k_calls(learner: Make) -> None:
    at_once, apart = learner(seed=1), learner(seed=1)
    many = random_batch(0, batches=5)
    at_once.update(many)
    for i in range(5):
        apart.update(part(many, slice(i, i + 1)))
    assert same(at_once.state(), apart.state())
    assert at_once.metrics() == apart.metrics()


def test_actor_and_temperature_step_at_every_nth_update_only(learner: Make) -> None:
    sac = learner(policy_delay=3)
    changed = []
    for number in range(6):
        before = sac.state()
        sac.update(batch(number))
        after = sac.state()
        changed.append(
            [not np.array_equal(before[f"{name}.parameters"], after[f"{name}.parameters"])
             for name in ("actor", "log_alpha", "critics", "targets")]
        )  # fmt: skip
    others = [False, False, True, True]
    assert changed == [others, others, [True] * 4, others, others, [True] * 4]


def test_targets_move_at_every_nth_update_only(learner: Make) -> None:
    sac = learner(target_update_interval=2, tau=0.25)
    start = sac.state()["targets.parameters"]
    sac.update(batch(0))
    assert np.array_equal(sac.state()["targets.parameters"], start)
    sac.update(batch(1))
    assert_follows(sac, start, 0.25)


def test_turns_are_counted_on_from_a_restored_state(learner: Make) -> None:
    original, resumed = learner(policy_delay=3, seed=1), learner(policy_delay=3, seed=1)
    original.update(random_batch(0, batches=2))
    resumed.restore(original.state())
    before = resumed.state()["actor.parameters"]
    resumed.update(batch(1))
    assert not np.array_equal(resumed.state()["actor.parameters"], before)


def test_gradients_of_an_update_are_clipped_together_for_both_critics(learner: Make) -> None:
    """Adam's first moment after one step is a tenth of the gradient."""
    sac, free = learner(max_gradient_norm=0.01), learner()
    for each in (sac, free):
        each.update(batch(0))
    for name in ("actor", "critics"):
        clipped, whole = (10.0 * each.state()[f"{name}.first_moment"] for each in (sac, free))
        norm = np.linalg.norm(whole)
        assert norm > 0.01
        np.testing.assert_allclose(clipped, whole * (0.01 / (norm + 1e-6)), rtol=1e-3, atol=1e-7)
    name = "log_alpha.first_moment"  # not of a network: never clipped
    assert np.array_equal(sac.state()[name], free.state()[name])


def test_one_update_uses_one_batch_for_temperature_critics_and_actor(learner: Make) -> None:
    """skrl PR #208: losses of one update were computed on different batches.

    An update whose batch is one row, repeated, leaves the same numbers as that row alone with the same noise.
    """
    one, many = learner(seed=1, batch_size=1), learner(seed=1, batch_size=4)
    row = part(random_batch(0, rows=1), slice(0, 1))
    noise = one.draw_noise(1, 1)
    repeated = Batch(**{f.name: np.repeat(getattr(row, f.name), 4, axis=1) for f in dataclasses.fields(Batch)})
    one.draw_noise = lambda *_: noise  # type: ignore[method-assign]
    many.draw_noise = lambda *_: np.repeat(noise, 4, axis=2)  # type: ignore[method-assign]
    one.update(row)
    many.update(repeated)
    for name, array in one.state().items():
        np.testing.assert_allclose(many.state()[name], array, rtol=1e-4, atol=1e-6, err_msg=name)


def test_noise_of_updates_is_standard_normal_and_related_to_no_other(learner: Make) -> None:
    sac = learner(2, 2)
    first, second = sac.draw_noise(3, 2000), sac.draw_noise(3, 2000)
    assert first.shape == (3, 2, 2000, 2)
    for one, other in ((first[:, 0], first[:, 1]), (first[0], first[1]), (first, second)):
        assert abs(np.corrcoef(one.reshape(-1), other.reshape(-1))[0, 1]) < 0.05
    for values in (first, second):
        assert abs(values.mean()) < 0.03
        assert values.std() == pytest.approx(1.0, abs=0.02)
