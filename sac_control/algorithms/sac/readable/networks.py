"""Actor, twin critics and value: fully connected networks with ReLU between their layers."""

from __future__ import annotations

import torch
from torch import Tensor

from sac_control.algorithms.learner import LOG_STD_BOUNDS
from sac_control.algorithms.sac.readable import squashed_gaussian
from sac_control.algorithms.sac.readable.parameters import Parameters


class Actor(Parameters):
    """π_φ(a|s): observation to mean and log standard deviation of a squashed Gaussian over [-1, 1]."""

    def layers(self) -> list[tuple[Tensor, Tensor]]:
        """Weight and bias of each layer."""
        return list(zip(self.tensors[::2], self.tensors[1::2], strict=True))

    def features(self, observation: Tensor) -> Tensor:
        """Outputs of the last hidden layer, (b, f)."""
        x = observation
        for weight, bias in self.layers()[:-1]:
            x = torch.addmm(bias, x, weight).relu_()
        return x

    def distribution(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log_std, (b, a) each, for normalised observations (b, o)."""
        *_, (head, head_bias) = self.layers()
        mean, log_std = torch.addmm(head_bias, self.features(observation), head).chunk(2, dim=-1)
        return mean, log_std.clamp(*LOG_STD_BOUNDS)

    def sample(self, observation: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Reparameterised actions (b, a) and their log-probabilities (b,); noise (b, a) is from N(0, 1)."""
        return squashed_gaussian.sample(*self.distribution(observation), noise)


class TwinCritics(Parameters):
    """Q_θ1 and Q_θ2 as one network of stacked layers: half the calls of two networks."""

    def values(self, observation: Tensor, action: Tensor) -> Tensor:
        """Q_1 and Q_2, (2, b), for normalised observations (b, o) and actions (b, a)."""
        x = torch.cat((observation, action), dim=-1).expand(2, -1, -1)
        *hidden, (head, head_bias) = zip(self.tensors[::2], self.tensors[1::2], strict=True)
        for weight, bias in hidden:
            x = torch.baddbmm(bias, x, weight).relu_()
        return torch.baddbmm(head_bias, x, head).squeeze(-1)


class Value(Parameters):
    """V_ψ(s), of Soft Actor-Critic as it was first published."""

    def values(self, observation: Tensor) -> Tensor:
        """V, (b,), for normalised observations (b, o)."""
        *hidden, (head, head_bias) = zip(self.tensors[::2], self.tensors[1::2], strict=True)
        x = observation
        for weight, bias in hidden:
            x = torch.addmm(bias, x, weight).relu_()
        return torch.addmm(head_bias, x, head).squeeze(-1)
