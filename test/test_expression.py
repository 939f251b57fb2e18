"""What an expression's text means, how it is written canonically, and that no text does any harm."""

from __future__ import annotations

import contextlib
import inspect
import sys
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sac_control.errors import ConfigError
from sac_control.expression import Expression, SignalLayout, compile, parse, quote  # noqa: A004
from sac_control.expression.parser import DEEPEST, LONGEST_MEMORY, LONGEST_TEXT
from sac_control.expression.tokens import FUNCTIONS, SIGNALS
from sac_control.tasks.catalogue import TASKS, make_task

# Precedence

SAME = [  # two spellings of one expression
    ("-x^2", "-(x^2)"),
    ("2^3^2", "2^(3^2)"),
    ("2^-x^2", "2^(-(x^2))"),
    ("-x*y", "(-x)*y"),
    ("x*-y", "x*(-y)"),
    ("a - b - c", "(a - b) - c"),
    ("a/b*c", "(a/b)*c"),
    ("a + b*c", "a + (b*c)"),
    ("a < b + 1", "a < (b + 1)"),
    ("not a < b", "not (a < b)"),
    ("not a and b", "(not a) and b"),
    ("a and b or c and d", "(a and b) or (c and d)"),
    ("a < 1 and b < 2", "(a < 1) and (b < 2)"),
    ("x^y@2", "x^(y@2)"),
    ("-x@2", "-(x@2)"),
    ("position(a)@2*b", "(position(a)@2)*b"),
    ("+x", "x"),
    ("((x))", "x"),
    ("1.50e0*x", "1.5*x"),
    (" a\t+\r\n b ", "a + b"),
    ("'a' + b", "a + b"),
    ("position( 'a'+b )", "position(a + b)"),
]
DIFFERENT = [  # parentheses that say something
    ("(-x)^2", "-x^2"),
    ("(2^3)^2", "2^3^2"),
    ("a - (b - c)", "a - b - c"),
    ("a*(b*c)", "a*b*c"),
    ("a/(b*c)", "a/b*c"),
    ("(a < b) < c", "a < b < c"),
    ("not (a and b)", "not a and b"),
    ("(a or b) and c", "a or b and c"),
    ("(a - b)@2", "a - b@2"),
    ("(x^y)@1", "x^y@1"),
    ("(x@1)@2", "x@3"),
    ("-(a*b)", "-a*b"),
    ("a + b", "b + a"),
    ("x", "position(x)"),  # the same value, another spelling: it is kept
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_operators_bind_as_in_mathematics(one: str, other: str) -> None:
    assert parse(one) == parse(other)
    assert parse(one).canonical == parse(other).canonical


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_parentheses_that_change_the_order_stay(one: str, other: str) -> None:
    assert parse(one) != parse(other)
    for text in (one, other):
        assert parse(text).canonical == text


# Canonical form


@pytest.mark.parametrize("task", sorted(TASKS))
def test_terms_of_the_built_in_tasks_are_canonical_as_they_stand(task: str) -> None:
    for term in make_task(task).specification.observation:
        assert parse(term).canonical == term


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1-0.1*position(arm)^2-.02*( action(arm)-action(arm) @1 )^2",
         "1 - 0.1*position(arm)^2 - 0.02*(action(arm) - action(arm)@1)^2"),
        ("abs(pole)>.5 or abs( arm )>2.0", "abs(pole) > 0.5 or abs(arm) > 2"),
        ("clip(x,-1,1)+min(a,b,1e3)", "clip(x, -1, 1) + min(a, b, 1000)"),
        ("-1<x<=1", "-1 < x <= 1"),
        ("not(a)", "not a"),
        ("1e-7*x + 0.1 + 1e22", "1e-07*x + 0.1 + 1e+22"),
        ("position(left/arm)", "position('left/arm')"),
        ("position(a b)@1", "position('a b')@1"),
        ("'it''s' + 'sin' + 'a'", "'it''s' + 'sin' + a"),
    ],
)  # fmt: skip
def test_canonical_form_has_one_spelling_of_blanks_parentheses_quotes_and_numbers(text: str, canonical: str) -> None:
    assert parse(text).canonical == canonical
    assert parse(canonical) == parse(text)


JOINTS = st.sampled_from(["arm", "cart_to_pole", "left/arm", "a-b", "two words", "it's", "sin", "not", "Ärmel", "1st"])


def expressions() -> st.SearchStrategy[str]:
    """Texts of expressions, with all operators and superfluous parentheses."""
    numbers = st.floats(0.0, 1e300).map(repr) | st.integers(0, 10**6).map(str)
    signals = st.tuples(st.sampled_from(SIGNALS), st.lists(JOINTS, min_size=1, max_size=3)).map(
        lambda pair: f"{pair[0]}({' + '.join(map(quote, pair[1]))})"
    )

    def larger(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        operators = st.sampled_from([*"+-*/^", "<", "<=", ">", ">=", "==", "!=", " and ", " or "])
        return st.one_of(
            st.tuples(part, operators, part).map("".join),
            st.tuples(part, operators, part).map(lambda parts: f"({''.join(parts)})"),
            st.tuples(st.sampled_from(["-", "(not ", "("]), part).map(lambda p: p[0] + p[1] + ")" * p[0].count("(")),
            st.tuples(part, st.integers(0, 20)).map(lambda pair: f"({pair[0]})@{pair[1]}"),
            st.sampled_from(sorted(FUNCTIONS)).flatmap(
                lambda name: st.lists(part, min_size=FUNCTIONS[name][0], max_size=FUNCTIONS[name][0]).map(
                    lambda arguments: f"{name}({', '.join(arguments)})"
                )
            ),
        )

    return st.recursive(numbers | signals | JOINTS.map(quote), larger, max_leaves=12)


@given(expressions())
def test_canonical_text_is_read_as_the_same_expression_again(text: str) -> None:
    try:
        expression = parse(text)
    except ConfigError:  # too deep, or a number that looks back
        return
    assert parse(expression.canonical) == expression
    assert parse(expression.canonical).canonical == expression.canonical
    assert parse(expression.canonical).memory == expression.memory


# What an expression reads


def test_expression_tells_which_signals_of_which_joints_it_reads_and_how_far_it_looks_back() -> None:
    one = parse("sin(pole) - velocity(arm + pole)@2*effort('left/arm') + (action(arm) - action(arm)@3)@4")
    assert one.joints == ("pole", "arm", "left/arm")
    assert one.signals == {
        "position": ("pole",),
        "velocity": ("arm", "pole"),
        "effort": ("left/arm",),
        "action": ("arm",),
    }
    assert one.memory == 7
    assert parse("2*3").memory == 0
    assert parse("2*3").joints == ()


def test_joint_that_is_not_there_is_refused_with_its_column_and_the_nearest_name() -> None:
    joints, driven = ("slider_to_cart", "cart_to_pole"), ("slider_to_cart",)
    parse("sin(cart_to_pole) + effort(cart_to_pole)*action(slider_to_cart)").check(joints, driven)
    for text, message in {
        "sin(cart_to_poel)": r"column 5: got the name 'cart_to_poel', expected a joint; did you mean cart_to_pole\?",
        "1 + velocity(slider_to_cart + slider)": r"column 14: got the name 'slider'.*did you mean slider_to_cart\?",
        "action(cart_to_pole)": r"column 8: got the name 'cart_to_pole', expected a driven joint; .*slider_to_cart",
    }.items():
        with pytest.raises(ConfigError, match=message):
            parse(text).check(joints, driven)
    with pytest.raises(ConfigError, match="column 1: got the name 'left', expected a joint; did you mean 'left/arm'"):
        parse("left/arm").check(("left/arm", "cart"))  # as YAML leaves it of a text that begins with a quote
    with pytest.raises(ConfigError, match="expected a driven joint; there is no driven joint"):
        parse("action(slider_to_cart)").check(joints)


# Names of joints


@given(st.text(min_size=1, max_size=20))
@example("it's")
@example("'")
@example("a;b")
@example("and")
def test_any_joint_can_be_named_in_quotes(joint: str) -> None:
    assert parse(quote(joint)).joints == (joint,)
    assert parse(f"velocity({quote(joint)})").joints == (joint,)
    assert parse(f"sin({quote(joint)} + {quote(joint)})").joints == (joint,)


def test_words_need_no_quotes_and_words_of_the_language_do() -> None:
    assert quote("slider_to_cart") == "slider_to_cart"
    assert [quote(name) for name in ("left/arm", "sin", "and", "1st", "a b", "a-b")] == [
        "'left/arm'", "'sin'", "'and'", "'1st'", "'a b'", "'a-b'",
    ]  # fmt: skip


@pytest.mark.parametrize("joint", ["left/arm", "a - b", "my joint", "3", "a+b", "$", "it's", " ", "sin", "a < b, c"])
def test_terms_of_older_files_name_joints_without_quotes(joint: str) -> None:
    for function in ("position", "velocity"):
        assert parse(f"{function}({joint})", [joint]) == parse(f"{function}({quote(joint)})")
        assert parse(f"{function}({joint} + b)", [joint, "b"]) == parse(f"{function}({quote(joint)} + b)")
    for function in ("sin", "cos"):
        assert parse(f"{function}({joint})", [joint]) == parse(f"{function}({quote(joint)})")
        assert parse(f"{function}(b + {joint})", [joint, "b"]) == parse(f"{function}(b + {quote(joint)})")


def test_name_of_a_joint_comes_before_arithmetic_only_where_it_is_one() -> None:
    assert parse("sin(left/arm)", ["left/arm", "left", "arm"]).joints == ("left/arm",)
    assert parse("sin(left/arm)", ["left", "arm"]).joints == ("left", "arm")
    assert parse("sin(left/arm)").joints == ("left", "arm")
    assert parse("abs(left/arm)", ["left/arm"]).joints == ("left", "arm")
    assert parse("position(left/arm)").joints == ("left/arm",)  # can mean nothing else
    with pytest.raises(ConfigError, match="names such as 'left/arm' in quotes"):
        parse("position(left/arm)", ["left", "arm"])


# Mistakes

MISTAKES = {
    "": r"column 1: got the end, expected a number, a joint, a signal, a function or '\('",
    "a +": r"column 4: got the end, expected a number",
    "a b": r"column 3: got 'b', expected an operator or the end",
    "0.6sin(x)": r"column 4: got 'sin', expected an operator or the end",
    "tan(x)": r"column 1: got the function 'tan', expected a known one; did you mean tanh\?",
    "1 + postion(x)": r"column 5: got the function 'postion', .*did you mean position\?",
    "cos()": r"column 5: got '\)', expected a number",
    "cos(x": r"column 6: got the end, expected an operator or '\)'",
    "x)": r"column 2: got '\)', expected an operator or the end",
    "sin x": r"column 5: got 'x', expected '\(' after sin; a joint of that name is 'sin'",
    "velocity": r"column 9: got the end, expected '\(' after velocity",
    "min(x)": r"column 1: got 'min', expected from 2 to 64 arguments for it, not 1",
    "sin(x, y)": r"column 1: got 'sin', expected 1 argument for it, not 2",
    "clip(x, 1)": r"column 1: got 'clip', expected 3 arguments for it, not 2",
    "x**2": r"column 3: got '\*', .*a power is written x\^2",
    "x = 1": r"column 3: got '=', expected '=='",
    "a && b": r"column 3: got '&', expected 'and'",
    "a || b": r"column 3: got '\|', expected 'or'",
    "!a": r"column 1: got '!', expected '!=' or 'not'",
    "a # b": r"column 3: got '#', expected a number, a name or an operator",
    "1 + not a": r"column 5: got 'not', expected a number",
    "'left/arm": r"column 1: got \"'\", expected a second ' after the name",
    "''": r"column 1: got the name '', expected the name of a joint",
    "position()": r"column 10: got '\)', expected a joint inside of position",
    "position(a + 'b' c)": r"column 18: got 'c', expected '\)' or '\+' and a joint inside of position",
    "x@": r"column 3: got the end, expected a whole number of control periods from 0 to 100",
    "x@1.5": r"column 3: got '1.5', expected a whole number of control periods",
    "x@-1": r"column 3: got '-', expected a whole number of control periods",
    "x@y": r"column 3: got 'y', expected a whole number of control periods",
    "x@1@2": r"column 4: got '@', expected an operator or the end",
    "3@1": r"column 2: got '@', expected an operator or the end: a number has no past",
    "(1 + 2)@1": r"column 8: got '@', .*a number has no past",
    "x@101": r"column 3: got '101', expected at most 100 control periods in all",
    "((x@60) + 1)@41": r"column 14: got '41', expected at most 100 control periods in all",
    "1e999": r"column 1: got '1e999', expected a number below 1.8e308",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_mistake_is_told_with_its_column_what_was_got_and_what_was_expected(text: str) -> None:
    with pytest.raises(ConfigError, match=MISTAKES[text]) as caught:
        parse(text)
    assert str(caught.value).startswith(f"expression {text!r}, column ")


TOO_LARGE = [
    *("(" * 5000, "sin(" * 1000, "min(" * 1000, "-" * 4000 + "x", "not " * 1000 + "x", "2^" * 2000 + "2", "x" * 10_000),
    *("x + " * 2000, "(" * (DEEPEST + 1) + "x" + ")" * (DEEPEST + 1)),
]


@pytest.mark.parametrize("text", TOO_LARGE)
def test_depth_and_length_are_bounded(text: str) -> None:
    with pytest.raises(ConfigError, match=r"expected at most \d+"):
        parse(text)


def test_what_is_just_within_the_bounds_is_read() -> None:
    assert parse("(" * DEEPEST + "x" + ")" * DEEPEST) == parse("x")
    assert parse(f"x@{LONGEST_MEMORY}").memory == LONGEST_MEMORY
    longest = " + ".join(["x"] * ((LONGEST_TEXT + 3) // 4))
    assert parse(longest.replace(" ", "")).canonical == longest
    with pytest.raises(ConfigError, match=r"characters in canonical form, expected at most 2048"):
        parse(longest.replace(" ", "") + "+x")


@pytest.mark.parametrize("part", ["0 or x and x < 1 + 1*(", "(x@1 + ", "sin(", "min(1, ", "-", "2^", "not "])
def test_deepest_expression_needs_no_more_than_half_of_the_calls_that_python_allows(part: str) -> None:
    limit = sys.getrecursionlimit()
    text = part * DEEPEST + "x" + ")" * (DEEPEST * part.count("("))
    sys.setrecursionlimit(len(inspect.stack(0)) + 500)
    try:
        expression = parse(text)
        assert parse(expression.canonical) == expression
        layout = SignalLayout(("x",))
        assert isinstance(compile(expression, layout)([[1.0, 0.0, 0.0]] * (expression.memory + 1)), float)
    finally:
        sys.setrecursionlimit(limit)


PARTS = [*FUNCTIONS, *SIGNALS, "and", "or", "not", "(", ")", ",", "+", "-", "^", "@", "1", "x", "'a b'", " "]


@given(
    st.text(max_size=60)
    | st.text("ab1.e+-*/^<>=!@(),' \n", max_size=60)
    | st.lists(st.sampled_from(PARTS)).map("".join)
)
def test_any_text_is_an_expression_or_a_mistake_in_one_sentence(text: str) -> None:
    for joints in (None, (), ("x", "a b")):
        try:
            expression = parse(text, joints)
        except ConfigError as error:
            message = str(error)
            assert message.startswith("expression ")
            assert "\n" not in message
        else:
            assert isinstance(expression, Expression)
            assert parse(expression.canonical) == expression


PATTERNS = [
    *("(", ")", "'", "''", "a", "a ", "1", "1.", "1e", "position(", "sin(", "sin(a)+", "position(a/b)+", "min(a,", "-"),
    *("x@1+", "x<", "not ", "((x@1)", "^", " ", "position(a + ", "(a+b)*"),
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_cost_of_a_text_grows_no_faster_than_its_length(pattern: str) -> None:
    def seconds(length: int, unread: str) -> float:
        text = (pattern * length)[:length]
        begin = time.perf_counter()
        with contextlib.suppress(ConfigError):
            assert parse(text, ("a", "b", unread)).canonical
        return time.perf_counter() - begin

    short, long = (min(seconds(length, f"{run}") for run in range(3)) for length in (LONGEST_TEXT // 8, LONGEST_TEXT))
    assert long < 40 * short + 0.05  # 8 times the length; 64 times if it were quadratic
