"""Soft Actor-Critic with two critics and a learnt temperature (Haarnoja et al. 2018b): one update on one page."""

from __future__ import annotations

import copy
import math

import torch
from torch import nn
from torch.optim import Adam

from sac_control.algorithms.layout import critic_layout
from sac_control.algorithms.sac.readable.arrays import Trained, from_vector, in_order
from sac_control.algorithms.sac.readable.losses import actor_loss, alpha_loss, critic_loss
from sac_control.algorithms.sac.readable.networks import TwinCritics, polyak_update
from sac_control.algorithms.sac.readable.tensors import Metrics, TensorBatch
from sac_control.algorithms.sac.readable.torch_learner import TorchLearner, minimise
from sac_control.algorithms.sac.sac_config import SacConfig
from sac_control.algorithms.sac.sac_learner import SacLearner


class SoftActorCritic(TorchLearner, SacLearner):
    """The algorithm by autograd. The same seed and the same batches give the same numbers."""

    def __init__(self, config: SacConfig, *, observation_size: int, action_size: int, seed: int) -> None:
        super().__init__(config, observation_size=observation_size, action_size=action_size, seed=seed)
        sizes = (observation_size, action_size, config.hidden_sizes)
        self.critics = TwinCritics(*sizes).to(self.device)
        from_vector(in_order(self.critics.q_1, self.critics.q_2), critic_layout(*sizes).initial(self.generator))
        self.targets = copy.deepcopy(self.critics).requires_grad_(False)
        self.log_alpha = nn.Parameter(torch.tensor(math.log(config.alpha), device=self.device))
        self.critic_optimiser = Adam(self.critics.parameters(), config.critic_learning_rate, fused=True)
        self.alpha_optimiser = Adam([self.log_alpha], config.alpha_learning_rate, fused=True)

    def _scale_learning_rates(self) -> None:
        super()._scale_learning_rates()
        for group in self.alpha_optimiser.param_groups:
            group["lr"] = self.alpha_learning_rate * float(self.learning_rate_scale)

    def _update(self, batch: TensorBatch, is_actors_turn: bool, is_targets_turn: bool) -> Metrics:
        """Improve temperature, critics, actor and targets once, in this order, on one batch.

        The order is that of stable-baselines3: one sample of the policy serves temperature and actor, and α is that of
        before its step throughout.
        """
        config, metrics = self.config, Metrics()
        alpha = metrics["alpha"] = self.log_alpha.detach().exp()

        if is_actors_turn:
            action, log_prob = self.actor.sample(batch.observation, batch.noise)
            if config.learn_alpha:
                loss, figures = alpha_loss(self.log_alpha, log_prob, float(self.target_entropy))
                minimise(loss, self.alpha_optimiser)
                metrics |= figures

        loss, figures = critic_loss(self.critics, self.targets, self.actor, alpha, batch, config.gamma)
        minimise(loss, self.critic_optimiser, config.max_gradient_norm)
        metrics |= figures

        if is_actors_turn:
            loss, figures = actor_loss(self.critics, alpha, batch.observation, action, log_prob)
            minimise(loss, self.actor_optimiser, config.max_gradient_norm)
            metrics |= figures

        if is_targets_turn:
            polyak_update(self.targets, self.critics, config.tau)
        return metrics

    def _trained(self) -> dict[str, Trained]:
        return {
            "actor": Trained(in_order(self.actor), self.actor_optimiser),
            "critics": Trained(in_order(self.critics.q_1, self.critics.q_2), self.critic_optimiser),
            "targets": Trained(in_order(self.targets.q_1, self.targets.q_2)),
            "log_alpha": Trained([self.log_alpha], self.alpha_optimiser),
        }

    def _value_networks(self) -> list[nn.Module]:
        return [self.critics.q_1, self.critics.q_2, self.targets.q_1, self.targets.q_2]
