"""Where the parameters of a fully connected network lie in one flat vector, and how they begin. Pure numpy.

Whole-network operations (optimiser step, Polyak averaging, finiteness check) are then one call instead of one per
layer, and every learner - by autograd or by hand - reads and saves the same vectors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sac_control.types import Float32Array

# tanh of N(0, 0.87²) is the squashed Gaussian nearest to uniform: its entropy is 0.68 of at most log 2 = 0.69 nat.
# The untrained policy thereby explores as well as uniformly random actions do, and nobody needs a special case for it.
INITIAL_STD = 0.87


@dataclass(frozen=True)
class Layout:
    """Weight (in, out) and bias (out,) of each layer in turn; of `copies` stacked networks (n, in, out), (n, 1, out).

    Attributes:
        widths: inputs, units of each hidden layer, outputs.
        copies: networks that are stacked, layer by layer; None for one network alone.
    """

    widths: tuple[int, ...]
    copies: int | None = None

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Shape of each weight and bias, in the order of the flat vector."""
        if self.copies is None:
            return [shape for i, o in pairwise(self.widths) for shape in ((i, o), (o,))]
        return [shape for i, o in pairwise(self.widths) for shape in ((self.copies, i, o), (self.copies, 1, o))]

    @property
    def size(self) -> int:
        """Length of the flat vector."""
        return sum(math.prod(shape) for shape in self.shapes)

    def views(self, flat: Float32Array) -> list[Float32Array]:
        """Weights and biases in turn, sharing the memory of `flat` (n,)."""
        sizes = [math.prod(shape) for shape in self.shapes]
        parts = np.split(flat, np.cumsum(sizes)[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def initial(self, generator: np.random.Generator) -> Float32Array:
        """A flat vector of start values: uniform within 1/sqrt(inputs), as torch.nn.Linear does by default."""
        flat = np.empty(self.size, np.float32)
        inputs = np.repeat(self.widths[:-1], 2)  # of weight and bias alike
        for view, fan_in in zip(self.views(flat), inputs, strict=True):
            bound = 1.0 / math.sqrt(fan_in)
            view[...] = generator.uniform(-bound, bound, view.shape)
        return flat


def actor_layout(observation_size: int, action_size: int, hidden_sizes: Sequence[int]) -> Layout:
    """π_φ: observation to mean and log standard deviation; the last layer has 2a outputs, means first."""
    return Layout((observation_size, *hidden_sizes, 2 * action_size))


def critic_layout(observation_size: int, action_size: int, hidden_sizes: Sequence[int]) -> Layout:
    """Q_θ1 and Q_θ2, stacked: observation and action to a value."""
    return Layout((observation_size + action_size, *hidden_sizes, 1), copies=2)


def initial_actor(layout: Layout, generator: np.random.Generator) -> Float32Array:
    """An actor that does not look yet and explores the whole range: the same wide distribution everywhere."""
    flat = layout.initial(generator)
    weight, bias = layout.views(flat)[-2:]
    action_size = layout.widths[-1] // 2
    weight *= 0.01
    bias[:action_size] = 0.0
    bias[action_size:] = math.log(INITIAL_STD)
    return flat
