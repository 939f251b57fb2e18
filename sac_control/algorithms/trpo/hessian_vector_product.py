"""Products with the Hessian of a function of a network's parameters, without the Hessian (Pearlmutter 1994)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def hessian_vector_product(
    value: Tensor, parameters: Sequence[Tensor], *, damping: float = 0.0
) -> Callable[[Tensor], Tensor]:
    """Product (H + damping · I) v of any v, both (n,), where H = ∇²_θ f: H v = ∇_θ (∇_θ f · v).

    Of the mean KL divergence from the policy as it is, H is the Fisher information matrix at θ (Schulman et al. 2015,
    appendix C). Damping keeps it positive definite where some direction of θ changes no action.

    Args:
        value: () f, computed from `parameters`.
        parameters: θ, n numbers in all.
        damping: added to each eigenvalue.
    """
    gradient = flat(torch.autograd.grad(value, parameters, create_graph=True))

    def product(v: Tensor) -> Tensor:
        return flat(torch.autograd.grad(gradient @ v, parameters, retain_graph=True)) + damping * v

    return product


def flat(tensors: Sequence[Tensor]) -> Tensor:
    """One vector (n,) with the numbers of all `tensors` in turn."""
    return torch.cat([tensor.reshape(-1) for tensor in tensors])
