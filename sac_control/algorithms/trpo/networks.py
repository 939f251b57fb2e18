"""Policy and value function: fully connected networks with ReLU between their layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from sac_control.types import ActorParameters, Array, Float32Array

LOG_STD_BOUNDS = (-20.0, 2.0)


class Network(nn.Module):
    """Fully connected layers for normalised observations; the last begins at 0."""

    def __init__(self, inputs: int, hidden_sizes: Sequence[int], outputs: int) -> None:
        super().__init__()
        hidden: list[nn.Module] = []
        for i, o in pairwise((inputs, *hidden_sizes)):
            hidden += [nn.Linear(i, o), nn.ReLU()]
        self.hidden = nn.Sequential(*hidden)
        self.last = nn.Linear(hidden_sizes[-1], outputs)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    @torch.no_grad()
    def renormalise(self, mean: Tensor, std: Tensor, new_mean: Tensor, new_std: Tensor) -> None:
        """Be the same function of raw observations when they are normalised by others: (o,) each.

        W (o - μ) / σ + b = W' (o - μ') / σ' + b' for every o, where W' = W σ' / σ and b' = b + W (μ' - μ) / σ.
        A network that is the same everywhere is so by any first layer: it keeps the one that it begins with, which is
        for normalised observations.
        """
        if not self.last.weight.any():
            return
        first = self.hidden[0]
        assert isinstance(first, nn.Linear)
        first.bias.add_(first.weight @ ((new_mean - mean) / std))
        first.weight.mul_(new_std / std)


class Policy(Network):
    """π_θ(u|s) = N(μ_θ(s), σ_θ²): σ is the same everywhere, so that exploration ends by learning, not by place.

    It begins with mean 0 everywhere.
    """

    def __init__(self, inputs: int, hidden_sizes: Sequence[int], outputs: int, initial_std: float) -> None:
        super().__init__(inputs, hidden_sizes, outputs)
        self.log_std = nn.Parameter(torch.full((outputs,), math.log(initial_std)))

    def forward(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log σ, (b, a) each, for normalised observations (b, o)."""
        mean = self.last(self.hidden(observation))
        return mean, self.log_std.clamp(*LOG_STD_BOUNDS).expand_as(mean)

    def actor(self, observation_mean: Float32Array, observation_std: Float32Array) -> ActorParameters:
        """A copy that runs without torch: the last layer's columns for log σ are 0, and their bias is log σ."""
        layers = [(_array(each.weight.T), _array(each.bias)) for each in self.hidden if isinstance(each, nn.Linear)]
        weight, bias = self.last.weight.T, self.last.bias
        both = torch.cat([weight, torch.zeros_like(weight)], 1), torch.cat([bias, self.log_std])
        return ActorParameters(
            layers=(*layers, (_array(both[0]), _array(both[1]))),
            observation_mean=observation_mean.copy(),
            observation_std=observation_std.copy(),
            log_std_bounds=LOG_STD_BOUNDS,
            distribution="gaussian",
        )


class ValueFunction(Network):
    """V_φ(s), of which the network says by how many deviations it is above the mean of the newest targets.

    It begins at 0 everywhere.
    """

    def __init__(self, inputs: int, hidden_sizes: Sequence[int]) -> None:
        super().__init__(inputs, hidden_sizes, 1)
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("std", torch.ones(()))
        self.mean: Tensor
        self.std: Tensor

    def forward(self, observation: Tensor) -> Tensor:
        """V, (b,), for normalised observations (b, o)."""
        return self.mean + self.std * self.standardised(observation)

    def standardised(self, observation: Tensor) -> Tensor:
        """(V - mean) / std, (b,)."""
        value: Tensor = self.last(self.hidden(observation)).squeeze(-1)
        return value

    @torch.no_grad()
    def rescale(self, targets: Tensor) -> None:
        """Measure in deviations of `targets`, (n,), from now on; V stays what it is (van Hasselt et al. 2016, PopArt).

        One learning rate then does for rewards of any size.
        """
        mean, std = targets.mean(), targets.std(unbiased=False)
        std = std.maximum(1e-3 * self.std)  # all may be alike
        self.last.weight.mul_(self.std / std)
        self.last.bias.copy_((self.std * self.last.bias + self.mean - mean) / std)
        self.mean.copy_(mean)
        self.std.copy_(std)


def _array(tensor: Tensor) -> Float32Array:
    array: Array = tensor.detach().cpu().numpy()
    result: Float32Array = array.copy()
    return result
