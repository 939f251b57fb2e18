"""How old what arrives over a wire is: latency, jitter and lost messages. The same for states and commands."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sac_control.variation.fields import Quantity


class Wire:
    """The age of the newest message that has arrived, period by period [control periods].

    Each message takes `latency`, and up to `jitter` more, equally likely; some are lost. A message that comes behind
    a newer one changes nothing.

    Args:
        name: states or commands.
        variation: what differs from a wire that takes no time.
        rng: for jitter and losses.
    """

    def __init__(self, name: str, variation: Mapping[Quantity, float], rng: np.random.Generator) -> None:
        self._latency, self._jitter, self._loss = (
            variation.get(Quantity(field, name), 0.0) for field in ("latency", "jitter", "loss")
        )
        self._rng = rng
        self.is_ideal = not (self._latency or self._jitter or self._loss)
        self.longest = self._latency + self._jitter
        self._age = 0.0

    def start(self) -> None:
        """An episode begins: what there was before is old enough."""
        self._age = self.longest

    def age(self) -> float:
        """Of what is known one control period later than when last asked."""
        self._age += 1.0
        if not (self._loss and self._rng.random() < self._loss):
            new = self._latency + (self._jitter * self._rng.random() if self._jitter else 0.0)
            self._age = min(self._age, new)
        return self._age
