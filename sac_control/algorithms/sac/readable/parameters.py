"""Parameters of a network: separate tensors to compute with, one flat vector to optimise, copy and save."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from sac_control.types import Float32Array


class Parameters:
    """Leaf tensors that share the memory of one flat vector.

    Args:
        shapes: shape of each tensor, in the order of the flat vector.
        values: (n,) float32, the start values; copied.
        device: where the tensors live.

    Attributes:
        flat: (n,) float32, all parameters; write to it only in place and outside of autograd.
        tensors: views of `flat` in the given shapes, each a leaf that requires gradients.
    """

    def __init__(self, shapes: Sequence[tuple[int, ...]], values: Float32Array, device: torch.device) -> None:
        self.flat = torch.from_numpy(values.copy()).to(device)
        parts = self.flat.split_with_sizes([math.prod(shape) for shape in shapes])
        self.tensors = tuple(
            part.view(shape).detach().requires_grad_() for part, shape in zip(parts, shapes, strict=True)
        )
