"""What expressions give: values by hand, IEEE results where Python would raise, the past, and signs in the mirror."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sac_control.errors import ConfigError
from sac_control.expression import Row, Rows, SignalLayout, compile, compile_row, mirror_sign, parse  # noqa: A004
from test_expression import expressions

LAYOUT = SignalLayout(("a", "b"), ("b",))
# position a b, velocity a b, effort a b, action b
ROW: Row = [0.5, -2.0, 3.0, 4.0, 10.0, 20.0, 0.25]
OLDER: Rows = [ROW, [1.5, -3.0, 0.0, 0.0, 0.0, 0.0, 0.75], [2.5, -4.0, 0.0, 0.0, 0.0, 0.0, -1.0]]


def value(text: str, rows: Rows = OLDER) -> float:
    return compile(parse(text, LAYOUT.joints), LAYOUT)(rows)


VALUES = {
    "2 + 3*4": 14.0,
    "10 - 4 - 3": 3.0,
    "2*3/4*2": 3.0,
    "12/2/3": 2.0,
    "-2^2": -4.0,
    "(-2)^2": 4.0,
    "2^3^2": 512.0,
    "2^-1": 0.5,
    "-2*-3": 6.0,
    "1 - -1": 2.0,
    "a": 0.5,
    "position(b)": -2.0,
    "velocity(a)": 3.0,
    "effort(b)": 20.0,
    "action(b)": 0.25,
    "position(a + b)": -1.5,
    "velocity(a + b + b)": 11.0,
    "a - b - 1 + 2*b": -2.5,
    "b^2": 4.0,
    "b^3": -8.0,
    "4^a": 2.0,
    "abs(b)": 2.0,
    "sin(a)": math.sin(0.5),
    "cos(a + b)": math.cos(-1.5),
    "cos(velocity(a))": math.cos(3.0),
    "sin(a + b + b)": math.sin(-3.5),
    "sin(2*a - b)": math.sin(3.0),
    "tanh(b)": math.tanh(-2.0),
    "exp(b)": math.exp(-2.0),
    "sqrt(velocity(b))": 2.0,
    "sign(a) + 10*sign(b) + 100*sign(0)": -9.0,
    "min(a, b, 7)": -2.0,
    "max(a, b)": 0.5,
    "clip(b, -1, 1)": -1.0,
    "clip(velocity(a), -1, 1)": 1.0,
    "clip(a, -1, 1)": 0.5,
    "clip(a, 2, 1)": 1.0,
    "a < 1": 1.0,
    "a < 0.5": 0.0,
    "a <= 0.5": 1.0,
    "a > b": 1.0,
    "a >= 0.5": 1.0,
    "a == 0.5": 1.0,
    "a != 0.5": 0.0,
    "b < a < 1": 1.0,
    "1 > a > 0.75": 0.0,
    "b < a == 0.5 < 2": 1.0,
    "(b < a) == 1": 1.0,
    "not a": 0.0,
    "not 0": 1.0,
    "a and b": 1.0,
    "a and 0": 0.0,
    "0 or b": 1.0,
    "0 or 0": 0.0,
    "not a < 0 and b": 1.0,
    "3*(a > 0) + 2*(b > 0)": 3.0,
    "a@1": 1.5,
    "a@0": 0.5,
    "a - a@1": -1.0,
    "(a - b)@2": 6.5,
    "(a - a@1)@1": -1.0,
    "position(a + b)@1": -1.5,
    "sin(a@1)": math.sin(1.5),
    "sin(a)@1": math.sin(1.5),
    "action(b)@1 + action(b)": 1.0,
    "a@2 < 3 and action(b)@2 < 0": 1.0,
    "max(a, a@1, a@2)": 2.5,
}


@pytest.mark.parametrize("text", VALUES)
def test_value_is_that_of_mathematics(text: str) -> None:
    assert value(text) == VALUES[text]
    if parse(text).memory == 0:
        assert compile_row(parse(text), LAYOUT)(ROW) == VALUES[text]


NAN, INF = math.nan, math.inf
AT_THE_EDGES = {  # x, y and the value
    "x/y": [(1.0, 0.0, INF), (-1.0, 0.0, -INF), (1.0, -0.0, -INF), (0.0, 0.0, NAN), (NAN, 0.0, NAN), (INF, INF, NAN),
            (1e308, 1e-308, INF)],
    "x*y": [(1e308, -10.0, -INF), (0.0, INF, NAN)],
    "x + y": [(1e308, 1e308, INF), (INF, -INF, NAN)],
    "x^y": [(-8.0, 0.5, NAN), (0.0, -1.0, INF), (-0.0, -1.0, -INF), (0.0, -2.0, INF), (-0.0, -0.5, INF),
            (0.0, 0.0, 1.0), (10.0, 400.0, INF), (-10.0, 401.0, -INF), (-10.0, 400.0, INF), (NAN, 0.0, 1.0),
            (NAN, 1.0, NAN)],
    "x^2": [(1e200, 0.0, INF), (NAN, 0.0, NAN), (-INF, 0.0, INF)],
    "sqrt(x)": [(-1.0, 0.0, NAN), (INF, 0.0, INF), (NAN, 0.0, NAN)],
    "exp(x)": [(1000.0, 0.0, INF), (-1000.0, 0.0, 0.0), (-INF, 0.0, 0.0), (NAN, 0.0, NAN)],
    "sin(x)": [(INF, 0.0, NAN), (-INF, 0.0, NAN), (NAN, 0.0, NAN)],
    "cos(x + y)": [(INF, 0.0, NAN), (1e308, 1e308, NAN)],
    "sin(2*x)": [(INF, 0.0, NAN)],
    "cos(x - y)": [(INF, 0.0, NAN)],
    "tanh(x)": [(INF, 0.0, 1.0), (NAN, 0.0, NAN)],
    "abs(x)": [(-INF, 0.0, INF), (NAN, 0.0, NAN)],
    "sign(x)": [(-INF, 0.0, -1.0), (NAN, 0.0, NAN), (-0.0, 0.0, 0.0)],
    "min(x, y)": [(NAN, 1.0, NAN), (1.0, NAN, NAN), (-INF, 1.0, -INF)],
    "max(x, y)": [(NAN, 1.0, NAN), (1.0, NAN, NAN)],
    "clip(x, -1, y)": [(NAN, 1.0, NAN), (0.0, NAN, NAN), (INF, 1.0, 1.0)],
    "x < y": [(NAN, 1.0, 0.0), (1.0, NAN, 0.0), (-INF, INF, 1.0)],
    "x >= y": [(NAN, 1.0, 0.0)],
    "x == y": [(NAN, NAN, 0.0), (INF, INF, 1.0), (0.0, -0.0, 1.0)],
    "x != y": [(NAN, 1.0, 0.0), (NAN, NAN, 0.0)],
    "-1 < x < 1": [(NAN, 0.0, 0.0)],
    "not x": [(NAN, 0.0, 1.0), (-0.0, 0.0, 1.0)],
    "not x < y": [(NAN, 1.0, 1.0)],
    "x and y": [(NAN, 1.0, 0.0), (1.0, NAN, 0.0), (INF, -1.0, 1.0)],
    "x or y": [(NAN, 0.0, 0.0), (NAN, 1.0, 1.0)],
}  # fmt: skip


@pytest.mark.parametrize("text", AT_THE_EDGES)
def test_what_has_no_value_is_nan_and_what_is_too_large_infinite(text: str) -> None:
    evaluate = compile_row(parse(text), SignalLayout(("x", "y")))
    for x, y, expected in AT_THE_EDGES[text]:
        got = evaluate([x, y])
        assert math.isnan(got) if math.isnan(expected) else got == expected, (x, y, got)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2^9^9^9", INF), ("exp(exp(exp(9)))", INF), ("1/0", INF), ("sqrt(-1)", NAN), ("0^-1", INF), ("sin(1/0)", NAN),
     ("1e308*10 - 1e308*10", NAN), ("-9^9^9^9", -INF), ("(-9)^9^9", -INF)],
)  # fmt: skip
def test_constants_that_have_no_value_are_no_error_and_take_no_time(text: str, expected: float) -> None:
    got = value(text)
    assert got == expected or (math.isnan(got) and math.isnan(expected))


def test_sum_that_is_zero_has_no_sign() -> None:
    """As sums have it that begin at 0; observations of policies made before were such sums."""
    for text in ("a + b", "a - 0*a + b", "position(a + b)", "a + b + a + b"):
        assert math.copysign(1.0, compile_row(parse(text), LAYOUT)([-0.0, -0.0])) == 1.0
    assert math.copysign(1.0, compile_row(parse("sin(a + b)"), LAYOUT)([-0.0, -0.0])) == 1.0


NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


@given(expressions(), st.lists(NUMBERS, min_size=7, max_size=7), st.lists(NUMBERS, min_size=7, max_size=7))
def test_every_expression_has_a_value_for_all_numbers(text: str, newest: list[float], older: list[float]) -> None:
    try:
        expression = parse(text)
    except ConfigError:
        return
    layout = SignalLayout(expression.joints, expression.joints)
    rows = [(row * layout.width)[: layout.width] for row in ([newest] + [older] * expression.memory)]
    got = compile(expression, layout)(rows)
    assert isinstance(got, float)
    again = compile(parse(expression.canonical), layout)(rows)
    assert got == again or (math.isnan(got) and math.isnan(again))
    if expression.memory == 0:
        alone = compile_row(expression, layout)(rows[0])
        assert got == alone or (math.isnan(got) and math.isnan(alone))


def test_long_sums_and_products_are_calculated_without_deep_recursion() -> None:
    assert value("+".join(["a"] * 500)) == 250.0
    assert value("*".join(["99"] * 600)) == math.inf
    assert value(" or ".join(["0"] * 400)) == 0.0
    assert value("<".join(map(str, range(300)))) == 1.0


def test_layout_says_where_each_signal_lies() -> None:
    layout = SignalLayout(("a", "b", "c"), ("c", "a"))
    assert layout.width == 11
    assert [layout.place("position", joint) for joint in "abc"] == [0, 1, 2]
    assert [layout.place("velocity", joint) for joint in "abc"] == [3, 4, 5]
    assert [layout.place("effort", joint) for joint in "abc"] == [6, 7, 8]
    assert [layout.place("action", joint) for joint in "ca"] == [9, 10]
    assert list(range(layout.width))[layout.actions] == [9, 10]


def test_expression_is_compiled_only_for_joints_that_are_there() -> None:
    for make in (compile, compile_row):
        with pytest.raises(ConfigError, match=r"column 5: got the name 'c', expected a joint"):
            make(parse("sin(c)"), LAYOUT)
        with pytest.raises(ConfigError, match=r"got the name 'a', expected a driven joint"):
            make(parse("action(a)"), LAYOUT)
    with pytest.raises(ConfigError, match="looks back 2 control periods"):
        compile_row(parse("a@2"), LAYOUT)


# Mirror

SIGNS = {
    "a": -1, "velocity(a)": -1, "effort(a)": -1, "action(b)": -1, "position(a + b)": -1, "a@3": -1, "-a": -1,
    "2*a": -1, "a/3": -1, "1/a": -1, "a*b": 1, "a/b": 1, "a*b*a": -1, "a + b": -1, "a - sin(b)": -1, "a + 0": -1,
    "sin(a)": -1, "cos(a)": 1, "abs(a)": 1, "tanh(a)": -1, "sign(a)": -1, "sin(a + b)": -1, "cos(a - b)": 1,
    "sin(cos(a))": 1, "cos(sin(a))": 1, "exp(-a^2)": 1, "sqrt(a^2 + b^2)": 1, "a^2": 1, "a^3": -1, "a^-1": -1, "a^0": 1,
    "2^cos(a)": 1, "abs(a)^0.5": 1, "3": 1, "3 + cos(a)": 1, "1 - 0.1*a^2 - 0.02*(action(b) - action(b)@1)^2": 1,
    "clip(a, -1, 1)": -1, "clip(a^2, 0, 1)": 1, "min(abs(a), 1)": 1, "max(cos(a), cos(b))": 1,
    "-1 < a < 1": 1, "1 >= a >= -1": 1, "abs(a) > 0.5 or abs(b) > 2": 1, "a == 0": 1, "a != b": 1,
    "a and b": 1, "not a": 1, "a*(abs(a) < 1)": -1, "0*sin(a)": -1,
}  # fmt: skip
NEITHER = {
    "a + cos(b)": "'a + cos(b)', which adds up what keeps its sign and what changes it",
    "1 + a": "'1 + a', which adds up",
    "2*(a - 1)": "'a - 1', which adds up",
    "a > 1": "'a > 1', which compares what changes its sign: write it with abs(...), or as -limit < x < limit",
    "a < b": "'a < b', which compares",
    "-1 < a < 2": "'-1 < a < 2', which compares",
    "-1 < a <= 1": "'-1 < a <= 1', which compares",
    "a == 1": "'a == 1', which compares",
    "exp(a)": "'exp(a)', which is exp of what changes its sign",
    "min(a, 1)": "'min(a, 1)', which is min of",
    "clip(a, -1, 2)": "'clip(a, -1, 2)', which is clip of",
    "a^b": "'a^b', which is a power of what changes its sign, with an exponent that is no whole number",
    "a^0.5": "'a^0.5', which is a power of",
    "cos(a + 1)": "'a + 1', which adds up",
}


@pytest.mark.parametrize("text", SIGNS)
def test_sign_in_the_mirror_is_found_in_the_expression(text: str) -> None:
    assert mirror_sign(parse(text)) == SIGNS[text]


@pytest.mark.parametrize("text", NEITHER)
def test_expression_without_mirror_image_is_refused_and_the_part_named(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        mirror_sign(parse(text))
    assert f"expression {text!r} has no mirror image, because of {NEITHER[text]}" in str(caught.value)


@given(expressions(), st.lists(st.floats(-3.0, 3.0), min_size=1, max_size=30))
def test_sign_in_the_mirror_is_that_of_the_values(text: str, numbers: list[float]) -> None:
    try:
        expression = parse(text)
        sign = mirror_sign(expression)
    except ConfigError:
        return
    layout = SignalLayout(expression.joints, expression.joints)
    row = (numbers * layout.width)[: layout.width]
    evaluate = compile(expression, layout)
    ours, theirs = (evaluate([each] * (expression.memory + 1)) for each in (row, [-number for number in row]))
    if math.isfinite(ours) and math.isfinite(theirs):
        assert theirs == pytest.approx(sign * ours, rel=1e-6, abs=1e-6) or 0.0 in row
