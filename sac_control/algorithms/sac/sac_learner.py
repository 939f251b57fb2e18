"""What both learners of Soft Actor-Critic have: the entropy that the temperature aims at."""

from __future__ import annotations

import numpy as np

from sac_control.algorithms.learner import Learner
from sac_control.algorithms.sac.sac_config import SacConfig
from sac_control.types import Array


class SacLearner(Learner):
    """`readable/` says its updates with torch, `native/` makes the same numbers several times as fast on a CPU.

    Same seed, same batches: same start, same noise.

    Attributes:
        target_entropy: () float64, H̄ of the whole action [nat]: per dimension times number of dimensions; saved with
            the state, since it changes when the task is solved.
    """

    config: SacConfig

    def __init__(self, config: SacConfig, *, observation_size: int, action_size: int, seed: int) -> None:
        super().__init__(config, observation_size=observation_size, action_size=action_size, seed=seed)
        self.target_entropy = np.array(config.target_entropy * action_size)

    @property
    def metric_names(self) -> tuple[str, ...]:
        return ("critic_loss", "q", "actor_loss", "entropy", "alpha_loss", "alpha")

    def note_solved(self) -> None:
        self.target_entropy[()] = self.config.solved_target_entropy * self.action_size

    def _own_arrays(self) -> dict[str, Array]:
        return super()._own_arrays() | {"target_entropy": self.target_entropy}
