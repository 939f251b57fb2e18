"""Gaussians of independent components, by mean and log σ. Nothing is squashed or clipped here."""

from __future__ import annotations

import math

from torch import Tensor

_LOG_2_PI = math.log(2.0 * math.pi)


def log_prob(u: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """Log N(u; μ, σ²) = -½ Σ_i [((u_i - μ_i) / σ_i)² + 2 log σ_i + log 2π], (b,) for u, μ and log σ of (b, a)."""
    z = (u - mean) / log_std.exp()
    return -0.5 * (z.square() + 2.0 * log_std + _LOG_2_PI).sum(-1)


def entropy(log_std: Tensor) -> Tensor:
    """H = Σ_i [log σ_i + ½ log 2πe], (b,) [nat] for log σ of (b, a)."""
    return (log_std + 0.5 * (_LOG_2_PI + 1.0)).sum(-1)


def kl(old_mean: Tensor, old_log_std: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """D_KL(old ‖ new), (b,) [nat], of Gaussians (b, a).

    Σ_i [log σ_i - log σ'_i + (σ'_i² + (μ'_i - μ_i)²) / 2σ_i² - ½], where what has a prime is the old one's.
    """
    variance = (2.0 * log_std).exp()
    spread = ((2.0 * old_log_std).exp() + (old_mean - mean).square()) / (2.0 * variance)
    return (log_std - old_log_std + spread - 0.5).sum(-1)
