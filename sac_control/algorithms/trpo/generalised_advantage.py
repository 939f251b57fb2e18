"""Generalised advantage estimation (Schulman et al. 2016): by how much an action was better than expected."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sac_control.types import FloatArray


def generalised_advantages(
    reward: FloatArray,
    value: FloatArray,
    next_value: FloatArray,
    terminated: NDArray[np.bool_],
    goes_on: NDArray[np.bool_],
    *,
    gamma: float,
    lam: float,
) -> FloatArray:
    """Â_t for n steps in the order in which they were made, (n,) float64.

    δ_t = r_t + γ V(s_{t+1}) - V(s_t), where V(s_{t+1}) is 0 if the step terminated (equation 8);
    Â_t = δ_t + γλ Â_{t+1} = Σ_k (γλ)^k δ_{t+k} (equation 16), where the sum ends with the last step of its trace.

    λ = 0 gives the one-step error δ_t, of little variance and all of V's bias; λ = 1 gives the return less V(s_t).
    Where a trace ends without termination, by truncation or because the next step is missing, V(s_{t+1}) stands for
    all that would have followed. Â_t + V(s_t) is the λ-return, an estimate of the value of s_t.

    Args:
        reward: (n,) r_t.
        value: (n,) V(s_t).
        next_value: (n,) V(s_{t+1}), of the state in which step t ended, before any reset.
        terminated: (n,) whether nothing follows step t; a truncation does not terminate.
        goes_on: (n,) whether the next row is the step that followed t in its episode.
        gamma: γ, discount per step.
        lam: λ.
    """
    delta = reward + gamma * np.where(terminated, 0.0, next_value) - value
    decay = np.where(goes_on & ~terminated, gamma * lam, 0.0)
    advantage, following = np.empty_like(delta), 0.0
    for t in reversed(range(len(delta))):
        following = delta[t] + decay[t] * following
        advantage[t] = following
    return advantage
