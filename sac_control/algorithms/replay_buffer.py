"""Replay buffer: the newest transitions, and uniform samples of them. Knows nothing of ROS or of SAC."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sac_control.algorithms.transition_check import check_size, check_values
from sac_control.errors import ConfigError, TransitionError
from sac_control.types import Float32Array, Transition


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """k batches of b transitions each."""

    observation: Float32Array  # (k, b, o)
    action: Float32Array  # (k, b, a), in [-1, 1]
    reward: Float32Array  # (k, b)
    next_observation: Float32Array  # (k, b, o)
    terminated: NDArray[np.bool_]  # (k, b); a truncation is none


def check_memory(capacity: int, observation_size: int, action_size: int) -> None:
    """Refuse a buffer of `capacity` rows that this computer could never hold.

    Raises:
        ConfigError: its rows are larger than the memory.
    """
    needed = 4 * capacity * (2 * observation_size + action_size + 2)  # [bytes]
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > memory:
        raise ConfigError(
            f"learner.buffer_capacity is {capacity}: its rows take {needed / 2**30:.1f} GiB, and this computer has "
            f"{memory / 2**30:.1f}; expected at most {capacity * memory // needed}"
        )


class ReplayBuffer:
    """A ring of rows ``[observation | action | reward | next_observation | terminated]`` in one float32 matrix.

    Rows are counted from the first ever added: row `i` lies at place ``i % capacity``, and the newest `capacity` rows
    exist. Memory is taken from the system as rows are first written, so a large capacity costs nothing at the start.

    Args:
        capacity: rows kept.
        observation_size, action_size: o and a.
        seed: of the sampling.
        mirror: signs of the observation's terms, (o,) float32, in the mirror image of the task. With them, a sample is
            drawn from the transitions and their mirror images alike; None draws from the transitions alone.
    """

    def __init__(
        self,
        *,
        capacity: int,
        observation_size: int,
        action_size: int,
        seed: int,
        mirror: Float32Array | None = None,
    ) -> None:
        self.capacity = capacity
        self.observation_size = observation_size
        self.action_size = action_size
        self.added = 0  # rows ever added
        self.generator = np.random.default_rng(seed)
        self._widths = [observation_size, action_size, 1, observation_size, 1]
        check_memory(capacity, observation_size, action_size)
        self._rows = np.empty((capacity, sum(self._widths)), np.float32)
        self._signs: Float32Array | None = None  # of a whole row, in the mirror image
        if mirror is not None:
            action, same = np.full(action_size, -1.0, np.float32), np.ones(1, np.float32)
            self._signs = np.concatenate([mirror, action, same, mirror, same])
        self._last = np.empty(sum(self._widths), np.float32)

    def __len__(self) -> int:
        return min(self.added, self.capacity)

    def add(self, transition: Transition) -> None:
        """Keep a transition; it overwrites the oldest when the buffer is full.

        Raises:
            TransitionError: it has a wrong size, a value that is not finite, or an action outside [-1, 1].
        """
        check_size("observation", transition.observation, self.observation_size)
        check_size("action", transition.action, self.action_size)
        check_size("next_observation", transition.next_observation, self.observation_size)
        o, a = self.observation_size, self.action_size
        row = self._last
        row[:o] = transition.observation
        row[o : o + a] = transition.action
        with np.errstate(over="ignore"):  # an infinity is found below
            row[o + a] = transition.reward
        row[o + a + 1 : -1] = transition.next_observation
        row[-1] = transition.terminated
        check_values(transition, row, row[o : o + a])
        self._rows[self.added % self.capacity] = row
        self.added += 1

    def sample(self, batch_size: int, batches: int = 1) -> Batch:
        """Uniform samples with replacement: `batches` batches, drawn together."""
        if not self.added:
            raise ValueError("cannot sample from an empty replay buffer: add a transition first")
        shape = (batches, batch_size)
        if self._signs is None:
            return self._batch(self._rows[self.generator.integers(len(self), size=shape)])
        draws = self.generator.integers(2 * len(self), size=shape)  # of the transitions and their mirror images
        rows = self._rows[draws >> 1]
        np.multiply(rows, self._signs, out=rows, where=(draws & 1)[..., None].astype(bool))
        return self._batch(rows)

    def mean_reward(self, floor: float = -math.inf) -> float:
        """Mean reward of the transitions kept, each at least `floor`."""
        rewards = self._rows[: len(self), self.observation_size + self.action_size]
        return float(np.maximum(rewards, np.float32(floor)).mean(dtype=np.float64))

    def rows(self, start: int, stop: int) -> Float32Array:
        """A copy of the rows `start` to `stop` (exclusive), (n, row) float32, counted from the first ever added."""
        oldest = self.added - len(self)
        if not oldest <= start <= stop <= self.added:
            raise ValueError(f"rows {start} to {stop} are asked for, the buffer holds {oldest} to {self.added}")
        rows: Float32Array = self._rows[np.arange(start, stop) % self.capacity]
        return rows

    def restore(self, rows: Float32Array, added: int) -> None:
        """Take over `rows` (n, row) as the newest of `added` rows, as `rows()` gave them."""
        width = self._rows.shape[1]
        if rows.ndim != 2 or rows.shape[1] != width:
            raise TransitionError(
                f"saved transitions have shape {rows.shape}, expected (n, {width}): they are of another task"
            )
        if len(rows) < min(added, self.capacity):
            raise TransitionError(f"{len(rows)} saved transitions were found, expected {min(added, self.capacity)}")
        newest = rows[len(rows) - min(added, self.capacity) :]
        self._rows[np.arange(added - len(newest), added) % self.capacity] = newest
        self.added = added

    def _batch(self, rows: Any) -> Batch:
        """Views of the columns of sampled rows, (k, b, row)."""
        stops = [0, *np.cumsum(self._widths).tolist()]
        observation, action, reward, next_observation, terminated = (rows[..., i:j] for i, j in pairwise(stops))
        return Batch(
            observation=observation,
            action=action,
            reward=reward[..., 0],
            next_observation=next_observation,
            terminated=terminated[..., 0] != 0.0,
        )
