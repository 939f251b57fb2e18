"""Backtracking line search: the longest of some steps that keeps what a model of the objective only promised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Found:
    """How far to go."""

    fraction: float  # of the full step; 0: nowhere
    surrogate: float  # there
    kl: float  # there [nat]


def line_search(
    evaluate: Callable[[float], tuple[float, float]], *, max_kl: float, steps: int, shrinkage: float = 0.7
) -> Found:
    """The first of the fractions 1, s, s², … whose surrogate is above that of no step at all and whose KL is in bounds.

    Step length and direction come from a quadratic model of the KL and a linear one of the surrogate: neither holds for
    steps of that length, so both are looked at (Schulman et al. 2015, appendix C).

    Args:
        evaluate: fraction of the full step to surrogate and KL there.
        max_kl: largest KL that is accepted [nat].
        steps: fractions that are tried; where none will do, the answer is 0.
        shrinkage: s, from one fraction to the next.
    """
    start, kl = evaluate(0.0)
    for k in range(steps):
        fraction = shrinkage**k
        surrogate, there = evaluate(fraction)
        if surrogate > start and there <= max_kl:  # false where either is not a number
            return Found(fraction=fraction, surrogate=surrogate, kl=there)
    return Found(fraction=0.0, surrogate=start, kl=kl)
