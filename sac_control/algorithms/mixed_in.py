"""Transitions that others made, as a share of each batch (as in RLPD, Ball et al. 2023). Knows nothing of bags."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sac_control.algorithms.replay_buffer import Batch, ReplayBuffer
from sac_control.errors import ConfigError
from sac_control.types import Float32Array, Transition

_STREAM = 3  # of random numbers, unrelated to those of the learner and of the buffer


class MixedIn:
    """Recorded transitions.

    Args:
        recorded: at least one.
        share: of a batch, from 0 to less than 1.
        observation_size, action_size: o and a.
        mirror: see ReplayBuffer.
        seed: of the sampling.

    Raises:
        ConfigError: there is none.
        TransitionError: one of them has a wrong size, a value that is not finite, or an impossible action.
    """

    def __init__(
        self,
        recorded: Sequence[Transition],
        share: float,
        *,
        observation_size: int,
        action_size: int,
        mirror: Float32Array | None,
        seed: int,
    ) -> None:
        if not recorded:
            raise ConfigError("there are no recorded transitions to mix in: give a bag that holds some")
        (stream,) = np.random.SeedSequence((seed, _STREAM)).generate_state(1).tolist()
        self._share = share
        self.buffer = ReplayBuffer(
            capacity=len(recorded),
            observation_size=observation_size,
            action_size=action_size,
            seed=stream,
            mirror=mirror,
        )
        for transition in recorded:
            self.buffer.add(transition)

    def mixed(self, own: ReplayBuffer, batch_size: int, batches: int) -> Batch:
        """Batches of which the last rows are recorded ones; at least one row is of either kind, where there are two."""
        count = min(max(1, round(self._share * batch_size)), batch_size - 1)
        if count == 0:
            return own.sample(batch_size, batches)
        ours, theirs = own.sample(batch_size - count, batches), self.buffer.sample(count, batches)
        return Batch(
            observation=np.concatenate([ours.observation, theirs.observation], axis=1),
            action=np.concatenate([ours.action, theirs.action], axis=1),
            reward=np.concatenate([ours.reward, theirs.reward], axis=1),
            next_observation=np.concatenate([ours.next_observation, theirs.next_observation], axis=1),
            terminated=np.concatenate([ours.terminated, theirs.terminated], axis=1),
        )
