"""Actor and twin critics: fully connected networks with ReLU between their layers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from sac_control.algorithms.learner import LOG_STD_BOUNDS
from sac_control.algorithms.sac.readable import squashed_gaussian


def fully_connected(widths: Sequence[int]) -> nn.Sequential:
    """Linear layers from `widths[0]` inputs to `widths[-1]` outputs, with ReLU between them."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Actor(nn.Module):
    """π_φ(a|s): a squashed Gaussian over [-1, 1], with its mean and log standard deviation from one network."""

    def __init__(self, observation_size: int, action_size: int, hidden_sizes: Sequence[int]) -> None:
        super().__init__()
        self.network = fully_connected((observation_size, *hidden_sizes, 2 * action_size))

    def forward(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log_std before the squashing, (b, a) each, for normalised observations (b, o)."""
        mean, log_std = self.network(observation).chunk(2, dim=-1)
        return mean, log_std.clamp(*LOG_STD_BOUNDS)

    def sample(self, observation: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Reparameterised actions (b, a) and their log-probabilities (b,); noise (b, a) is from N(0, 1)."""
        mean, log_std = self(observation)
        return squashed_gaussian.sample(mean, log_std, noise)


class TwinCritics(nn.Module):
    """Q_θ1(s, a) and Q_θ2(s, a): the smaller of two estimates overestimates less."""

    def __init__(self, observation_size: int, action_size: int, hidden_sizes: Sequence[int]) -> None:
        super().__init__()
        widths = (observation_size + action_size, *hidden_sizes, 1)
        self.q_1, self.q_2 = fully_connected(widths), fully_connected(widths)

    def forward(self, observation: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        """Q_1 and Q_2, (b,) each, for normalised observations (b, o) and actions (b, a)."""
        inputs = torch.cat((observation, action), dim=-1)
        return self.q_1(inputs).squeeze(-1), self.q_2(inputs).squeeze(-1)


def polyak_update(targets: nn.Module, networks: nn.Module, tau: float) -> None:
    """θ̄ ← (1 - τ) θ̄ + τ θ, for each parameter θ̄ of `targets` and θ of `networks`."""
    with torch.no_grad():
        for target, parameter in zip(targets.parameters(), networks.parameters(), strict=True):
            target.lerp_(parameter, tau)
