"""Random batches as the losses of the reference take them: in torch."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from batches import random_batch
from sac_control.algorithms.normaliser import Normaliser
from sac_control.algorithms.sac.readable.tensors import TensorBatch, tensor_batches


def random_tensors(seed: int, rows: int = 32, observation_size: int = 3, action_size: int = 1) -> TensorBatch:
    """A random batch as the losses take it, with its noise."""
    noise = np.random.default_rng(seed + 1000).standard_normal((1, 2, rows, action_size), np.float32)
    batch = random_batch(seed, rows, observation_size, action_size)
    (tensors,) = tensor_batches(batch, noise, Normaliser(observation_size), 1.0, torch.device("cpu"))
    return tensors


def row_of(batch: TensorBatch, rows: slice) -> TensorBatch:
    """Some rows of a batch."""
    return TensorBatch(**{field.name: getattr(batch, field.name)[rows] for field in dataclasses.fields(TensorBatch)})
