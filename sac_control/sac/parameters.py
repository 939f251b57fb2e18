"""Parameters of a network: separate tensors to compute with, one flat vector to optimise, copy and save."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch


class Parameters:
    """Leaf tensors of given shapes that share the memory of one flat vector.

    Whole-network operations (optimiser step, Polyak averaging, finiteness check) are then one call instead of one per
    layer, which at these network sizes is what an update's time goes into.

    Attributes:
        flat: (n,) float32, all parameters; write to it only in place and outside of autograd.
        tensors: views of `flat` in the given shapes, each a leaf that requires gradients.
    """

    def __init__(self, shapes: Sequence[tuple[int, ...]], device: torch.device) -> None:
        sizes = [math.prod(shape) for shape in shapes]
        self.flat = torch.zeros(sum(sizes), device=device)
        parts = self.flat.split_with_sizes(sizes)
        self.tensors = tuple(
            part.view(shape).detach().requires_grad_() for part, shape in zip(parts, shapes, strict=True)
        )
