"""The wire to the drives: which command acts when."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from sac_control.envs.wire import Wire
from sac_control.variation.fields import Quantity


class Acting(NamedTuple):
    """What acts in a control period."""

    command: Sequence[float]  # (a,)
    before: Sequence[float] | None  # (a,) until `delay` of the period is over
    delay: float  # in [0, 1]


class CommandLine:
    """Delays commands.

    Args:
        variation: what differs from a wire that takes no time.
        rng: for jitter and losses.
    """

    def __init__(self, variation: Mapping[Quantity, float], rng: np.random.Generator) -> None:
        self._wire = Wire("commands", variation, rng)
        self._reach = math.ceil(self._wire.longest) + 2  # commands that may act, if nothing is lost
        self._sent: list[Sequence[float]] = []  # newest first

    @property
    def is_ideal(self) -> bool:
        """Whether commands act at once."""
        return self._wire.is_ideal

    def start(self, idle: Sequence[float]) -> None:
        """An episode begins: until the first command has come, `idle` acts, (a,)."""
        self._sent = [idle]
        self._wire.start()

    def send(self, command: Sequence[float]) -> Acting:
        """Send a command at the beginning of a control period; what acts in that."""
        age = self._wire.age()
        self._sent.insert(0, command)
        del self._sent[max(self._reach, int(age) + 3) :]
        k = math.floor(age)
        new, old = (self._sent[min(index, len(self._sent) - 1)] for index in (k, k + 1))
        return Acting(new, old, age - k) if age > k else Acting(new, None, 0.0)
