"""The actor's distribution: a Gaussian squashed to bounds by tanh. Pure functions."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import softplus

LOG_SQRT_TWO_PI = 0.5 * math.log(2.0 * math.pi)


def sample(mean: Tensor, log_std: Tensor, noise: Tensor, scale: float = 1.0) -> tuple[Tensor, Tensor]:
    """Reparameterised sample and its log-probability.

    u = mean + exp(log_std) * noise;  a = scale * tanh(u)
    log π(a) = Σ_i [log N(u_i; mean_i, std_i) - log(1 - tanh²(u_i)) - log(scale)]   (Haarnoja 2018b, appendix C)

    Args:
        mean, log_std: (b, a) of the Gaussian before the squashing.
        noise: (b, a) drawn from N(0, 1).
        scale: half the width of the action range, [-scale, scale].

    Returns:
        action (b, a) and log_prob (b,): summed over the action's dimensions, never kept as (b, 1), which would
        broadcast against (b,) to (b, b).
    """
    u = torch.addcmul(mean, log_std.exp(), noise)
    # From u, not from the action: atanh of a saturated action is infinite.
    # -log(1 - tanh²(u)) = 2 softplus(2u) - 2u - 2 log 2: 1 - tanh² itself rounds to 0 for |u| > 9 (Haarnoja 2018b,
    # appendix C). With beta=2 torch computes softplus(2u) / 2.
    constant = torch.add(-2.0 * math.log(2.0) - LOG_SQRT_TWO_PI - math.log(scale), noise.square(), alpha=-0.5)
    log_prob = torch.sub(4.0 * softplus(u, beta=2.0), u, alpha=2.0) - log_std + constant
    action = torch.tanh(u)
    return (action if scale == 1.0 else scale * action), log_prob.sum(-1)
