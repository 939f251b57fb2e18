"""Updates per transition, kept exactly: how many are owed, and when the next one will be. Knows nothing of updates."""

from __future__ import annotations

import math
from fractions import Fraction


class ReplayRatio:
    """A line through (transitions, updates) that the updates must follow; it may be given another slope on the way.

    Args:
        ratio: updates per transition.
        warmup: transitions before the first update is owed.
    """

    def __init__(self, ratio: float, warmup: int) -> None:
        self._ratio = _exact(ratio)
        self._transitions, self._updates = warmup, 0  # where the line begins

    @property
    def ratio(self) -> float:
        """Updates per transition, as it is set now."""
        return float(self._ratio)

    def owed(self, transitions: int, updates: int) -> int:
        """Updates to make at once, when `transitions` were accepted and `updates` made."""
        return max(0, self._due(transitions) - updates)

    def first_owing(self, updates: int) -> int:
        """Transitions at which the update after `updates` will be owed."""
        return self._transitions + math.ceil((updates + 1 - self._updates) / self._ratio)

    def change(self, ratio: float, transitions: int) -> None:
        """From `transitions` on, owe `ratio` updates per transition."""
        if transitions > self._transitions:
            self._updates, self._transitions = self._due(transitions), transitions
        self._ratio = _exact(ratio)

    def state(self) -> list[float]:
        """What must be kept to go on, as plain numbers."""
        return [self.ratio, self._transitions, self._updates]

    def restore(self, state: list[float]) -> None:
        """Go on from `state()`."""
        ratio, transitions, updates = state
        self._ratio, self._transitions, self._updates = _exact(ratio), int(transitions), int(updates)

    def _due(self, transitions: int) -> int:
        return self._updates + int(self._ratio * max(0, transitions - self._transitions))


def _exact(ratio: float) -> Fraction:
    return Fraction(ratio).limit_denominator(10**6)
