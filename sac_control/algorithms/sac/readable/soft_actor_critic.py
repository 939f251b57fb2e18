"""Soft Actor-Critic with two critics and a learnt temperature (Haarnoja et al. 2018b): one update on one page."""

from __future__ import annotations

import math

import numpy as np

from sac_control.algorithms.layout import critic_layout
from sac_control.algorithms.sac.readable.adam import Adam
from sac_control.algorithms.sac.readable.cuda_graph import Scale
from sac_control.algorithms.sac.readable.losses import actor_loss, alpha_loss, critic_loss
from sac_control.algorithms.sac.readable.networks import TwinCritics
from sac_control.algorithms.sac.readable.parameters import Parameters
from sac_control.algorithms.sac.readable.tensors import Metrics, TensorBatch
from sac_control.algorithms.sac.readable.torch_learner import TorchLearner
from sac_control.algorithms.sac.sac_config import SacConfig
from sac_control.algorithms.sac.sac_learner import SacLearner


class SoftActorCritic(TorchLearner, SacLearner):
    """The algorithm by autograd. The same seed and the same batches give the same numbers."""

    def __init__(self, config: SacConfig, *, observation_size: int, action_size: int, seed: int) -> None:
        super().__init__(config, observation_size=observation_size, action_size=action_size, seed=seed)
        layout = critic_layout(observation_size, action_size, config.hidden_sizes)
        values = layout.initial(self.generator)
        self.critics = TwinCritics(layout.shapes, values, self.device)
        self.targets = TwinCritics(layout.shapes, values, self.device)
        self.temperature = Parameters([()], np.full(1, math.log(config.alpha), np.float32), self.device)  # log α
        self.critic_adam = Adam(self.critics, config.critic_learning_rate, config.max_gradient_norm)
        self.alpha_adam = Adam(self.temperature, config.alpha_learning_rate)

    def _update(self, batch: TensorBatch, scale: Scale, is_actors_turn: bool, is_targets_turn: bool) -> Metrics:
        """Improve temperature, critics, actor and targets once, in this order, on one batch.

        The order is that of stable-baselines3: one sample of the policy serves temperature and actor, and α is that of
        before its step throughout. Optimisers differentiate by their own network only: the actor's step leaves no
        gradient with the critics.
        """
        config, metrics = self.config, Metrics()
        (log_alpha,) = self.temperature.tensors
        alpha = metrics["alpha"] = log_alpha.detach().exp()

        if is_actors_turn:
            action, log_prob = self.actor.sample(batch.observation, batch.noise)
            if config.learn_alpha:
                loss, figures = alpha_loss(log_alpha, log_prob, float(self.target_entropy))
                self.alpha_adam.minimise(loss, scale)
                metrics |= figures

        loss, figures = critic_loss(self.critics, self.targets, self.actor, alpha, batch, config.gamma)
        self.critic_adam.minimise(loss, scale)
        metrics |= figures

        if is_actors_turn:
            loss, figures = actor_loss(self.critics, alpha, batch.observation, action, log_prob)
            self.actor_adam.minimise(loss, scale)
            metrics |= figures

        if is_targets_turn:
            self.targets.flat.lerp_(self.critics.flat, config.tau)  # Q̄ ← (1 - τ) Q̄ + τ Q
        return metrics

    def _trained(self) -> dict[str, tuple[Parameters, Adam | None]]:
        return {
            "actor": (self.actor, self.actor_adam),
            "critics": (self.critics, self.critic_adam),
            "targets": (self.targets, None),
            "log_alpha": (self.temperature, self.alpha_adam),
        }

    def _value_networks(self) -> list[Parameters]:
        return [self.critics, self.targets]
