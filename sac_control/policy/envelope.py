"""The region of joint positions and velocities in which a policy may move anything. Knows no ROS."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sac_control.errors import ConfigError
from sac_control.expression import Expression, parse
from sac_control.expression.evaluation import constant
from sac_control.expression.tree import Chain
from sac_control.observation import StateObserver, check_reads_joint_states
from sac_control.types import JointState

_PART = re.compile(r"(?:[^;']|'[^']*'|')+")  # a semicolon in a quoted name separates nothing


@dataclass(frozen=True)
class _Bound:
    low: float
    term: Expression
    high: float


class Envelope:
    """Bounds on terms of the joint state, written ``low < term < high; low < term < high``.

    Terms are expressions, see docs/expressions.md: ``-0.9 < position(slider_to_cart) < 0.9``. They read positions and
    velocities of one moment alone: each state is judged for itself, so that no lost message changes a verdict. A term
    that is NaN is outside.

    Args:
        text: the bounds.

    Raises:
        ConfigError: the text is not written so, a lower bound is not below its upper one, or a term reads more.
    """

    def __init__(self, text: str) -> None:
        self._bounds = [_bound(part.strip()) for part in _PART.findall(text) if part.strip()]
        self._observer = StateObserver([bound.term for bound in self._bounds])

    def is_within(self, other: Envelope) -> bool:
        """Whether every state inside of this envelope is inside of `other`, as far as the same terms say so."""
        return all(
            any(bound.term == own.term and bound.low <= own.low and own.high <= bound.high for own in self._bounds)
            for bound in other._bounds
        )

    def check(self, joints: tuple[str, ...]) -> None:
        """See whether states with `joints` can be judged.

        Raises:
            ConfigError: a term names a joint that is not there.
        """
        for bound in self._bounds:
            try:
                bound.term.check(joints)
            except ConfigError as error:
                raise ConfigError(f"policy.envelope cannot be judged: {error}") from None

    def violation(self, state: JointState) -> str:
        """What lies outside, in words; nothing where `state` is inside.

        Raises:
            StateError: a joint is missing, or arrays and names differ in length.
        """
        for bound, value in zip(self._bounds, self._observer.values(state), strict=True):
            if not bound.low < value < bound.high:  # so it is with NaN
                term, low, high = bound.term.canonical, bound.low, bound.high
                return f"{term} is {value:.4g}, outside of its envelope from {low:g} to {high:g}"
        return ""


def _bound(part: str) -> _Bound:
    """What `part` says, which must be ``low < term < high``."""
    try:
        root = parse(part).root
    except ConfigError as error:
        raise ConfigError(f"policy.envelope: {error}") from None
    if isinstance(root, Chain) and root.operators == ("<", "<"):
        low, high = constant(root.items[0]), constant(root.items[2])
        term = Expression(root.items[1], part)
        if low is not None and high is not None and low < high:
            try:
                check_reads_joint_states(term)
            except ConfigError as error:
                raise ConfigError(f"policy.envelope: {error}") from None
            return _Bound(low, term, high)
    raise ConfigError(
        f"policy.envelope has {part!r:.200}: expected bounds such as '-0.9 < position(slider_to_cart) < 0.9', "
        "with ';' between them"
    )
