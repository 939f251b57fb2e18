"""What is measured of a robot: noise, offset, encoder steps, velocity by differences, latency. Once for all worlds."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from sac_control.envs.wire import Wire
from sac_control.variation.fields import FIELDS, Quantity

Row = list[float]

_DRAWN = 250  # periods


class Sensors:
    """Makes the row that is measured of the row that is true; see `RobotTask` for what rows are.

    A state that is late by a part of a control period lies between two of the world, on the straight line.

    Args:
        joints: names of the j joints.
        control_period: [s].
        variation: what differs from exact measurement in no time.
        rng: for noise, jitter and losses.
    """

    def __init__(
        self,
        joints: tuple[str, ...],
        control_period: float,
        variation: Mapping[Quantity, float],
        rng: np.random.Generator,
    ) -> None:
        self._rng, self._period = rng, control_period
        of = {
            field: [variation.get(Quantity(field, joint), 0.0) for joint in joints] for field in ("offset", "encoder")
        }
        self._offset, self._step = of["offset"], of["encoder"]
        signals = [*joints, *(f"velocity({joint})" for joint in joints)]
        self._noise = np.array([variation.get(Quantity("noise", signal), 0.0) for signal in signals])
        self._is_noisy = bool(self._noise.any())
        self._drawn: list[Row] = []  # noise of the next periods: drawing one by one takes longer
        self._is_exact = not (self._is_noisy or any(self._offset) or any(self._step))
        self._by_difference = variation.get(Quantity("difference"), 0.0) >= 0.5
        self._wire = Wire("states", variation, rng)
        self._reach = math.ceil(self._wire.longest) + 2  # rows that may be asked for, if nothing is lost
        self._true: list[Row] = []  # newest first
        self._taken = 0.0  # [control periods] age of the state that was measured last
        self._measured: Row = []

    @staticmethod
    def are_needed(variation: Mapping[Quantity, float]) -> bool:
        """Whether anything that is measured differs from what is true."""
        return any(
            not FIELDS[field].is_plant and of != "commands" and value != FIELDS[field].neutral
            for (field, of), value in variation.items()
        )

    def start(self, row: Row) -> Row:
        """What is measured at the beginning of an episode: the robot has stood there before."""
        self._true = [list(row)]
        self._wire.start()
        self._taken = self._wire.longest  # as old as the wire can make what there was before
        self._measured = self._measure(row, None)
        return self._measured

    def measure(self, row: Row) -> Row:
        """What is measured one control period later, where `row` is true."""
        before = self._measured
        age = 0.0 if self._wire.is_ideal else self._wire.age()
        self._true.insert(0, list(row))
        del self._true[max(self._reach, int(age) + 3) :]
        if not self._wire.is_ideal and age >= self._taken + 1.0:  # nothing has come
            self._measured = [*before[: 3 * len(self._step)], *row[3 * len(self._step) :]]
        else:
            self._measured = self._measure(self._at(age), before)
        self._taken = age
        return self._measured

    def _at(self, age: float) -> Row:
        """The true row that many control periods ago."""
        k = math.floor(age)
        newer, older = (self._true[min(index, len(self._true) - 1)] for index in (k, k + 1))
        part = age - k
        return newer if not part else [(1.0 - part) * a + part * b for a, b in zip(newer, older, strict=True)]

    def _next_noise(self) -> Row:
        if not self._drawn:
            self._drawn = self._rng.normal(0.0, self._noise, (_DRAWN, len(self._noise))).tolist()
        return self._drawn.pop()

    def _measure(self, true: Row, before: Row | None) -> Row:
        j = len(self._step)
        position, velocity = true[:j], true[j : 2 * j]
        if not self._is_exact:
            noise = self._next_noise() if self._is_noisy else [0.0] * (2 * j)
            position = [
                _rounded(value + offset + error, step)
                for value, offset, error, step in zip(position, self._offset, noise, self._step, strict=False)
            ]
            velocity = [value + error for value, error in zip(velocity, noise[j:], strict=True)]
        if self._by_difference:
            last = position if before is None else before[:j]
            velocity = [(value - old) / self._period for value, old in zip(position, last, strict=True)]
        return [*position, *velocity, *true[2 * j :]]


def _rounded(value: float, step: float) -> float:
    return step * round(value / step) if step else value
