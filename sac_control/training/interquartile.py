"""The interquartile mean and how sure it is. Pure mathematics.

As rliable defines both (Agarwal et al., Deep Reinforcement Learning at the Edge of the Statistical Precipice, 2021,
sections 4.2 and 4.3): the mean of the middle half of all values, which a lucky or a broken episode moves less than the
mean and which, unlike the median, most values take part in; and percentiles of a bootstrap that is stratified.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sac_control.types import FloatArray

LEVEL = 0.95
_TRIMMED = 0.25  # share of the values that is left out at each end
_RESAMPLES = 2000
_MOST_DRAWN = 20_000_000  # values in all resamples, which takes a second


class Interval(NamedTuple):
    """A confidence interval."""

    low: float
    high: float


def interquartile_mean(values: Sequence[float] | FloatArray) -> float:
    """Mean of (n,) values without the n // 4 smallest and the n // 4 largest.

    Raises:
        ValueError: there is no value.
    """
    n = len(values)
    if n == 0:
        raise ValueError("the interquartile mean of no values was asked for")
    cut = int(_TRIMMED * n)
    ordered = np.partition(np.asarray(values, np.float64), [cut, n - cut - 1])
    return float(ordered[cut : n - cut].mean())


def interquartile_interval(strata: Sequence[Sequence[float]], seed: int = 0) -> Interval | None:
    """Interval of the interquartile mean of all values, at `LEVEL`.

    Each resample draws from every stratum as many values as it has, with replacement: what differs between strata, such
    as runs, is then no part of the uncertainty. The interval is about these strata, and not about others.

    Args:
        strata: values of each.
        seed: of the resamples.

    Returns:
        None where no stratum has two values: nothing can be said then.
    """
    arrays = [np.asarray(values, np.float64) for values in strata]
    if all(len(values) < 2 for values in arrays):
        return None
    rng = np.random.default_rng(seed)
    resamples = max(200, min(_RESAMPLES, _MOST_DRAWN // sum(map(len, arrays))))
    means = [
        interquartile_mean(np.concatenate([rng.choice(values, len(values)) for values in arrays if len(values)]))
        for _ in range(resamples)
    ]
    low, high = np.quantile(means, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0])
    return Interval(float(low), float(high))
