"""Soft Actor-Critic as first published: equations by hand, solutions known in closed form, its place in a training."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from torch import Tensor, nn

from batches import random_batch
from learners import off_policy
from sac_control.algorithms.replay_buffer import Batch
from sac_control.algorithms.sac.readable import squashed_gaussian
from sac_control.algorithms.sac.readable.networks import TwinCritics
from sac_control.algorithms.sac_v1.sac_v1_config import SacV1Config
from sac_control.algorithms.sac_v1.soft_actor_critic_v1 import SoftActorCriticV1, Value, critic_loss, value_loss
from sac_control.training.learner_config import LearnerConfig
from sac_control.training.training import Training
from tensors_for_tests import random_tensors, row_of

PRESET = Path(__file__).resolve().parent.parent / "config" / "sac_v1.yaml"


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def learner(observation_size: int = 3, action_size: int = 1, seed: int = 0, **settings: Any) -> SoftActorCriticV1:
    values: dict[str, Any] = {"hidden_sizes": (16, 16)}
    config = SacV1Config(**(values | settings))
    return SoftActorCriticV1(config, observation_size=observation_size, action_size=action_size, seed=seed)


class Constant:
    """A value network that knows one value, and can be differentiated by it."""

    def __init__(self, value: float) -> None:
        self.level = torch.tensor(value, requires_grad=True)

    def __call__(self, observation: Tensor) -> Tensor:
        return self.level + 0.0 * observation.sum(-1)


class Linear:
    """Twin critics Q_i(s, a) = c_i + a."""

    def __init__(self, first: float, second: float) -> None:
        self.levels = torch.tensor([first, second], requires_grad=True)

    def __call__(self, observation: Tensor, action: Tensor) -> tuple[Tensor, ...]:
        return (self.levels[:, None] + action.sum(-1)).unbind()


def flat(network: nn.Module) -> Tensor:
    """A copy of all parameters."""
    return nn.utils.parameters_to_vector(network.parameters()).detach().clone()


def test_value_loss_equals_the_hand_computed_one_of_equation_5() -> None:
    value: Any = Constant(1.0)
    critics: Any = Linear(2.0, 3.0)
    action, log_prob = torch.tensor([[0.5], [-0.5]]), torch.tensor([-1.0, 0.25])
    # targets: min Q - log π = 2.5 + 1 = 3.5 and 1.5 - 0.25 = 1.25
    loss, _ = value_loss(value, critics, torch.zeros(2, 1), action, log_prob)
    assert loss.item() == pytest.approx(0.5 * ((1.0 - 3.5) ** 2 + (1.0 - 1.25) ** 2) / 2)
    loss.backward()
    assert value.level.grad.item() == pytest.approx(((1.0 - 3.5) + (1.0 - 1.25)) / 2)
    assert critics.levels.grad is None, "the target carries no gradient"


def test_critic_loss_equals_the_hand_computed_one_of_equation_7() -> None:
    batch = random_tensors(0, rows=2, observation_size=1)
    batch = row_of(batch, slice(0, 2))
    object.__setattr__(batch, "reward", torch.tensor([2.0, 6.0]))
    object.__setattr__(batch, "action", torch.tensor([[0.5], [-0.5]]))
    object.__setattr__(batch, "terminated", torch.tensor([False, True]))
    target: Any = Constant(10.0)
    critics: Any = Linear(2.0, 3.0)
    # Q̂ = 2 + 0.9·10 = 11 and 6;  Q_1 = 2.5, 1.5;  Q_2 = 3.5, 2.5
    loss, _ = critic_loss(critics, target, batch, gamma=0.9)
    assert loss.item() == pytest.approx(0.5 * ((8.5**2 + 4.5**2) / 2 + (7.5**2 + 3.5**2) / 2))
    loss.backward()
    assert target.level.grad is None


def test_nothing_leaks_out_of_a_terminal_next_observation() -> None:
    whole, broken = learner(seed=1), learner(seed=1)
    batch = random_batch(0)
    whole.update(batch)
    batch.next_observation[batch.terminated] = math.nan
    assert batch.terminated.any()
    broken.update(batch)
    assert broken.is_finite()
    assert all(np.array_equal(whole.state()[name], broken.state()[name]) for name in whole.state())


def test_losses_do_not_broadcast_rows_against_rows() -> None:
    critics, value = TwinCritics(3, 2, (8,)), Value(3, (8,))
    batch, log_prob = random_tensors(0, 6, 3, 2), torch.randn(6, generator=torch.Generator().manual_seed(0))

    def losses(rows: slice) -> Tensor:
        part = row_of(batch, rows)
        return torch.stack(
            [
                value_loss(value, critics, part.observation, part.noise, log_prob[rows])[0],
                critic_loss(critics, value, part, 0.9)[0],
            ]
        )

    torch.testing.assert_close(losses(slice(0, 6)), torch.stack([losses(slice(i, i + 1)) for i in range(6)]).mean(0))


def test_each_loss_moves_its_own_network_only() -> None:
    """Which output trains which network: V by Q and π, π by Q, Q by V̄, and V̄ by V."""
    rates: dict[str, Any] = {"actor_learning_rate": 0.0, "critic_learning_rate": 0.0, "tau": 0.0}
    moved = {}
    for name, value in (("actor_learning_rate", 1e-3), ("critic_learning_rate", 1e-3), ("tau", 0.5)):
        sac = learner(**(rates | {name: value}))
        with torch.no_grad():
            for parameter in sac.value.parameters():
                parameter.add_(0.1)  # so that V̄ has somewhere to go
        before = sac.state()
        sac.update(random_batch(0))
        after = sac.state()
        parts = ("actor", "critics", "value", "target_value")
        moved[name] = {p for p in parts if not np.array_equal(before[f"{p}.parameters"], after[f"{p}.parameters"])}
    assert moved == {
        "actor_learning_rate": {"actor"},
        "critic_learning_rate": {"critics", "value"},
        "tau": {"target_value"},
    }


def test_target_value_starts_as_a_copy_and_follows_by_tau() -> None:
    sac = learner(tau=0.25)
    start = flat(sac.value)
    assert torch.equal(flat(sac.target_value), start)
    sac.update(random_batch(0))
    assert not torch.equal(flat(sac.value), start)
    torch.testing.assert_close(flat(sac.target_value), start + 0.25 * (flat(sac.value) - start))


@pytest.mark.long
def test_policy_of_a_one_step_bandit_is_the_boltzmann_distribution_of_its_scaled_rewards() -> None:
    """π* ∝ exp(scale · r). For r = log p / scale, with p a squashed Gaussian, the actor can and must become p itself.

    V is then log ∫ exp(scale · r) da = 0.
    """
    scale, mean, std = 2.0, 0.4, 0.5
    sac = learner(
        1, hidden_sizes=(32, 32), reward_scale=scale, actor_learning_rate=3e-3, critic_learning_rate=3e-3,
        normalise_observations=False,
    )  # fmt: skip
    random = torch.Generator().manual_seed(0)
    nothing, always = np.zeros((1, 256, 1), np.float32), np.ones((1, 256), np.bool_)
    for _ in range(1200):
        u = 1.3 * torch.randn(256, 1, generator=random)
        action, log_p = squashed_gaussian.sample(
            torch.full_like(u, mean), torch.full_like(u, math.log(std)), (u - mean) / std
        )
        reward = (log_p.clamp_min(-8.0) / scale).numpy()[None]
        batch = Batch(
            observation=nothing, action=action.numpy()[None], reward=reward, next_observation=nothing, terminated=always
        )
        sac.update(batch)
    found_mean, found_log_std = sac.actor(torch.zeros(1, 1))
    assert found_mean.item() == pytest.approx(mean, abs=0.06)
    assert found_log_std.exp().item() == pytest.approx(std, rel=0.12)
    assert sac.value(torch.zeros(1, 1)).item() == pytest.approx(0.0, abs=0.15)


@pytest.mark.long
def test_truncation_does_not_end_the_future_and_termination_does() -> None:
    """Reward 1 per step at a scale of 50: the entropy, at most log 2 per step, is worth little beside it.

    State 0 goes on for ever; 1, 2, 3 follow each other, then the chain terminates.
    """
    gamma, scale = 0.8, 50.0
    sac = learner(
        4, hidden_sizes=(32,), gamma=gamma, tau=0.1, reward_scale=scale, critic_learning_rate=1e-2,
        normalise_observations=False,
    )  # fmt: skip
    state, following = np.eye(4, dtype=np.float32), np.eye(4, dtype=np.float32)[[0, 2, 3, 0]]
    rng = np.random.default_rng(0)
    for _ in range(1500):
        row = rng.integers(4, size=(1, 64))
        action = rng.uniform(-1.0, 1.0, (1, 64, 1)).astype(np.float32)
        ones = np.ones((1, 64), np.float32)
        sac.update(
            Batch(
                observation=state[row], action=action, reward=ones, next_observation=following[row], terminated=row == 3
            )
        )
    values = (torch.stack(sac.critics(torch.from_numpy(state), torch.zeros(4, 1))).mean(0) / scale).tolist()
    assert values == pytest.approx([1 / (1 - gamma), 1 + gamma + gamma**2, 1 + gamma, 1.0], rel=0.06)


def test_same_seed_gives_the_same_numbers_and_another_does_not() -> None:
    first, second, other = (learner(seed=seed) for seed in (5, 5, 6))
    for number in range(3):
        for each in (first, second, other):
            each.update(random_batch(number))
    assert all(np.array_equal(first.state()[name], second.state()[name]) for name in first.state())
    assert not np.array_equal(first.state()["actor.parameters"], other.state()["actor.parameters"])


def test_a_restored_learner_continues_bit_identically() -> None:
    original, resumed = learner(seed=1, policy_delay=2), learner(seed=2, policy_delay=2)
    original.update(random_batch(0, batches=3))
    resumed.restore(original.state())
    resumed.generator.bit_generator.state = original.generator.bit_generator.state
    for each in (original, resumed):
        each.update(random_batch(1, batches=3))
    assert all(np.array_equal(original.state()[name], resumed.state()[name]) for name in original.state())


def test_all_values_can_be_started_anywhere_in_units_of_the_reward() -> None:
    sac, some = learner(reward_scale=2.0), random_tensors(0)
    q, v = torch.stack(sac.critics(some.observation, some.action)), sac.value(some.observation)
    sac.start_values_at(50.0)
    torch.testing.assert_close(torch.stack(sac.critics(some.observation, some.action)), q + 100.0)
    torch.testing.assert_close(sac.value(some.observation), v + 100.0)
    assert torch.equal(flat(sac.value), flat(sac.target_value))


def test_temperature_that_is_told_is_the_inverse_of_the_reward_scale() -> None:
    sac = learner(reward_scale=4.0)
    assert sac.metrics() == {}
    sac.update(random_batch(0))
    assert sac.metrics()["alpha"] == 0.25
    assert set(sac.metrics()) == {"alpha", "value_loss", "critic_loss", "q", "actor_loss", "entropy"}


def test_the_configuration_that_is_shipped_is_that_of_the_paper_and_makes_this_learner() -> None:
    config = LearnerConfig.from_mapping(yaml.safe_load(PRESET.read_text())["/**/learner"]["ros__parameters"])
    training = Training(config, observation_size=5, action_size=1)
    assert isinstance(off_policy(training).learner, SoftActorCriticV1)
    assert isinstance(config, SacV1Config)
    assert (config.hidden_sizes, config.batch_size, config.reward_scale) == ((256, 256), 256, 2.0)
    assert (config.actor_learning_rate, config.critic_learning_rate) == (3e-4, 3e-4)
    assert (config.gamma, config.tau, config.buffer_capacity) == (0.99, 0.005, 1_000_000)
