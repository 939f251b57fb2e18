"""Where episodes of an evaluation begin, as points of the unit cube that a task makes start states of. Pure numpy.

Random points leave gaps: what is asked for here is spread out, so that few episodes tell much.
"""

from __future__ import annotations

import itertools

import numpy as np

from sac_control.types import FloatArray

_MOST_LISTED = 12  # dimensions up to which all corners are listed: 4096
_CANDIDATES = 32  # corners of which the one farthest from all others is taken


def stratified(rng: np.random.Generator, count: int, dimensions: int) -> FloatArray:
    """Points of the unit cube, (count, dimensions), one in each of `count` slices of each axis (Latin hypercube)."""
    slices = np.stack([rng.permutation(count) for _ in range(dimensions)], axis=1)
    return (slices + rng.random((count, dimensions))) / count


def extreme(rng: np.random.Generator, most: int, dimensions: int) -> FloatArray:
    """Different corners of the unit cube in random order, (n, dimensions): all of them, or `most` where there are more.

    Where there are too many to list, n is `most`, and they come in pairs of opposites, so that each axis is tried at
    both ends; each pair is the farthest from those before among some at random (Mitchell 1991, "Spectrally optimal
    sampling for distribution ray tracing": best candidate).
    """
    if dimensions <= _MOST_LISTED:
        return rng.permutation(list(itertools.product((0.0, 1.0), repeat=dimensions)))[:most]
    signs = np.empty((0, dimensions))  # -1 and 1: of two corners, the product is (equal axes) - (unequal axes)
    while len(signs) < most:
        candidates = rng.choice((-1.0, 1.0), (_CANDIDATES, dimensions))
        likeness = np.abs(candidates @ signs.T).max(axis=1, initial=0.0)  # with the likest, or the opposite of it
        best = candidates[likeness.argmin()]
        signs = np.concatenate((signs, [best, -best]))
    return (signs[:most] + 1.0) / 2.0
