"""What an envelope promises: bounds on expressions, NaN outside, and a safe answer to "only stricter"."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sac_control.errors import ConfigError, StateError
from sac_control.policy.envelope import Envelope
from sac_control.types import JointState

JOINTS = ("cart", "left/pole")


def state(position: tuple[float, float], velocity: tuple[float, float] = (0.0, 0.0)) -> JointState:
    return JointState(stamp=0, names=JOINTS, position=np.array(position), velocity=np.array(velocity))


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("-0.9 < position(cart) < .9", (0.89, 0.0), (0.9, 0.0)),
        ("-0.9 < cart < 0.9; ;", (0.89, 0.0), (-0.95, 0.0)),
        ("+0<cart<1e1 ; -1 < sin('left/pole') < 0.5", (5.0, 0.4), (5.0, 0.6)),
        ("-1 < position(left/pole) < 1", (9.0, 0.9), (0.0, 1.1)),
        ("-1 < cart + 0.6*sin('left/pole') < 1", (0.9, -0.5), (0.9, 0.5)),
        ("-1 < cart^2 + 'left/pole'^2 < 1", (0.7, 0.7), (0.8, 0.8)),
        ("0.5 < (abs(cart) < 1 or 'left/pole' > 2) < 1.5", (3.0, 2.5), (3.0, 1.5)),
        ("-2*0.45 < cart < 2*0.45", (0.89, 0.0), (0.91, 0.0)),
    ],
)
def test_terms_are_expressions(text: str, inside: tuple[float, float], outside: tuple[float, float]) -> None:
    envelope = Envelope(text)
    envelope.check(JOINTS)
    assert envelope.violation(state(inside)) == ""
    assert "outside of its envelope" in envelope.violation(state(outside))


def test_violation_names_the_term_its_value_and_the_bounds() -> None:
    assert Envelope("-0.9<position( cart )<0.9").violation(state((0.912345, 0.0))) == (
        "position(cart) is 0.9123, outside of its envelope from -0.9 to 0.9"
    )


@pytest.mark.parametrize(
    ("term", "position"),
    [("1/cart - 1/cart", 0.0), ("sqrt(cart)", -1.0), ("sin(1/cart)", 0.0), ("cart", math.nan), ("1/cart", 0.0)],
)
def test_what_is_not_a_number_or_infinite_is_outside(term: str, position: float) -> None:
    assert "outside of its envelope" in Envelope(f"-1e308 < {term} < 1e308").violation(state((position, 0.0)))


def test_joint_that_is_not_there_is_told_before_a_state_comes_and_by_a_state() -> None:
    envelope = Envelope("-1 < position(card) < 1")
    with pytest.raises(ConfigError, match=r"policy\.envelope cannot be judged: .*'card'.*did you mean cart\?"):
        envelope.check(JOINTS)
    with pytest.raises(StateError, match="'card' is missing"):
        envelope.violation(state((0.0, 0.0)))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("-1 < cart@1 < 1", "looks back 1 control periods"),
        ("-1 < cart - cart@1 < 1", "looks back"),
        ("-1 < action(cart) < 1", r"reads action\(cart\)"),
        ("-1 < effort(cart) < 1", r"reads effort\(cart\)"),
    ],
)
def test_term_that_no_single_joint_state_can_judge_is_refused(text: str, why: str) -> None:
    with pytest.raises(
        ConfigError, match=rf"policy\.envelope: .*{why}.*expected positions and velocities of one moment"
    ):
        Envelope(text)


@pytest.mark.parametrize(
    "text",
    [
        *("cart", "cart < 1", "-1 < cart <= 1", "1 > cart > -1", "1 < cart < -1", "1 < cart < 1", "cart < 1 < 2"),
        *(
            "-1 < cart < 1 < 2",
            "(-1 < cart) < 1",
            "0 < cart < sqrt(-1)",
            "-1 < cart < 1, -1 < 'left/pole' < 1",
            "-1 < < 1",
        ),
        *("-1 < tan(cart) < 1", "-1 < cart < 'left/pole'", "nonsense"),
    ],
)
def test_what_is_no_bound_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"policy\.envelope"):
        Envelope(text)


def test_semicolon_in_a_quoted_name_separates_nothing() -> None:
    Envelope("-1 < 'a;b' < 1; -1 < cart < 1").check(("a;b", "cart"))


@pytest.mark.parametrize(
    ("inner", "outer", "is_within"),
    [
        ("-0.5 < cart < 0.5", "-1 < cart < 1", True),
        ("-0.5<( cart )<.50", "-0.5 < cart < 0.5", True),
        ("-1 < cart + (2.0)*'left/pole' < 1", "-1 < cart+2*'left/pole' < 1", True),
        ("-1 < position(left/pole) < 1", "-1 < position('left/pole') < 1", True),
        ("-1 < cart < 1; -1 < 'left/pole' < 1", "-1 < 'left/pole' < 1", True),
        ("-1 < cart < 1", "", True),
        ("-1 < cart < 1.5", "-1 < cart < 1", False),
        ("-1 < cart < 1", "-1 < cart < 1; -1 < 'left/pole' < 1", False),
        ("", "-1 < cart < 1", False),
        # The same value, but not the same text in canonical form: on the safe side.
        ("-0.5 < 2*'left/pole' + cart < 0.5", "-1 < cart + 2*'left/pole' < 1", False),
        ("-0.5 < position(cart) < 0.5", "-1 < cart < 1", False),
    ],
)
def test_envelope_is_within_another_where_the_same_terms_have_no_wider_bounds(
    inner: str, outer: str, is_within: bool
) -> None:
    assert Envelope(inner).is_within(Envelope(outer)) is is_within
