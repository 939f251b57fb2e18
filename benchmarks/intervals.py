"""Medians and how sure they are. Pure mathematics; a run that failed takes part as an infinite value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.95
RESAMPLES = 2000


@dataclass(frozen=True)
class Interval:
    """A confidence interval."""

    low: float
    high: float
    coverage: float  # probability that it holds what is estimated


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two middle ones; infinite where too many values are.

    Raises:
        ValueError: there is no value.
    """
    if not values:
        raise ValueError("the median of no values was asked for")
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2.0


def median_interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """Order statistics that hold the median of the distribution, whatever its form, with probability `level` or more.

    The k-th value from below and from above hold it with probability 1 - 2 P(X < k), X ~ Binomial(n, 1/2) (Conover,
    Practical Nonparametric Statistics, 3.2). Fewer than six values cannot reach 95 %: then it is their range, and
    `coverage` tells how little that is.

    Raises:
        ValueError: there is no value.
    """
    if not values:
        raise ValueError("an interval from no values was asked for")
    ordered, n = sorted(values), len(values)

    def coverage(k: int) -> float:
        return max(0.0, 1.0 - 2.0 * sum(math.comb(n, i) for i in range(k)) / 2.0**n)

    k = 1
    while k + 1 <= (n + 1) // 2 and coverage(k + 1) >= level:
        k += 1
    return Interval(ordered[k - 1], ordered[n - k], coverage(k))


def share_interval(hits: Sequence[int], counts: Sequence[int], level: float = LEVEL, seed: int = 0) -> Interval | None:
    """Bootstrap interval of the share sum(hits) / sum(counts), by drawing whole runs: what a run tells hangs together.

    None for a single run, from which nothing can be said about others.
    """
    if len(hits) < 2:
        return None
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(hits), size=(RESAMPLES, len(hits)))
    shares = np.asarray(hits)[drawn].sum(axis=1) / np.maximum(1, np.asarray(counts)[drawn].sum(axis=1))
    low, high = np.quantile(shares, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return Interval(float(low), float(high), level)
