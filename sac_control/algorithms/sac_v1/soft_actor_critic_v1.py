"""Soft Actor-Critic as it was first published (Haarnoja et al. 2018a): a value network, and rewards that are scaled.

Symbols are the paper's: π_φ, Q_θ1, Q_θ2, V_ψ and its target V_ψ̄. There is no temperature: the scale of the rewards is
its inverse. The log-probability has the stable form of `squashed_gaussian.py`, on normalised actions.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from torch.optim import Adam

from sac_control.algorithms.layout import Layout, critic_layout
from sac_control.algorithms.sac.readable.arrays import Trained, from_vector, in_order
from sac_control.algorithms.sac.readable.losses import actor_loss
from sac_control.algorithms.sac.readable.networks import TwinCritics, fully_connected, polyak_update
from sac_control.algorithms.sac.readable.tensors import Metrics, TensorBatch
from sac_control.algorithms.sac.readable.torch_learner import TorchLearner, minimise
from sac_control.algorithms.sac_v1.sac_v1_config import SacV1Config


class Value(nn.Module):
    """V_ψ(s)."""

    def __init__(self, observation_size: int, hidden_sizes: Sequence[int]) -> None:
        super().__init__()
        self.network = fully_connected((observation_size, *hidden_sizes, 1))

    def forward(self, observation: Tensor) -> Tensor:
        """V, (b,), for normalised observations (b, o)."""
        values: Tensor = self.network(observation).squeeze(-1)
        return values


def value_loss(
    value: Value, critics: TwinCritics, observation: Tensor, action: Tensor, log_prob: Tensor
) -> tuple[Tensor, Metrics]:
    """J_V(ψ) = ½ E[(V_ψ(s) - (min_i Q_θi(s, a) - log π_φ(a|s)))²],  a ~ π_φ(·|s)   (equation 5)

    `action` (b, a) and `log_prob` (b,) are a sample of the policy at `observation`, never the action of the transition.
    The target carries no gradient.
    """
    with torch.no_grad():
        target_v = torch.min(*critics(observation, action)) - log_prob
    loss = 0.5 * mse_loss(value(observation), target_v)
    return loss, {"value_loss": loss.detach()}


def critic_loss(critics: TwinCritics, target_value: Value, batch: TensorBatch, gamma: float) -> tuple[Tensor, Metrics]:
    """J_Q(θ) = Σ_i ½ E[(Q_θi(s, a) - Q̂)²]   (equation 7),  Q̂ = r + γ (1 - terminated) V_ψ̄(s')   (equation 8)

    The rewards of `batch` are scaled already.
    """
    with torch.no_grad():
        # Not a product with (1 - terminated): 0 * NaN is NaN, and what follows a termination need not make sense.
        next_value = target_value(batch.next_observation).masked_fill(batch.terminated, 0.0)
        target_q = batch.reward + gamma * next_value
    q_1, q_2 = critics(batch.observation, batch.action)
    loss = 0.5 * mse_loss(q_1, target_q) + 0.5 * mse_loss(q_2, target_q)
    return loss, {"critic_loss": loss.detach(), "q": torch.cat((q_1, q_2)).detach()}


class SoftActorCriticV1(TorchLearner):
    """The algorithm by autograd. The same seed and the same batches give the same numbers."""

    def __init__(self, config: SacV1Config, *, observation_size: int, action_size: int, seed: int) -> None:
        super().__init__(config, observation_size=observation_size, action_size=action_size, seed=seed)
        sizes = (observation_size, action_size, config.hidden_sizes)
        self.critics = TwinCritics(*sizes).to(self.device)
        from_vector(in_order(self.critics.q_1, self.critics.q_2), critic_layout(*sizes).initial(self.generator))
        self.value = Value(observation_size, config.hidden_sizes).to(self.device)
        layout = Layout((observation_size, *config.hidden_sizes, 1))
        from_vector(self.value.parameters(), layout.initial(self.generator))
        self.target_value = copy.deepcopy(self.value).requires_grad_(False)
        self.critic_optimiser = Adam(self.critics.parameters(), config.critic_learning_rate, fused=True)
        self.value_optimiser = Adam(self.value.parameters(), config.critic_learning_rate, fused=True)

    @property
    def metric_names(self) -> tuple[str, ...]:
        return ("value_loss", "critic_loss", "q", "actor_loss", "entropy", "alpha")

    def _update(self, batch: TensorBatch, is_actors_turn: bool, is_targets_turn: bool) -> Metrics:
        """Improve value, actor, critics and target value once, in this order, on one batch.

        One sample of the policy serves value and actor, as in the authors' code.
        """
        config = self.config
        action, log_prob = self.actor.sample(batch.observation, batch.noise)

        loss, metrics = value_loss(self.value, self.critics, batch.observation, action, log_prob)
        minimise(loss, self.value_optimiser, config.max_gradient_norm)

        if is_actors_turn:  # equation 12 is the actor's loss of today at a temperature of 1
            loss, figures = actor_loss(self.critics, 1.0, batch.observation, action, log_prob)
            minimise(loss, self.actor_optimiser, config.max_gradient_norm)
            metrics |= figures

        loss, figures = critic_loss(self.critics, self.target_value, batch, config.gamma)
        minimise(loss, self.critic_optimiser, config.max_gradient_norm)
        metrics |= figures

        if is_targets_turn:
            polyak_update(self.target_value, self.value, config.tau)
        return metrics | {"alpha": torch.tensor(1.0 / config.reward_scale)}  # what the temperature would be

    def _trained(self) -> dict[str, Trained]:
        return {
            "actor": Trained(in_order(self.actor), self.actor_optimiser),
            "critics": Trained(in_order(self.critics.q_1, self.critics.q_2), self.critic_optimiser),
            "value": Trained(in_order(self.value), self.value_optimiser),
            "target_value": Trained(in_order(self.target_value)),
        }

    def _value_networks(self) -> list[nn.Module]:
        return [self.critics.q_1, self.critics.q_2, self.value, self.target_value]
