"""The whole algorithm reaches solutions known in closed form, repeats itself, and can be put down and resumed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from sac_control.config import SacConfig
from sac_control.errors import RunError
from sac_control.sac import squashed_gaussian
from sac_control.sac.learner import SoftActorCritic
from sac_control.sac.replay_buffer import Batch


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def learner(observation_size: int = 3, action_size: int = 1, seed: int = 0, **settings: Any) -> SoftActorCritic:
    settings = {"hidden_sizes": (16, 16)} | settings
    return SoftActorCritic(SacConfig(**settings), observation_size=observation_size, action_size=action_size, seed=seed)


def batch(seed: int, rows: int = 32, observation_size: int = 3, action_size: int = 1) -> Batch:
    random = torch.Generator().manual_seed(seed)
    return Batch(
        observation=torch.randn(rows, observation_size, generator=random),
        action=torch.rand(rows, action_size, generator=random) * 2 - 1,
        reward=torch.randn(rows, generator=random),
        next_observation=torch.randn(rows, observation_size, generator=random),
        terminated=torch.rand(rows, generator=random) < 0.2,
    )


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_policy_of_a_one_step_bandit_is_the_boltzmann_distribution_of_its_rewards() -> None:
    """π* ∝ exp(r / α). For r = α log p, with p a squashed Gaussian, the actor can and must become p itself."""
    alpha, mean, std = 0.5, 0.4, 0.5
    sac = learner(
        1, hidden_sizes=(32, 32), alpha=alpha, learn_alpha=False,
        actor_learning_rate=3e-3, critic_learning_rate=3e-3, normalise_observations=False,
    )  # fmt: skip
    random = torch.Generator().manual_seed(0)
    nothing = torch.zeros(256, 1)
    for _ in range(1200):
        u = 1.3 * torch.randn(256, 1, generator=random)
        action, log_p = squashed_gaussian.sample(
            torch.full_like(u, mean), torch.full_like(u, math.log(std)), (u - mean) / std
        )
        sac.update(
            Batch(
                observation=nothing,
                action=action,
                reward=alpha * log_p.clamp_min(-8.0),
                next_observation=nothing,
                terminated=torch.ones(256, dtype=torch.bool),
            )
        )
    found_mean, found_log_std = sac.actor.distribution(torch.zeros(1, 1))
    assert found_mean.item() == pytest.approx(mean, abs=0.06)
    assert found_log_std.exp().item() == pytest.approx(std, rel=0.12)


def test_truncation_does_not_end_the_future_and_termination_does() -> None:
    """stable-baselines3 #284, CleanRL #198, haarnoja/sac #30: a time limit treated as an end.

    Reward is 1 per step. State 0 goes on for ever, cut into episodes only by truncation: V = 1 / (1 - γ) = 5.
    States 1, 2, 3 follow each other, then the chain terminates: V = 1 + γ + γ², 1 + γ, 1.
    """
    gamma = 0.8
    sac = learner(
        4, hidden_sizes=(32,), gamma=gamma, tau=0.1, alpha=1e-6, learn_alpha=False,
        critic_learning_rate=3e-3, normalise_observations=False,
    )  # fmt: skip
    state, following = torch.eye(4), torch.eye(4)[[0, 2, 3, 0]]
    random = torch.Generator().manual_seed(0)
    for _ in range(800):
        row = torch.randint(4, (64,), generator=random)
        sac.update(
            Batch(
                observation=state[row],
                action=torch.rand(64, 1, generator=random) * 2 - 1,
                reward=torch.ones(64),
                next_observation=following[row],
                terminated=row == 3,  # truncation is not in a batch at all: it changes no target
            )
        )
    values = sac.critics.values(state, torch.zeros(4, 1)).mean(0).tolist()
    assert values == pytest.approx([1 / (1 - gamma), 1 + gamma + gamma**2, 1 + gamma, 1.0], rel=0.04)


@pytest.mark.parametrize("action_size", [1, 2, 6])
def test_target_entropy_is_per_dimension_times_dimensions(action_size: int) -> None:
    """ml-agents PR #5372, TorchRL PR #3291: the dimensions were ignored or squared."""
    assert learner(3, action_size, target_entropy=-0.5).target_entropy == -0.5 * action_size


@pytest.mark.parametrize("action_size", [1, 3])
def test_same_seed_and_batches_give_the_same_numbers(action_size: int) -> None:
    first, second, other = (learner(3, action_size, seed=seed) for seed in (5, 5, 6))
    for number in range(5):
        for each in (first, second, other):
            each.update(batch(number, action_size=action_size))
    assert same(first.state(), second.state())
    assert not torch.equal(first.state()["actor.parameters"], other.state()["actor.parameters"])


def test_updates_depend_on_no_global_random_state() -> None:
    first, second = learner(), learner()
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002 - the point of the test
    first.update(batch(0))
    torch.manual_seed(2)
    np.random.seed(2)  # noqa: NPY002
    second.update(batch(0))
    assert same(first.state(), second.state())


def test_a_learner_restored_from_a_file_continues_bit_identically(tmp_path: Path) -> None:
    original, resumed = learner(seed=1), learner(seed=2)
    for number in range(4):
        original.observe(batch(number).observation.numpy())
        original.refresh_normalisation()
        original.update(batch(number))
    save_file(original.state(), tmp_path / "learner.safetensors")
    resumed.restore(load_file(tmp_path / "learner.safetensors"))
    assert same(original.state(), resumed.state())
    for number in range(4, 8):
        original.update(batch(number))
        resumed.update(batch(number))
    assert same(original.state(), resumed.state())


def test_a_saved_state_does_not_follow_later_updates() -> None:
    sac = learner()
    state = sac.state()
    before = {name: tensor.clone() for name, tensor in state.items()}
    sac.update(batch(0))
    assert same(state, before)
    assert not same(state, sac.state())


def test_a_state_of_other_sizes_is_refused_and_changes_nothing() -> None:
    sac = learner()
    before = sac.state()
    with pytest.raises(RunError, match=r"actor.parameters.*resume with"):
        sac.restore(learner(4).state())
    with pytest.raises(RunError, match=r"lacks 'targets\.parameters'"):
        sac.restore({name: tensor for name, tensor in before.items() if name != "targets.parameters"})
    assert same(before, sac.state())


def test_targets_follow_the_critics_by_tau_and_by_nothing_else() -> None:
    sac = learner(tau=0.25)
    before = sac.targets.flat.clone()
    sac.update(batch(0))
    torch.testing.assert_close(sac.targets.flat, before + 0.25 * (sac.critics.flat - before))


def test_divergence_is_noticed() -> None:
    for damage in (math.nan, math.inf):
        sac = learner()
        sac.update(batch(0))
        assert sac.is_finite()
        sac.update(Batch(**{**_fields(batch(1)), "reward": torch.full((32,), damage)}))
        assert not sac.is_finite()


def test_values_can_be_started_anywhere_before_the_first_update() -> None:
    sac, some = learner(), batch(0)
    before = sac.critics.values(some.observation, some.action)
    sac.start_values_at(100.0)
    torch.testing.assert_close(sac.critics.values(some.observation, some.action), before + 100.0)
    assert torch.equal(sac.critics.flat, sac.targets.flat)


def test_a_temperature_that_is_not_learnt_stays() -> None:
    sac = learner(learn_alpha=False, alpha=0.3)
    metrics = sac.update(batch(0))
    assert metrics["alpha"].item() == pytest.approx(0.3)
    assert sac.temperature.flat.item() == pytest.approx(math.log(0.3))


def test_actor_parameters_give_the_actions_of_the_actor() -> None:
    sac = learner(hidden_sizes=(16, 8))
    sac.observe((5.0 + 3.0 * batch(0).observation).numpy())
    sac.refresh_normalisation()
    for number in range(3):
        sac.update(batch(number))
    arrays = sac.actor_parameters()
    observation = batch(9).observation
    mean, log_std = sac.actor.distribution(sac.normaliser.normalised(observation))
    x = (observation.numpy() - arrays.observation_mean) / arrays.observation_std
    for weight, bias in arrays.layers[:-1]:
        x = np.maximum(x @ weight + bias, 0.0)
    weight, bias = arrays.layers[-1]
    head = x @ weight + bias
    np.testing.assert_allclose(head[:, :1], mean.detach().numpy(), atol=1e-5)
    np.testing.assert_allclose(np.clip(head[:, 1:], *arrays.log_std_bounds), log_std.detach().numpy(), atol=1e-5)
    assert all(array.dtype == np.float32 for layer in arrays.layers for array in layer)


def test_actor_parameters_do_not_follow_later_updates() -> None:
    sac = learner()
    arrays = sac.actor_parameters()
    before = arrays.layers[0][0].copy()
    sac.update(batch(0))
    assert np.array_equal(arrays.layers[0][0], before)


def test_switched_off_normalisation_leaves_observations_alone() -> None:
    sac = learner(normalise_observations=False)
    sac.observe((batch(0).observation + 7.0).numpy())
    sac.refresh_normalisation()
    assert sac.normaliser.mean.tolist() == [0.0, 0.0, 0.0]


def _fields(some: Batch) -> dict[str, Tensor]:
    return {name: getattr(some, name) for name in Batch.__dataclass_fields__}
