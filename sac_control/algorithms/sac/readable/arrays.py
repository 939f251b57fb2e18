"""Networks and the state of their optimisers, to and from the flat vectors in which every learner saves them.

The vectors are laid out as `algorithms/layout.py` says, whichever backend wrote them: weights are (inputs, outputs),
where nn.Linear has (outputs, inputs), and of twin networks each layer's weights of both come before its biases.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Adam

from sac_control.types import Array, Float32Array

_MOMENTS = {"first_moment": "exp_avg", "second_moment": "exp_avg_sq"}  # as we and as torch call them


def in_order(*networks: nn.Module) -> list[nn.Parameter]:
    """The parameters of a network, or of networks of one shape that are saved together, as they follow each other."""
    layers = zip(*(network.parameters() for network in networks), strict=True)
    return [parameter for layer in layers for parameter in layer]


def to_vector(tensors: Iterable[Tensor]) -> Float32Array:
    """A copy of all tensors as one vector (n,) float32."""
    vector: Float32Array = torch.cat([tensor.detach().t().reshape(-1) for tensor in tensors]).cpu().numpy()
    return vector


def from_vector(tensors: Iterable[Tensor], vector: Float32Array) -> None:
    """Write `vector` (n,) into the tensors."""
    tensors = list(tensors)
    parts = torch.from_numpy(vector).split_with_sizes([tensor.numel() for tensor in tensors])
    with torch.no_grad():
        for tensor, part in zip(tensors, parts, strict=True):
            transposed = tensor.t()  # a view
            transposed.copy_(part.view(transposed.shape))


@dataclass(frozen=True)
class Trained:
    """What is saved under one name."""

    parameters: list[nn.Parameter]  # in the order of their vector
    optimiser: Adam | None = None  # of all these; targets have none

    def arrays(self) -> dict[str, Array]:
        """Parameters and moments, (n,) float32 each, and the number of steps, () float32; all are copies."""
        arrays: dict[str, Array] = {"parameters": to_vector(self.parameters)}
        if self.optimiser is None:
            return arrays
        states = [(parameter, self.optimiser.state[parameter]) for parameter in self.parameters]
        for name, key in _MOMENTS.items():  # a state is empty before the first step
            arrays[name] = to_vector(state.get(key, torch.zeros_like(parameter)) for parameter, state in states)
        _, state = states[0]  # all parameters take the same steps
        return arrays | {"steps": np.array(float(state.get("step", 0.0)), np.float32)}

    def load(self, arrays: Mapping[str, Array]) -> None:
        """Continue from what `arrays` gave."""
        from_vector(self.parameters, arrays["parameters"])
        if self.optimiser is None:
            return
        for parameter in self.parameters:
            moments = {key: torch.zeros_like(parameter) for key in _MOMENTS.values()}
            step = torch.tensor(float(arrays["steps"]), device=parameter.device)  # its own: it is counted up in place
            self.optimiser.state[parameter] = {"step": step, **moments}
        for name, key in _MOMENTS.items():
            from_vector((self.optimiser.state[parameter][key] for parameter in self.parameters), arrays[name])
