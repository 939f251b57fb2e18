"""Updates per second of the learner alone, at the size of the task and at the size of the literature."""

from __future__ import annotations

import statistics
import time
from typing import Any

import numpy as np

from sac_control.config import LearnerConfig
from sac_control.sac.training import Training
from sac_control.types import Transition

SIZES = {"64x64, batch 128": ((64, 64), 128), "256x256, batch 256": ((256, 256), 256)}
SLICE = 16  # updates per call, as in a training
TIME_PER_ROUND = 1.0  # [s]


def measure(rounds: int) -> dict[str, Any]:
    """Median updates per second of each size; the sizes take turns, since machines are noisy."""
    trainings = {name: _training(hidden, batch) for name, (hidden, batch) in SIZES.items()}
    rates: dict[str, list[float]] = {name: [] for name in SIZES}
    for _ in range(rounds):
        for name, training in trainings.items():
            rates[name].append(_rate(training))
    return {name: {"updates_per_second": statistics.median(values), "rounds": values} for name, values in rates.items()}


def _training(hidden_sizes: tuple[int, ...], batch_size: int) -> Training:
    config = LearnerConfig(hidden_sizes=hidden_sizes, batch_size=batch_size)
    training = Training(config, observation_size=5, action_size=1)
    rng = np.random.default_rng(0)
    for sequence in range(2000):
        training.ingest(
            Transition(
                source=1,
                sequence=sequence,
                episode=0,
                step=sequence,
                stamp=sequence,
                policy_version=0,
                observation=rng.standard_normal(5).astype(np.float32),
                action=rng.uniform(-1.0, 1.0, 1).astype(np.float32),
                reward=1.0,
                next_observation=rng.standard_normal(5).astype(np.float32),
                terminated=bool(rng.random() < 0.05),
                truncated=False,
            )
        )
    training.update(SLICE)  # warm
    return training


def _rate(training: Training) -> float:
    updates, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < TIME_PER_ROUND:
        training.update(SLICE)
        updates += SLICE
    return updates / elapsed
