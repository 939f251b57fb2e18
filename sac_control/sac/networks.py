"""Actor and twin critics: fully connected networks with ReLU between their layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from sac_control.sac import squashed_gaussian
from sac_control.sac.parameters import Parameters

# A hard clamp, as in the paper's code. The rescaled tanh that some use instead keeps a gradient outside, but nothing
# gets there: beyond a deviation of 0.87 the squashed entropy falls again, so the temperature term pushes back.
LOG_STD_BOUNDS = (-20.0, 2.0)

# tanh of N(0, 0.87²) is the squashed Gaussian nearest to uniform: its entropy is 0.68 of at most log 2 = 0.69 nat.
# The untrained policy thereby explores as well as uniformly random actions do, and nobody needs a special case for it.
INITIAL_STD = 0.87


class Actor(Parameters):
    """π_φ(a|s): observation to mean and log standard deviation of a squashed Gaussian over [-1, 1].

    Layers are weight (in, out) and bias (out,); the last has 2a outputs, means first.
    """

    def __init__(
        self,
        observation_size: int,
        action_size: int,
        hidden_sizes: Sequence[int],
        generator: torch.Generator,
        device: torch.device,
    ) -> None:
        sizes = [observation_size, *hidden_sizes, 2 * action_size]
        super().__init__([shape for i, o in pairwise(sizes) for shape in ((i, o), (o,))], device)
        for weight, bias in self.layers():
            _initialise(weight, bias, generator)
        with torch.no_grad():
            self.tensors[-2].mul_(0.01)  # the first policy is the same for every observation
            self.tensors[-1][:action_size] = 0.0
            self.tensors[-1][action_size:] = math.log(INITIAL_STD)

    def layers(self) -> list[tuple[Tensor, Tensor]]:
        """Weight and bias of each layer."""
        return list(zip(self.tensors[::2], self.tensors[1::2], strict=True))

    def distribution(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log_std, (b, a) each, for normalised observations (b, o)."""
        *hidden, (head, head_bias) = self.layers()
        x = observation
        for weight, bias in hidden:
            x = torch.addmm(bias, x, weight).relu_()
        mean, log_std = torch.addmm(head_bias, x, head).chunk(2, dim=-1)
        return mean, log_std.clamp(*LOG_STD_BOUNDS)

    def sample(self, observation: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Reparameterised actions (b, a) and their log-probabilities (b,); noise (b, a) is from N(0, 1)."""
        return squashed_gaussian.sample(*self.distribution(observation), noise)


class TwinCritics(Parameters):
    """Q_θ1 and Q_θ2 as one network of stacked layers: half the calls of two networks.

    Layers are weight (2, in, out) and bias (2, 1, out).
    """

    def __init__(
        self,
        observation_size: int,
        action_size: int,
        hidden_sizes: Sequence[int],
        generator: torch.Generator,
        device: torch.device,
    ) -> None:
        sizes = [observation_size + action_size, *hidden_sizes, 1]
        pairs = pairwise(sizes)
        super().__init__([shape for i, o in pairs for shape in ((2, i, o), (2, 1, o))], device)
        for weight, bias in zip(self.tensors[::2], self.tensors[1::2], strict=True):
            _initialise(weight, bias, generator)

    def values(self, observation: Tensor, action: Tensor) -> Tensor:
        """Q_1 and Q_2, (2, b), for normalised observations (b, o) and actions (b, a)."""
        x = torch.cat((observation, action), dim=-1).expand(2, -1, -1)
        *hidden, (head, head_bias) = zip(self.tensors[::2], self.tensors[1::2], strict=True)
        for weight, bias in hidden:
            x = torch.baddbmm(bias, x, weight).relu_()
        return torch.baddbmm(head_bias, x, head).squeeze(-1)


def _initialise(weight: Tensor, bias: Tensor, generator: torch.Generator) -> None:
    """Uniform within 1/sqrt(inputs), as torch.nn.Linear does by default. Drawn on the CPU: the same on every device."""
    bound = 1.0 / math.sqrt(weight.shape[-2])
    with torch.no_grad():
        for tensor in (weight, bias):
            tensor.copy_(torch.empty(tensor.shape).uniform_(-bound, bound, generator=generator))
