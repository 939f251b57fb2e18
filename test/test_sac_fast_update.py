from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from sac_control.config import LearnerConfig, SacConfig
from sac_control.sac.fast_update import FastUpdate
from sac_control.sac.learner import SoftActorCritic
from sac_control.sac.losses import Metrics
from sac_control.sac.networks import LOG_STD_BOUNDS
from sac_control.sac.replay_buffer import Batch
from sac_control.sac.training import Training

SIZES = [((64, 64), 128, 5, 1), ((32, 16, 8), 64, 7, 3), ((16,), 32, 3, 2)]


def config(hidden_sizes: tuple[int, ...], batch_size: int, **more: object) -> SacConfig:
    return SacConfig.from_mapping({"hidden_sizes": hidden_sizes, "batch_size": batch_size, **more})


def pair(settings: SacConfig, o: int, a: int) -> tuple[SoftActorCritic, SoftActorCritic, FastUpdate]:
    """Two learners that are equal, and the fast update of the second."""
    reference, other = (SoftActorCritic(settings, observation_size=o, action_size=a, seed=3) for _ in range(2))
    statistics = np.random.default_rng(5).normal(1.0, 3.0, (100, o)).astype(np.float32)
    for sac in (reference, other):
        sac.observe(statistics)
        sac.refresh_normalisation()
    return reference, other, FastUpdate(other, settings, observation_size=o, action_size=a)


def batch(seed: int, rows: int, o: int, a: int) -> Batch:
    rng = np.random.default_rng(seed)

    def tensor(*shape: int) -> torch.Tensor:
        return torch.from_numpy(rng.standard_normal(shape).astype(np.float32))

    return Batch(
        observation=tensor(rows, o),
        action=tensor(rows, a).clamp(-1.0, 1.0),
        reward=tensor(rows),
        next_observation=tensor(rows, o),
        terminated=torch.from_numpy(rng.random(rows) < 0.2),
    )


def assert_equal(reference: SoftActorCritic, other: SoftActorCritic, tolerance: float) -> None:
    expected, found = reference.state(), other.state()
    assert expected.keys() == found.keys()
    for name, tensor in expected.items():
        np.testing.assert_allclose(found[name], tensor, rtol=tolerance, atol=tolerance, err_msg=name)


@pytest.mark.parametrize(("hidden_sizes", "rows", "o", "a"), SIZES)
def test_fifty_updates_equal_those_by_autograd(hidden_sizes: tuple[int, ...], rows: int, o: int, a: int) -> None:
    reference, other, fast = pair(config(hidden_sizes, rows), o, a)
    for number in range(50):
        expected = reference.update(batch(number, rows, o, a))
        found = fast.update(batch(number, rows, o, a))
        assert expected.keys() == found.keys()
        for name, values in found.items():
            assert float(values.mean()) == pytest.approx(float(expected[name].mean()), rel=1e-4, abs=1e-4), name
    assert_equal(reference, other, 2e-5)


@pytest.mark.parametrize(("hidden_sizes", "rows", "o", "a"), SIZES)
def test_gradients_of_one_update_equal_those_by_autograd(
    hidden_sizes: tuple[int, ...], rows: int, o: int, a: int
) -> None:
    reference, other, fast = pair(config(hidden_sizes, rows), o, a)
    reference.update(batch(0, rows, o, a))
    fast.update(batch(0, rows, o, a))
    for name in ("actor_adam", "critic_adam", "alpha_adam"):
        expected, found = getattr(reference, name).gradient, getattr(other, name).gradient
        assert float(expected.abs().max()) > 0.0
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


def test_a_fixed_temperature_stays() -> None:
    reference, other, fast = pair(config((8,), 16, learn_alpha=False, alpha=0.37), 4, 1)
    for number in range(3):
        reference.update(batch(number, 16, 4, 1))
        fast.update(batch(number, 16, 4, 1))
    assert float(other.temperature.flat.exp()) == pytest.approx(0.37)
    assert_equal(reference, other, 1e-6)


def test_a_clamped_deviation_gets_no_gradient() -> None:
    reference, other, fast = pair(config((8,), 16), 4, 2)
    for sac in (reference, other):
        with torch.no_grad():
            sac.actor.tensors[-1][2] = LOG_STD_BOUNDS[1] + 5.0
            sac.actor.tensors[-1][3] = LOG_STD_BOUNDS[0] - 5.0
    before = other.actor.tensors[-1][2:].detach().clone()
    reference.update(batch(0, 16, 4, 2))
    fast.update(batch(0, 16, 4, 2))
    assert_equal(reference, other, 1e-6)
    assert torch.equal(other.actor.tensors[-1][2:].detach(), before)


def test_what_follows_a_termination_may_be_anything() -> None:
    _, other, fast = pair(config((8,), 16), 4, 1)
    broken = batch(0, 16, 4, 1)
    broken.next_observation[broken.terminated] = math.nan
    assert broken.terminated.any()
    fast.update(broken)
    assert other.is_finite()


def test_it_goes_on_from_a_restored_state() -> None:
    reference, other, fast = pair(config((8,), 16), 4, 1)
    for number in range(5):
        reference.update(batch(number, 16, 4, 1))
    other.restore(reference.state())
    for number in range(5, 10):
        reference.update(batch(number, 16, 4, 1))
        fast.update(batch(number, 16, 4, 1))
    assert_equal(reference, other, 1e-5)


def test_training_takes_it_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []

    def note(name: str) -> Callable[..., Metrics]:
        def update(*_: object) -> Metrics:
            taken.append(name)
            return {}

        return update

    monkeypatch.setattr(FastUpdate, "update", note("fast"))
    monkeypatch.setattr(SoftActorCritic, "update", note("reference"))
    for is_fast in (True, False):
        settings = LearnerConfig(hidden_sizes=(8,), batch_size=4, fast_update=is_fast)
        training = Training(settings, observation_size=2, action_size=1)
        rows = np.zeros((10, training.buffer.rows(0, 0).shape[1]), np.float32)
        training.buffer.restore(rows, 10)
        training.update(1)
    assert taken == ["fast", "reference"]


def test_another_batch_size_than_the_configured_one_is_an_error() -> None:
    _, _, fast = pair(config((8,), 16), 4, 1)
    with pytest.raises(ValueError, match=r"15.*16"):
        fast.update(dataclasses.replace(batch(0, 15, 4, 1)))
