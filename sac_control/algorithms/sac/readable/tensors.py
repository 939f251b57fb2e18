"""One batch as tensors on the learner's device, with normalised observations and scaled rewards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from sac_control.algorithms.normaliser import Normaliser
from sac_control.algorithms.replay_buffer import Batch
from sac_control.types import Array, Float32Array

Metrics = dict[str, Tensor]  # the mean of each tensor is the figure to log


@dataclass(frozen=True, kw_only=True, slots=True)
class TensorBatch:
    """What one update works on."""

    observation: Tensor  # (b, o) float32, normalised
    action: Tensor  # (b, a) float32, in [-1, 1]
    reward: Tensor  # (b,) float32, scaled
    next_observation: Tensor  # (b, o) float32, normalised
    terminated: Tensor  # (b,) bool
    noise: Tensor  # (b, a) float32 from N(0, 1), of the policy's action at `observation`
    next_noise: Tensor  # (b, a) float32 from N(0, 1), of the policy's action at `next_observation`


def tensor_batches(
    batch: Batch, noise: Float32Array, normaliser: Normaliser, reward_scale: float, device: torch.device
) -> Iterator[TensorBatch]:
    """The k batches one by one; they are moved to the device together. `noise` is (k, 2, b, a)."""

    def moved(array: Array) -> Tensor:
        return torch.as_tensor(array, device=device)

    mean, std = moved(normaliser.mean), moved(normaliser.std)
    observation = (moved(batch.observation) - mean) / std
    next_observation = (moved(batch.next_observation) - mean) / std
    action, reward = moved(batch.action), reward_scale * moved(batch.reward)
    terminated, noises = moved(batch.terminated), moved(noise)
    for i in range(len(reward)):
        yield TensorBatch(
            observation=observation[i],
            action=action[i],
            reward=reward[i],
            next_observation=next_observation[i],
            terminated=terminated[i],
            noise=noises[i, 0],
            next_noise=noises[i, 1],
        )
