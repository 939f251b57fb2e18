"""The region of joint positions and velocities in which a policy may move anything. Knows no ROS."""

from __future__ import annotations

import math
import re

import numpy as np

from sac_control.errors import ConfigError, StateError
from sac_control.observation import StateObserver
from sac_control.types import Float32Array, JointState

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_BOUND = re.compile(rf"\s*({_NUMBER})\s*<\s*(.+?)\s*<\s*({_NUMBER})\s*")


class Envelope:
    """Bounds on terms of the joint state, written ``low < term < high; low < term < high``.

    Terms are those of observations, see observation.py: ``-0.9 < position(slider_to_cart) < 0.9``.

    Args:
        text: the bounds.

    Raises:
        ConfigError: the text is not written so, or a lower bound is not below its upper one.
    """

    def __init__(self, text: str) -> None:
        found = [(part.strip(), _BOUND.fullmatch(part)) for part in text.split(";") if part.strip()]
        bounds: list[tuple[float, str, float]] = []
        for part, match in found:
            if match is None or not float(match[1]) < float(match[3]):
                raise ConfigError(
                    f"policy.envelope has {part!r}: expected bounds such as '-0.9 < position(slider_to_cart) < 0.9', "
                    "with ';' between them"
                )
            bounds.append((float(match[1]), match[2], float(match[3])))
        self._bounds = bounds
        self._observer = StateObserver([term for _, term, _ in bounds])
        self._values: Float32Array = np.zeros(len(bounds), np.float32)

    def is_within(self, other: Envelope) -> bool:
        """Whether every state inside of this envelope is inside of `other`, as far as the same terms say so."""
        return all(
            any(
                term == own_term and low <= own_low and own_high <= high for own_low, own_term, own_high in self._bounds
            )
            for low, term, high in other._bounds
        )

    def check(self, joints: tuple[str, ...]) -> None:
        """See whether states with `joints` can be judged.

        Raises:
            ConfigError: a term is not known, or names a joint that is not there.
        """
        zeros = np.zeros(len(joints))
        try:
            self.violation(JointState(stamp=0, names=joints, position=zeros, velocity=zeros))
        except StateError as error:
            raise ConfigError(f"policy.envelope cannot be judged: {error}") from None

    def violation(self, state: JointState) -> str:
        """What lies outside, in words; nothing where `state` is inside.

        Raises:
            StateError: a joint is missing, or a value is not finite.
        """
        self._observer.observe(state, self._values)
        for (low, term, high), value in zip(self._bounds, self._values.tolist(), strict=True):
            if not low < value < high or math.isnan(value):
                return f"{term} is {value:.4g}, outside of its envelope from {low:g} to {high:g}"
        return ""
