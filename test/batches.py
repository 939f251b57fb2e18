"""Random batches for tests of the learners."""

from __future__ import annotations

import dataclasses

import numpy as np

from sac_control.algorithms.replay_buffer import Batch


def random_batch(seed: int, rows: int = 32, observation_size: int = 3, action_size: int = 1, batches: int = 1) -> Batch:
    """`batches` batches of transitions that are related to nothing, a fifth of them terminated."""
    rng, shape = np.random.default_rng(seed), (batches, rows)
    return Batch(
        observation=rng.standard_normal((*shape, observation_size), np.float32),
        action=rng.uniform(-1.0, 1.0, (*shape, action_size)).astype(np.float32),
        reward=rng.standard_normal(shape, np.float32),
        next_observation=rng.standard_normal((*shape, observation_size), np.float32),
        terminated=rng.random(shape) < 0.2,
    )


def part(batch: Batch, batches: slice) -> Batch:
    """Some of the k batches."""
    return Batch(**{field.name: getattr(batch, field.name)[batches] for field in dataclasses.fields(Batch)})
