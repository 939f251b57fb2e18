"""Settings of Soft Actor-Critic as it was first published."""

from __future__ import annotations

from dataclasses import dataclass

from sac_control.algorithms.learner import Learner
from sac_control.algorithms.sac.exploration_config import ExplorationConfig
from sac_control.algorithms.torch_presence import check_torch
from sac_control.option import option


@dataclass(frozen=True, kw_only=True)
class SacV1Config(ExplorationConfig):
    """Soft Actor-Critic with a value network and scaled rewards (Haarnoja et al. 2018a): it has no temperature."""

    reward_scale: float = option(
        1.0, "factor of the rewards in the losses, the inverse of a temperature", low=1e-6, high=1e6
    )

    def check(self, *, observation_size: int, action_size: int) -> None:
        """Refuse to begin without torch, too."""
        super().check(observation_size=observation_size, action_size=action_size)
        check_torch("learner.algorithm sac_v1")

    def make_learner(self, *, observation_size: int, action_size: int, seed: int) -> Learner:
        """The updates by autograd: there are no others."""
        from sac_control.algorithms.sac_v1.soft_actor_critic_v1 import SoftActorCriticV1

        return SoftActorCriticV1(self, observation_size=observation_size, action_size=action_size, seed=seed)
