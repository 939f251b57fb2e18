"""The actor in numpy is the actor in torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from learners import layout_of
from sac_control.algorithms.sac.readable.arrays import from_vector
from sac_control.algorithms.sac.readable.soft_actor_critic import SoftActorCritic
from sac_control.algorithms.sac.sac_config import SacConfig
from sac_control.policy.policy import Policy
from sac_control.types import Float32Array

OBSERVATIONS: Float32Array = np.random.default_rng(0).normal(0.0, 2.0, (200, 5)).astype(np.float32)


def learner(hidden_sizes: tuple[int, ...], action_size: int = 2) -> SoftActorCritic:
    """A learner whose actor has random weights everywhere and has seen observations."""
    algorithm = SoftActorCritic(
        SacConfig(hidden_sizes=hidden_sizes), observation_size=5, action_size=action_size, seed=3
    )
    generator = torch.Generator().manual_seed(5)
    weights = torch.empty(layout_of(algorithm).size).uniform_(-0.8, 0.8, generator=generator)
    from_vector(algorithm.actor.parameters(), weights.numpy())
    algorithm.observe(OBSERVATIONS * np.array([0.1, 1.0, 10.0, 1.0, 1.0], np.float32) + 3.0)
    algorithm.refresh_normalisation()
    return algorithm


def distribution(algorithm: SoftActorCritic, observation: Float32Array) -> tuple[torch.Tensor, torch.Tensor]:
    with torch.no_grad():
        mean, log_std = algorithm.actor(normalised(algorithm, observation))
    return mean, log_std


def normalised(algorithm: SoftActorCritic, observation: Float32Array) -> torch.Tensor:
    return torch.from_numpy((observation - algorithm.normaliser.mean) / algorithm.normaliser.std)


@pytest.mark.parametrize("hidden_sizes", [(16,), (64, 64), (256, 256), (8, 32, 8)])
def test_deterministic_action_is_that_of_the_torch_actor(hidden_sizes: tuple[int, ...]) -> None:
    algorithm = learner(hidden_sizes)
    policy = Policy(algorithm.actor_parameters())
    mean, _ = distribution(algorithm, OBSERVATIONS)
    actions = np.stack([policy.act(observation) for observation in OBSERVATIONS])
    assert actions.dtype == np.float32
    np.testing.assert_allclose(actions, mean.tanh().numpy(), rtol=0, atol=1e-5)
    assert actions.std() > 0.1  # not the same everywhere


def test_sampled_action_is_that_of_the_torch_actor_for_the_same_noise() -> None:
    algorithm = learner((16, 16))
    policy = Policy(algorithm.actor_parameters())
    noise = np.random.default_rng(8)
    expected = np.random.default_rng(8).standard_normal((len(OBSERVATIONS), 2), np.float32)
    with torch.no_grad():
        ours, _ = algorithm.actor.sample(normalised(algorithm, OBSERVATIONS), torch.from_numpy(expected))
    actions = np.stack([policy.act(observation, noise) for observation in OBSERVATIONS])
    np.testing.assert_allclose(actions, ours.numpy(), rtol=0, atol=1e-5)


def test_actor_parameters_give_the_distribution_of_the_actor() -> None:
    algorithm = learner((16, 8))
    arrays = algorithm.actor_parameters()
    assert np.abs(arrays.observation_mean - 3.0).max() < 2.0
    x = (OBSERVATIONS - arrays.observation_mean) / arrays.observation_std
    for weight, bias in arrays.layers[:-1]:
        x = np.maximum(x @ weight + bias, 0.0)
    weight, bias = arrays.layers[-1]
    head = x @ weight + bias
    mean, log_std = distribution(algorithm, OBSERVATIONS)
    np.testing.assert_allclose(head[:, :2], mean.numpy(), atol=1e-4)
    np.testing.assert_allclose(np.clip(head[:, 2:], *arrays.log_std_bounds), log_std.numpy(), atol=1e-4)
    assert all(array.dtype == np.float32 for layer in arrays.layers for array in layer)
