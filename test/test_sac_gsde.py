"""Exploration by a random matrix over the features: the actions that a policy explores are those of the losses."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch

from batches import random_batch
from sac_control.algorithms.layout import INITIAL_STD
from sac_control.algorithms.sac.readable.soft_actor_critic import SoftActorCritic
from sac_control.algorithms.sac.readable.state_dependent_actor import StateDependentActor
from sac_control.algorithms.sac.sac_config import SacConfig
from sac_control.algorithms.sac_v1.soft_actor_critic_v1 import SoftActorCriticV1
from sac_control.policy.policy import Policy
from sac_control.training.learner_config import learner_config
from sac_control.types import ActorParameters, Float32Array

N, A = 3, 2  # sizes of observation and action


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def learner(seed: int = 0, **settings: Any) -> SoftActorCritic:
    values: dict[str, Any] = {"hidden_sizes": (16, 16), "use_sde": True}
    return SoftActorCritic(SacConfig(**(values | settings)), observation_size=N, action_size=A, seed=seed)


def trained(**settings: Any) -> SoftActorCritic:
    """A learner whose deviations are of all sizes."""
    sac = learner(sde_at_warmup=True, **settings)
    sac.observe(random_batch(9, observation_size=N).observation[0] * 2.0 + 1.0)
    sac.refresh_normalisation()
    log_sigma = log_sigma_of(sac)
    with torch.no_grad():
        log_sigma += torch.randn(log_sigma.shape, generator=torch.Generator().manual_seed(1))
    return sac


def log_sigma_of(sac: SoftActorCritic) -> torch.Tensor:
    """Where the last layer has the logarithms of σ, (f, a)."""
    *_, weight, _ = sac.actor.network.parameters()
    return weight[A:].t()


def distribution(sac: SoftActorCritic, observation: Float32Array) -> tuple[Float32Array, Float32Array]:
    """Mean and standard deviation before the squashing, (a,) each."""
    normalised = (observation - sac.normaliser.mean) / sac.normaliser.std
    mean, log_std = sac.actor(torch.from_numpy(normalised[None]))
    return mean.detach().numpy()[0], log_std.detach().exp().numpy()[0]


def observations(count: int, seed: int = 0) -> Float32Array:
    return np.random.default_rng(seed).normal(1.0, 2.0, (count, N)).astype(np.float32)


def test_deviation_is_that_of_the_features_through_a_random_matrix() -> None:
    sac = trained()
    x = torch.from_numpy(observations(5))
    assert isinstance(sac.actor, StateDependentActor)
    features, sigma = sac.actor.features(x).tolist(), log_sigma_of(sac).exp().T.tolist()
    expected = [
        [math.sqrt(sum((z * s) ** 2 for z, s in zip(row, column, strict=True))) for column in sigma] for row in features
    ]
    torch.testing.assert_close(sac.actor(x)[1].exp(), torch.tensor(expected), rtol=1e-4, atol=1e-3)


def test_density_of_the_actions_integrates_to_one_over_their_range() -> None:
    """For one state: exp(log_prob) over the actions in [-1, 1] of each dimension, with the other at its mean."""
    sac = trained()
    x = torch.from_numpy(observations(1))
    mean, log_std = (tensor.detach() for tensor in sac.actor(x))
    u = torch.linspace(-9.0, 9.0, 20_001)
    for i in range(A):
        noise = torch.zeros(len(u), A)
        noise[:, i] = (u - mean[0, i]) / log_std[0, i].exp()
        action, log_prob = sac.actor.sample(x.expand(len(u), N), noise)
        other = 1 - i
        density_of_other = -0.5 * math.log(2 * math.pi) - log_std[0, other] - torch.log(1 - mean[0, other].tanh() ** 2)
        density = (log_prob - density_of_other).exp().double().detach()
        assert torch.trapezoid(density, action[:, i].double().detach()).item() == pytest.approx(1.0, abs=2e-3)


def test_explored_actions_over_many_matrices_have_the_deviation_of_the_losses() -> None:
    sac = trained(sde_sample_interval=1)
    policy, rng = Policy(sac.actor_parameters()), np.random.default_rng(0)
    for observation in observations(3):
        mean, std = distribution(sac, observation)
        u = np.arctanh(np.stack([policy.act(observation, rng) for _ in range(20_000)]).astype(np.float64))
        whole = np.isfinite(u).all(1)  # a saturated action has no way back
        assert whole.mean() > 0.95
        median = np.median(np.where(np.isfinite(u), u, np.sign(u) * 20.0), 0)
        spread = [np.subtract(*np.quantile(np.clip(column, -20, 20), [0.8413, 0.1587])) / 2 for column in u.T]
        np.testing.assert_allclose(median, mean, atol=0.05 * std.max())
        np.testing.assert_allclose(spread, std, rtol=0.04)


def test_exploration_is_a_function_of_the_state_while_a_matrix_is_kept() -> None:
    policy, rng = Policy(trained(sde_sample_interval=5).actor_parameters()), np.random.default_rng(0)
    same, other = observations(2)
    actions = [policy.act(same if tick % 5 != 2 else other, rng).tolist() for tick in range(15)]
    for start in (0, 5, 10):
        kept = [actions[start + k] for k in (0, 1, 3, 4)]
        assert all(action == kept[0] for action in kept)
        assert actions[start + 2] != kept[0]
    assert actions[0] != actions[5] != actions[10]


def test_an_interval_of_minus_one_keeps_the_matrix_for_the_life_of_the_policy() -> None:
    actor = trained(sde_sample_interval=-1).actor_parameters()
    policy, rng = Policy(actor), np.random.default_rng(0)
    (observation,) = observations(1)
    first = policy.act(observation, rng)
    assert all(np.array_equal(policy.act(observation, rng), first) for _ in range(1000))
    following = Policy(actor)
    following.keep_exploration_of(policy)
    assert not np.array_equal(following.act(observation, rng), first), "new weights begin a new rollout"


def test_a_matrix_is_kept_for_its_ticks_across_new_weights_with_their_deviations() -> None:
    actor = trained(sde_sample_interval=6).actor_parameters()
    (weight, bias) = actor.layers[-1]
    halved = weight.copy()
    halved[:, A:] -= math.log(2.0)
    new = dataclasses.replace(actor, layers=(*actor.layers[:-1], (halved, bias)))
    policy, rng = Policy(actor), np.random.default_rng(0)
    (observation,) = observations(1) * 0.1
    mean = np.arctanh(policy.act(observation))
    before = [np.arctanh(policy.act(observation, rng)) - mean for _ in range(2)]
    following = Policy(new)
    following.keep_exploration_of(policy)
    after = [np.arctanh(following.act(observation, rng)) - mean for _ in range(5)]
    for noise in after[:4]:
        np.testing.assert_allclose(noise, 0.5 * before[1], rtol=1e-3, atol=1e-4)
    assert np.abs(after[4] - after[3]).min() > 1e-3, "6 ticks are over"


def test_deterministic_action_is_that_of_the_mean_and_leaves_the_exploration_alone() -> None:
    actor = trained(sde_sample_interval=3).actor_parameters()
    asked, left = Policy(actor), Policy(actor)
    sequences: list[list[list[float]]] = []
    for policy in (asked, left):
        rng = np.random.default_rng(0)
        sequences.append([])
        for observation in observations(8):
            if policy is asked:
                np.testing.assert_allclose(
                    policy.act(observation), np.tanh(distribution(trained(), observation)[0]), atol=1e-5
                )
            sequences[-1].append(policy.act(observation, rng).tolist())
    assert sequences[0] == sequences[1]


def test_untrained_actor_explores_the_whole_range() -> None:
    sac = learner(sde_at_warmup=True, sde_sample_interval=1, hidden_sizes=(64, 64))
    policy, rng = Policy(sac.actor_parameters()), np.random.default_rng(0)
    states = rng.standard_normal((20_000, N), np.float32)
    share, _ = np.histogram(np.stack([policy.act(state, rng) for state in states]), bins=8, range=(-1, 1))
    assert share.min() > 0.06 * 2 * 20_000  # uniform would be 0.125 in each of the eight
    assert share.max() < 0.20 * 2 * 20_000


def explores_independently(actor: ActorParameters) -> bool:
    policy, rng = Policy(actor), np.random.default_rng(0)
    (observation,) = observations(1)
    return not np.array_equal(policy.act(observation, rng), policy.act(observation, rng))


def test_the_warm_up_explores_independently_unless_told_otherwise() -> None:
    for is_told in (False, True):
        sac = learner(sde_at_warmup=is_told, batch_size=32)
        assert explores_independently(sac.actor_parameters()) == (not is_told)
        weight, bias = sac.actor_parameters().layers[-1]
        if not is_told:
            assert np.abs(weight[:, A:]).max() == 0.0
            np.testing.assert_allclose(np.exp(bias[A:]), INITIAL_STD, rtol=1e-6)
        sac.update(random_batch(0, observation_size=N, action_size=A))
        assert not explores_independently(sac.actor_parameters())
    assert explores_independently(
        SoftActorCritic(SacConfig(hidden_sizes=(8,)), observation_size=N, action_size=A, seed=0).actor_parameters()
    )


def test_deviation_trains_its_matrix_and_not_the_features() -> None:
    sac = trained()
    _, log_std = sac.actor(torch.from_numpy(observations(4)))
    gradients = torch.autograd.grad(log_std.sum(), [*sac.actor.parameters()], allow_unused=True)
    *hidden, head, bias = gradients
    assert all(gradient is None for gradient in hidden)
    assert head is not None
    assert head[:A].abs().max() == 0.0
    assert head[A:].abs().min() > 0.0
    assert bias is None


def test_features_of_zero_give_a_finite_log_prob_and_gradient() -> None:
    sac = learner()
    with torch.no_grad():
        for parameter in sac.actor.network[:-1].parameters():
            parameter.zero_()
    action, log_prob = sac.actor.sample(
        torch.zeros(4, N), torch.randn(4, A, generator=torch.Generator().manual_seed(0))
    )
    gradients = torch.autograd.grad(log_prob.sum() + action.sum(), [*sac.actor.parameters()])
    assert torch.isfinite(log_prob).all()
    assert all(torch.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.parametrize("use_sde", [True, False])
@pytest.mark.long
def test_temperature_brings_the_entropy_of_the_whole_action_to_its_target(use_sde: bool) -> None:
    """The fixed point of α, with the whole algorithm: rewards want an action of 0, the target wants it spread."""
    rates: dict[str, Any] = {"actor_learning_rate": 3e-3, "critic_learning_rate": 3e-3, "alpha_learning_rate": 3e-3}
    sac = learner(use_sde=use_sde, target_entropy=-0.5, gamma=0.0, alpha=0.1, **rates)
    entropies = []
    for number in range(1200):
        batch = random_batch(number, rows=64, observation_size=N, action_size=A)
        sac.update(dataclasses.replace(batch, reward=-np.square(batch.action).sum(-1)))
        entropies.append(sac.metrics()["entropy"])
    assert np.mean(entropies[-300:]) == pytest.approx(-0.5 * A, abs=0.1)
    assert abs(np.mean(entropies[:50]) + 0.5 * A) > 0.5, "it began elsewhere"


@pytest.mark.parametrize("algorithm", ["sac", "sac_v1"])
def test_both_algorithms_update_a_state_dependent_actor_repeatably_and_from_a_saved_state(algorithm: str) -> None:
    kind = {"sac": SoftActorCritic, "sac_v1": SoftActorCriticV1}[algorithm]
    config = learner_config(algorithm=algorithm, use_sde=True, hidden_sizes=(8,))
    first, second = (kind(config, observation_size=N, action_size=A, seed=seed) for seed in (1, 2))
    assert isinstance(first.actor, StateDependentActor)
    before = first.state()["actor.parameters"]
    first.update(random_batch(0, observation_size=N, action_size=A, batches=3))
    assert not np.array_equal(first.state()["actor.parameters"], before)
    second.restore(first.state())
    second.generator.bit_generator.state = first.generator.bit_generator.state
    for each in (first, second):
        each.update(random_batch(1, observation_size=N, action_size=A))
        assert each.is_finite()
    for name, array in first.state().items():
        np.testing.assert_array_equal(second.state()[name], array)
