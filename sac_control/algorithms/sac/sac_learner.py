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

    @property
    def alpha_learning_rate(self) -> float:
        """Of the temperature, before `learning_rate_scale`."""
        return self.config.hardening_alpha_learning_rate if self.is_varied else self.config.alpha_learning_rate

    def note_solved(self) -> None:
        config = self.config
        target = config.hardening_target_entropy if self.is_varied else config.solved_target_entropy
        self.target_entropy[()] = target * self.action_size

    def _own_arrays(self) -> dict[str, Array]:
        return super()._own_arrays() | {"target_entropy": self.target_entropy}
