"""The losses of Soft Actor-Critic (Haarnoja et al. 2018b) as pure functions.

Each returns a scalar loss and the tensors worth logging; the mean of such a tensor is the figure to log. Means are
taken by whoever reads them, not in every update. Randomness comes in with the batch.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from sac_control.algorithms.sac.readable.networks import Actor, TwinCritics
from sac_control.algorithms.sac.readable.tensors import Metrics, TensorBatch


def critic_loss(
    critics: TwinCritics, targets: TwinCritics, actor: Actor, alpha: Tensor, batch: TensorBatch, gamma: float
) -> tuple[Tensor, Metrics]:
    """J_Q(θ) = Σ_i ½ E[(Q_θi(s, a) - y)²]   (equations 5 and 6)

    y = r + γ (1 - terminated) (min_i Q̄_i(s', a') - α log π(a'|s')),  a' ~ π(·|s')

    Termination stops the value and the entropy of what follows; truncation stops neither. y carries no gradient.
    """
    with torch.no_grad():
        next_action, next_log_prob = actor.sample(batch.next_observation, batch.next_noise)
        next_value = torch.min(*targets(batch.next_observation, next_action)) - alpha * next_log_prob
        # Not a product with (1 - terminated): 0 * NaN is NaN, and what follows a termination need not make sense.
        target_q = batch.reward + gamma * next_value.masked_fill(batch.terminated, 0.0)
    q_1, q_2 = critics(batch.observation, batch.action)
    loss = 0.5 * mse_loss(q_1, target_q) + 0.5 * mse_loss(q_2, target_q)
    return loss, {"critic_loss": loss.detach(), "q": torch.cat((q_1, q_2)).detach()}


def actor_loss(
    critics: TwinCritics, alpha: Tensor | float, observation: Tensor, action: Tensor, log_prob: Tensor
) -> tuple[Tensor, Metrics]:
    """J_π(φ) = E[α log π_φ(a|s) - min_i Q_θi(s, a)]   (equation 9)

    `action` (b, a) and `log_prob` (b,) are a reparameterised sample of the actor at `observation` (b, o).
    """
    q = torch.min(*critics(observation, action))
    loss = (alpha * log_prob - q).mean()
    return loss, {"actor_loss": loss.detach(), "entropy": -log_prob.detach()}


def alpha_loss(log_alpha: Tensor, log_prob: Tensor, target_entropy: float) -> tuple[Tensor, Metrics]:
    """J(α) = -E[log α (log π(a|s) + H̄)]   (equation 18, with log α in place of α)

    The gradient of this form does not shrink with α, so a temperature that came near 0 finds its way back.
    `target_entropy` H̄ is of the whole action: per dimension times number of dimensions.
    """
    loss = -log_alpha * (log_prob.detach() + target_entropy).mean()
    return loss, {"alpha_loss": loss.detach()}
