"""The actor in numpy acts as its arrays say, and needs none of torch, pybullet, Gymnasium or ROS."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from policies import make_file
from sac_control.policy.policy import Policy
from sac_control.types import DISTRIBUTIONS, ActorParameters, Float32Array

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


def test_samples_have_the_mean_and_the_deviation_that_the_network_says() -> None:
    rng = np.random.default_rng(1)
    weight, bias = rng.normal(0.0, 0.01, (5, 4)), np.array([0.2, -0.3, math.log(0.3), math.log(0.1)])
    actor = dataclasses.replace(make_file().actor, layers=((weight.astype(np.float32), bias.astype(np.float32)),))
    policy = Policy(actor)
    mean, log_std = np.split((OBSERVATIONS[0] - actor.observation_mean) / actor.observation_std @ weight + bias, 2)
    u = np.arctanh(np.stack([policy.act(OBSERVATIONS[0], rng) for _ in range(20_000)]).astype(np.float64))
    std = np.exp(log_std)
    np.testing.assert_allclose(u.mean(0), mean, atol=4 * std.max() / math.sqrt(20_000))
    np.testing.assert_allclose(u.std(0), std, rtol=0.03)
    assert abs(np.corrcoef(u.T)[0, 1]) < 0.03


def test_same_seed_gives_the_same_samples_and_another_seed_others() -> None:
    policy = Policy(make_file().actor)

    def samples(seed: int) -> list[list[float]]:
        rng = np.random.default_rng(seed)
        return [policy.act(observation, rng).tolist() for observation in OBSERVATIONS[:5]]

    assert samples(1) == samples(1)
    assert samples(1) != samples(2)


def test_gaussian_acts_as_the_squashed_one_before_it_is_squashed() -> None:
    squashed, plain = (Policy(make_file(seed=3, distribution=name).actor) for name in DISTRIBUTIONS)
    ours, theirs = np.random.default_rng(1), np.random.default_rng(1)
    samples = []
    for observation in OBSERVATIONS:
        np.testing.assert_array_equal(np.tanh(plain.act(observation)), squashed.act(observation))
        samples.append(plain.act(observation, ours))
        np.testing.assert_array_equal(np.tanh(samples[-1]), squashed.act(observation, theirs))
    assert np.abs(samples).max() > 1.0  # what travels is not clipped


def test_gaussian_whose_deviation_is_the_same_everywhere_has_it_in_its_last_bias() -> None:
    file = make_file(distribution="gaussian")
    *hidden, (weight, bias) = file.actor.layers
    weight[:, 1], bias[1] = 0.0, math.log(0.4)
    policy, rng = Policy(dataclasses.replace(file.actor, layers=(*hidden, (weight, bias)))), np.random.default_rng(2)
    noise = np.random.default_rng(2).standard_normal((len(OBSERVATIONS), 1), np.float32)
    for observation, drawn in zip(OBSERVATIONS, noise, strict=True):
        expected = policy.act(observation) + 0.4 * drawn
        np.testing.assert_allclose(policy.act(observation, rng), expected, rtol=1e-5)


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


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_action_stays_as_it_was_when_another_is_asked_for(distribution: str) -> None:
    policy, rng = Policy(make_file(distribution=distribution).actor), np.random.default_rng(0)
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
    peaks, rests = zip(*(memory_of(policy) for _ in range(5)), strict=True)
    assert min(peaks) < 1000  # [bytes] the action, and nothing like a layer's output
    assert min(rests) < 1000


def memory_of(policy: Policy) -> tuple[int, int]:
    """[bytes] at most and in the end, for all observations; other threads of the process can only add to them."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for observation in OBSERVATIONS:
            policy.act(observation)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak - before, after - before


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
