"""The method of conjugate gradients (Hestenes and Stiefel 1952): A x = b without A, by products with it alone."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def conjugate_gradient(
    product: Callable[[Tensor], Tensor], b: Tensor, *, iterations: int, tolerance: float = 1e-10
) -> Tensor:
    """X with A x ≈ b, (n,); exact after n iterations but for rounding, and good long before.

    Args:
        product: v to A v, both (n,), for a symmetric positive definite A.
        b: (n,).
        iterations: at most so many, with one product each.
        tolerance: of ‖b - A x‖² / ‖b‖², at which it is good enough.
    """
    x = torch.zeros_like(b)
    residual, direction = b.clone(), b.clone()
    squares = residual @ residual
    enough = tolerance * squares
    for _ in range(iterations):
        if squares <= enough:
            break
        image = product(direction)
        step = squares / (direction @ image)
        x += step * direction
        residual -= step * image
        squares, before = residual @ residual, squares
        direction = residual + (squares / before) * direction
    return x
