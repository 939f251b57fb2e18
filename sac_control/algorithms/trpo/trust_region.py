"""One step of the policy: as good as possible by what was seen, and at most so far from the policy that saw it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from sac_control.algorithms.trpo import gaussian
from sac_control.algorithms.trpo.conjugate_gradient import conjugate_gradient
from sac_control.algorithms.trpo.hessian_vector_product import flat, hessian_vector_product
from sac_control.algorithms.trpo.line_search import Found, line_search
from sac_control.algorithms.trpo.networks import Policy


@dataclass(frozen=True, kw_only=True)
class TrustRegion:
    """How far the policy may go in one step, and how the step is found."""

    max_kl: float  # δ [nat]
    damping: float  # added to the eigenvalues of the Fisher matrix
    cg_iterations: int
    line_search_steps: int

    def improve(self, policy: Policy, observation: Tensor, u: Tensor, advantage: Tensor) -> Found:
        """Change `policy`, which chose `u`, by one step; how far it went.

        maximise  L(θ) = mean [π_θ(u|s) / π_old(u|s) · Â]   subject to   mean D_KL(π_old ‖ π_θ) ≤ δ
        (Schulman et al. 2015, equation 14). With g = ∇L and the Fisher matrix F = ∇² mean D_KL, both at θ_old, the
        solution of the linear and quadratic model is θ_old + √(2δ / xᵀFx) x with F x = g (appendix C).

        Args:
            policy: π_θ, as it was when it chose `u`.
            observation: (b, o), normalised.
            u: (b, a), as chosen: not clipped.
            advantage: (b,) Â.
        """
        parameters = list(policy.parameters())
        with torch.no_grad():
            old = policy(observation)
            old_log_prob = gaussian.log_prob(u, *old)

        def surrogate() -> Tensor:
            ratio = (gaussian.log_prob(u, *policy(observation)) - old_log_prob).exp()
            return (ratio * advantage).mean()

        def mean_kl() -> Tensor:
            return gaussian.kl(*old, *policy(observation)).mean()

        gradient = flat(torch.autograd.grad(surrogate(), parameters))
        fisher = hessian_vector_product(mean_kl(), parameters, damping=self.damping)
        direction = conjugate_gradient(fisher, gradient, iterations=self.cg_iterations)
        curvature = float(direction @ fisher(direction))
        if not curvature > 0.0:  # there is no gradient, or it is not a number
            return Found(fraction=0.0, surrogate=float(surrogate().detach()), kl=0.0)
        step = math.sqrt(2.0 * self.max_kl / curvature) * direction
        start = flat(parameters).detach()

        @torch.no_grad()
        def go(fraction: float) -> tuple[float, float]:
            torch.nn.utils.vector_to_parameters(start + fraction * step, parameters)
            return float(surrogate()), float(mean_kl())

        found = line_search(go, max_kl=self.max_kl, steps=self.line_search_steps)
        go(found.fraction)
        return found
