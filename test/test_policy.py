"""The actor in numpy is the actor in torch, and needs none of torch, pybullet, Gymnasium or ROS."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch

from policies import make_file
from sac_control.policy.policy import Policy
from sac_control.sac.reference.soft_actor_critic import SoftActorCritic
from sac_control.sac.sac_config import SacConfig
from sac_control.types import ActorParameters, Float32Array

OBSERVATIONS: Float32Array = np.random.default_rng(0).normal(0.0, 2.0, (200, 5)).astype(np.float32)

# Runs where the named packages cannot be imported; prints the action for the observation 0, 0.1, 0.2, ...
WITHOUT_PACKAGES = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "pybullet", "gymnasium", "rclpy"}:
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Blocker())
from pathlib import Path
import numpy as np
from sac_control.policy import controller, hot_swap, policy, policy_file, safety

file = policy_file.PolicyFile.read(Path(sys.argv[1]))
observation = np.arange(len(file.specification.observation), dtype=np.float32) / 10
print(policy.Policy(file.actor).act(observation).tolist())
"""


def learner(hidden_sizes: tuple[int, ...], action_size: int = 2) -> SoftActorCritic:
    """A learner whose actor has random weights everywhere and has seen observations."""
    algorithm = SoftActorCritic(
        SacConfig(hidden_sizes=hidden_sizes), observation_size=5, action_size=action_size, seed=3
    )
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        algorithm.actor.flat.copy_(torch.empty_like(algorithm.actor.flat).uniform_(-0.8, 0.8, generator=generator))
    algorithm.observe(OBSERVATIONS * np.array([0.1, 1.0, 10.0, 1.0, 1.0], np.float32) + 3.0)
    algorithm.refresh_normalisation()
    return algorithm


def distribution(algorithm: SoftActorCritic, observation: Float32Array) -> tuple[torch.Tensor, torch.Tensor]:
    with torch.no_grad():
        return algorithm.actor.distribution(normalised(algorithm, observation))


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


def test_samples_have_the_mean_and_the_deviation_that_the_network_says() -> None:
    algorithm = learner((16, 16))
    with torch.no_grad():
        algorithm.actor.tensors[-1].copy_(torch.tensor([0.2, -0.3, math.log(0.3), math.log(0.1)]))
        algorithm.actor.tensors[-2].mul_(0.01)
    policy, rng = Policy(algorithm.actor_parameters()), np.random.default_rng(1)
    mean, log_std = distribution(algorithm, OBSERVATIONS[:1])
    u = np.arctanh(np.stack([policy.act(OBSERVATIONS[0], rng) for _ in range(20_000)]).astype(np.float64))
    std = log_std.exp().numpy()[0]
    np.testing.assert_allclose(u.mean(0), mean.numpy()[0], atol=4 * std.max() / math.sqrt(20_000))
    np.testing.assert_allclose(u.std(0), std, rtol=0.03)
    assert abs(np.corrcoef(u.T)[0, 1]) < 0.03


def test_same_seed_gives_the_same_samples_and_another_seed_others() -> None:
    policy = Policy(make_file().actor)

    def samples(seed: int) -> list[list[float]]:
        rng = np.random.default_rng(seed)
        return [policy.act(observation, rng).tolist() for observation in OBSERVATIONS[:5]]

    assert samples(1) == samples(1)
    assert samples(1) != samples(2)


def test_log_std_is_clamped_to_its_bounds() -> None:
    zeros = np.zeros((5, 2), np.float32)
    for log_std, bound in ((50.0, 0.5), (-50.0, -3.0)):
        policy = Policy(
            ActorParameters(
                layers=((zeros, np.array([0.0, log_std], np.float32)),),
                observation_mean=np.zeros(5, np.float32),
                observation_std=np.ones(5, np.float32),
                log_std_bounds=(-3.0, 0.5),
            )
        )
        noise = np.random.default_rng(0).standard_normal(1, np.float32)
        np.testing.assert_allclose(
            policy.act(OBSERVATIONS[0], np.random.default_rng(0)), np.tanh(math.exp(bound) * noise), rtol=1e-6
        )


def test_action_stays_as_it_was_when_another_is_asked_for() -> None:
    policy, rng = Policy(make_file().actor), np.random.default_rng(0)
    first, second = policy.act(OBSERVATIONS[0]), policy.act(OBSERVATIONS[0], rng)
    kept = first.copy(), second.copy()
    policy.act(OBSERVATIONS[1])
    policy.act(OBSERVATIONS[1], rng)
    np.testing.assert_array_equal(first, kept[0])
    np.testing.assert_array_equal(second, kept[1])


@pytest.mark.parametrize("hidden", [8, 1024])
def test_action_allocates_nothing_that_grows_with_the_network(hidden: int) -> None:
    policy = Policy(make_file(hidden=hidden).actor)
    policy.act(OBSERVATIONS[0])
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for observation in OBSERVATIONS:
            policy.act(observation)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < 1000  # [bytes] the action, and nothing like a layer's output
    assert after - before < 1000


def test_normalisation_and_biases_are_exact_where_the_mean_is_far_from_zero() -> None:
    actor = dataclasses.replace(make_file().actor, observation_mean=np.full(5, 1000.0, np.float32))
    near = dataclasses.replace(actor, observation_mean=np.zeros(5, np.float32))
    for observation in np.round(OBSERVATIONS[:20] * 8) / 8:  # still exact when 1000 is added
        np.testing.assert_array_equal(
            Policy(actor).act(observation + np.float32(1000.0)), Policy(near).act(observation)
        )


def test_observation_is_left_as_it_was() -> None:
    observation = OBSERVATIONS[0].copy()
    Policy(make_file().actor).act(observation)
    np.testing.assert_array_equal(observation, OBSERVATIONS[0])


def test_policy_file_is_read_and_acts_without_torch_pybullet_gymnasium_and_ros(tmp_path: Path) -> None:
    file = make_file(seed=4)
    path = tmp_path / "policy.safetensors"
    path.write_bytes(file.to_bytes())
    command = [sys.executable, "-c", WITHOUT_PACKAGES, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    observation: Float32Array = np.arange(len(file.specification.observation), dtype=np.float32) / np.float32(10)
    assert done.stdout.strip() == str(Policy(file.actor).act(observation).tolist())
