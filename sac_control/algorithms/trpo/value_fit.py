"""The value function is fitted to returns by regression."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sac_control.algorithms.trpo.networks import ValueFunction


def fit_value(
    value: ValueFunction,
    optimiser: torch.optim.Optimizer,
    observation: Tensor,
    target: Tensor,
    *,
    epochs: int,
    minibatch_size: int,
    generator: np.random.Generator,
) -> float:
    """Minimise mean (V_φ(s) - target)² over all n rows by `epochs` passes in random order; its mean over the last pass.

    The loss is in units of the targets' variance: 1 is what the best constant has.

    Args:
        value: V_φ, which is changed in place.
        optimiser: of its parameters.
        observation: (n, o), normalised.
        target: (n,) returns.
        epochs: passes over all rows.
        minibatch_size: rows per step.
        generator: of the order.
    """
    value.rescale(target)
    standardised = (target - value.mean) / value.std
    loss_of_pass = torch.zeros(())
    for _ in range(epochs):
        loss_of_pass = torch.zeros(())
        order = torch.from_numpy(generator.permutation(len(target))).to(target.device)
        for rows in torch.split(order, minibatch_size):
            loss = (value.standardised(observation[rows]) - standardised[rows]).square().mean()
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            loss_of_pass += loss.detach().cpu() * (len(rows) / len(target))
    return float(loss_of_pass)


@torch.no_grad()
def explained_variance(value: Tensor, target: Tensor) -> float:
    """1 - Var(target - V) / Var(target): 1 where V foretells the returns, 0 where a constant would do as well."""
    return float(1.0 - (target - value).var(unbiased=False) / target.var(unbiased=False).clamp(min=1e-12))
