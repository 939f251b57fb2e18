"""Soft Actor-Critic as it was first published (Haarnoja et al. 2018a): a value network, and rewards that are scaled.

Symbols are the paper's: π_φ, Q_θ1, Q_θ2, V_ψ and its target V_ψ̄. There is no temperature: the scale of the rewards is
its inverse. The log-probability has the stable form of `squashed_gaussian.py`, on normalised actions.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from sac_control.algorithms.layout import Layout, critic_layout
from sac_control.algorithms.sac.readable.adam import Adam
from sac_control.algorithms.sac.readable.cuda_graph import Scale
from sac_control.algorithms.sac.readable.losses import actor_loss
from sac_control.algorithms.sac.readable.networks import TwinCritics, Value
from sac_control.algorithms.sac.readable.parameters import Parameters
from sac_control.algorithms.sac.readable.tensors import Metrics, TensorBatch
from sac_control.algorithms.sac.readable.torch_learner import TorchLearner
from sac_control.algorithms.sac_v1.sac_v1_config import SacV1Config


def value_loss(
    value: Value, critics: TwinCritics, observation: Tensor, action: Tensor, log_prob: Tensor
) -> tuple[Tensor, Metrics]:
    """J_V(ψ) = ½ E[(V_ψ(s) - (min_i Q_θi(s, a) - log π_φ(a|s)))²],  a ~ π_φ(·|s)   (equation 5)

    `action` (b, a) and `log_prob` (b,) are a sample of the policy at `observation`, never the action of the transition.
    The target carries no gradient.
    """
    with torch.no_grad():
        target_v = critics.values(observation, action).amin(0) - log_prob
    loss = 0.5 * mse_loss(value.values(observation), target_v)
    return loss, {"value_loss": loss.detach()}


def critic_loss(critics: TwinCritics, target_value: Value, batch: TensorBatch, gamma: float) -> tuple[Tensor, Metrics]:
    """J_Q(θ) = Σ_i ½ E[(Q_θi(s, a) - Q̂)²]   (equation 7),  Q̂ = r + γ (1 - terminated) V_ψ̄(s')   (equation 8)

    The rewards of `batch` are scaled already.
    """
    with torch.no_grad():
        # Not a product with (1 - terminated): 0 * NaN is NaN, and what follows a termination need not make sense.
        next_value = target_value.values(batch.next_observation).masked_fill(batch.terminated, 0.0)
        target_q = batch.reward + gamma * next_value
    q = critics.values(batch.observation, batch.action)
    loss = mse_loss(q, target_q.expand_as(q))  # the mean over both critics is the half of their sum
    return loss, {"critic_loss": loss.detach(), "q": q.detach()}


class SoftActorCriticV1(TorchLearner):
    """The algorithm by autograd. The same seed and the same batches give the same numbers."""

    def __init__(self, config: SacV1Config, *, observation_size: int, action_size: int, seed: int) -> None:
        super().__init__(config, observation_size=observation_size, action_size=action_size, seed=seed)
        layout = critic_layout(observation_size, action_size, config.hidden_sizes)
        self.critics = TwinCritics(layout.shapes, layout.initial(self.generator), self.device)
        layout = Layout((observation_size, *config.hidden_sizes, 1))
        values = layout.initial(self.generator)
        self.value = Value(layout.shapes, values, self.device)
        self.target_value = Value(layout.shapes, values, self.device)
        rate, clip = config.critic_learning_rate, config.max_gradient_norm
        self.critic_adam, self.value_adam = Adam(self.critics, rate, clip), Adam(self.value, rate, clip)
        self._alpha = torch.tensor(1.0 / config.reward_scale, device=self.device)  # what the temperature would be
        self._one = torch.ones((), device=self.device)

    @property
    def metric_names(self) -> tuple[str, ...]:
        return ("value_loss", "critic_loss", "q", "actor_loss", "entropy", "alpha")

    def _update(self, batch: TensorBatch, scale: Scale, is_actors_turn: bool, is_targets_turn: bool) -> Metrics:
        """Improve value, actor, critics and target value once, in this order, on one batch.

        One sample of the policy serves value and actor, as in the authors' code.
        """
        config = self.config
        action, log_prob = self.actor.sample(batch.observation, batch.noise)

        loss, metrics = value_loss(self.value, self.critics, batch.observation, action, log_prob)
        self.value_adam.minimise(loss, scale)

        if is_actors_turn:  # equation 12 is the actor's loss of today at a temperature of 1
            loss, figures = actor_loss(self.critics, self._one, batch.observation, action, log_prob)
            self.actor_adam.minimise(loss, scale)
            metrics |= figures

        loss, figures = critic_loss(self.critics, self.target_value, batch, config.gamma)
        self.critic_adam.minimise(loss, scale)
        metrics |= figures

        if is_targets_turn:
            self.target_value.flat.lerp_(self.value.flat, config.tau)  # ψ̄ ← (1 - τ) ψ̄ + τ ψ
        return metrics | {"alpha": self._alpha}

    def _trained(self) -> dict[str, tuple[Parameters, Adam | None]]:
        return {
            "actor": (self.actor, self.actor_adam),
            "critics": (self.critics, self.critic_adam),
            "value": (self.value, self.value_adam),
            "target_value": (self.target_value, None),
        }

    def _value_networks(self) -> list[Parameters]:
        return [self.critics, self.value, self.target_value]
