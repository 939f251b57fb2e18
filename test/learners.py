"""The learners by name, some that have seen something, what their networks say, and whether two are alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from batches import random_batch
from sac_control.algorithms.layout import Layout, actor_layout, critic_layout
from sac_control.algorithms.learner import Learner
from sac_control.algorithms.off_policy import OffPolicy
from sac_control.algorithms.sac.native_learner import NativeLearner
from sac_control.algorithms.sac.sac_config import SacConfig
from sac_control.training.learner_config import LearnerConfig
from sac_control.training.training import Training
from sac_control.types import Float32Array

NEEDS_TORCH = pytest.mark.needs("torch")
BACKENDS = ["native", pytest.param("torch", marks=NEEDS_TORCH)]  # both make the updates of Soft Actor-Critic
Shape = tuple[tuple[int, ...], int, int, int]  # hidden layers, rows of a batch, sizes of observation and action
SMALL: Shape = ((8,), 16, 4, 1)


def off_policy(run: Training) -> OffPolicy:
    """The algorithm of a training that has a replay buffer."""
    assert isinstance(run.algorithm, OffPolicy)
    return run.algorithm


def sac(config: LearnerConfig) -> SacConfig:
    """The settings of Soft Actor-Critic in those of a training."""
    assert isinstance(config, SacConfig)
    return config


def layout_of(sac: Learner) -> Layout:
    """Where the actor's layers lie in ``actor.parameters``."""
    return actor_layout(sac.observation_size, sac.action_size, sac.config.hidden_sizes)


def kind_of(backend: str) -> type[Learner]:
    """``native``, ``torch``, or ``sac_v1``, which torch alone has."""
    if backend == "native":
        return NativeLearner
    from sac_control.algorithms.sac.readable.soft_actor_critic import SoftActorCritic
    from sac_control.algorithms.sac_v1.soft_actor_critic_v1 import SoftActorCriticV1

    kinds: dict[str, type[Learner]] = {"torch": SoftActorCritic, "sac_v1": SoftActorCriticV1}
    return kinds[backend]


def prepared(backend: str, shape: Shape = SMALL, **options: Any) -> Learner:
    """A learner from seed 3, with statistics of the same observations whatever its kind."""
    hidden_sizes, rows, o, a = shape
    config = SacConfig(hidden_sizes=hidden_sizes, batch_size=rows, **options)
    learner = kind_of(backend)(config, observation_size=o, action_size=a, seed=3)
    learner.observe(np.random.default_rng(5).normal(1.0, 3.0, (100, o)).astype(np.float32))
    learner.refresh_normalisation()
    return learner


def trained(backend: str, shape: Shape = SMALL, updates: int = 1, **options: Any) -> Learner:
    """The same after some updates."""
    learner, (_, rows, o, a) = prepared(backend, shape, **options), shape
    for number in range(updates):
        learner.update(random_batch(number, rows, o, a))
    return learner


def assert_equal(reference: Learner, other: Learner, tolerance: float) -> None:
    expected, found = reference.state(), other.state()
    assert expected.keys() == found.keys()
    for name, array in expected.items():
        assert found[name].shape == array.shape
        np.testing.assert_allclose(found[name], array, rtol=tolerance, atol=tolerance, err_msg=name)


def through(layers: list[Float32Array], x: Float32Array) -> Float32Array:
    """What networks of these weights and biases in turn make of `x`."""
    for weight, bias in zip(layers[:-2:2], layers[1:-2:2], strict=True):
        x = np.maximum(x @ weight + bias, 0.0)
    return x @ layers[-2] + layers[-1]


def values_of(sac: Learner, observation: Float32Array, action: Float32Array) -> Float32Array:
    """What the critics say of actions (b, a) for observations (b, o) that nothing normalises: (2, b)."""
    layout = critic_layout(observation.shape[1], action.shape[1], sac.config.hidden_sizes)
    return through(layout.views(sac.state()["critics.parameters"]), np.hstack([observation, action])[None])[..., 0]
