"""A tree as a function of numbers: closures within each other, made once. Nothing of a text is executed.

A row is what was measured and done in one control period, a list of numbers that a `SignalLayout` puts in order. Rows
come newest first: ``rows[k]`` is ``k`` control periods ago.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sac_control.errors import ConfigError
from sac_control.expression import functions
from sac_control.expression.expression import Expression
from sac_control.expression.functions import is_true
from sac_control.expression.tokens import SIGNALS
from sac_control.expression.tree import (
    Call,
    Chain,
    Node,
    Number,
    Past,
    Power,
    Prefix,
    Signal,
    children,
    memory_of,
    reads_signals,
)  # fmt: skip

Row = Sequence[float]  # (3n + a,) positions, velocities and efforts of n joints, actions of a driven ones
Rows = Sequence[Row]  # newest first
Closure = Callable[[Any], float]  # of a row, or of rows: how numbers are combined is the same

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq,
    "!=": functions.differs,
}  # fmt: skip


@dataclass(frozen=True)
class SignalLayout:
    """Where each signal lies in a row."""

    joints: tuple[str, ...]  # (n,)
    actuated_joints: tuple[str, ...] = ()  # (a,) in the order of the command

    @property
    def width(self) -> int:
        """Numbers in a row: 3n + a."""
        return 3 * len(self.joints) + len(self.actuated_joints)

    @property
    def actions(self) -> slice:
        """Where the actions lie in a row: its last numbers."""
        return slice(3 * len(self.joints), self.width)

    def place(self, kind: str, joint: str) -> int:
        """Where the signal `kind`, one of tokens.SIGNALS, of `joint` lies in a row."""
        joints = self.actuated_joints if kind == "action" else self.joints
        return SIGNALS.index(kind) * len(self.joints) + joints.index(joint)


def compile(expression: Expression, layout: SignalLayout) -> Callable[[Rows], float]:  # noqa: A001  as in re
    """A function of rows, which must be ``expression.memory + 1`` or more.

    Raises:
        ConfigError: the layout lacks a joint.
    """
    expression.check(layout.joints, layout.actuated_joints)
    return _Compiler(layout).of_rows(expression.root, 0)


def compile_row(expression: Expression, layout: SignalLayout) -> Callable[[Row], float]:
    """A function of one row, for an expression without memory: somewhat faster.

    Raises:
        ConfigError: the layout lacks a joint, or the expression has a memory.
    """
    if expression.memory:
        raise ConfigError(
            f"expression {expression.text!r:.200} looks back {expression.memory} control periods: expected none with @"
        )
    expression.check(layout.joints, layout.actuated_joints)
    return _Compiler(layout).of_row(expression.root)


def constant(node: Node) -> float | None:
    """The value of a part of an expression that reads no signal; None of others."""
    if reads_signals(node):
        return None
    return _Compiler(SignalLayout(())).of_row(node)(())


class _Compiler:
    def __init__(self, layout: SignalLayout) -> None:
        self._layout = layout

    def of_rows(self, node: Node, age: int) -> Closure:
        """`node` as it was `age` control periods ago, as a function of rows."""
        if memory_of(node) == 0:
            of_row = self.of_row(node)
            return lambda rows: of_row(rows[age])
        if isinstance(node, Past):
            return self.of_rows(node.operand, age + node.periods)
        return _combined(node, [self.of_rows(child, age) for child in children(node)])

    def of_row(self, node: Node) -> Closure:
        """`node`, which has no memory, as a function of a row."""
        if isinstance(node, Past):
            return self.of_row(node.operand)
        if isinstance(node, Signal):
            return self._signal(node)
        if isinstance(node, Call) and node.function in ("sin", "cos"):
            places = self._places(node.arguments[0])
            if len(places) in (1, 2):
                return _angle(node.function, places)
        return _combined(node, [self.of_row(child) for child in children(node)])

    def _signal(self, signal: Signal) -> Closure:
        places = [self._layout.place(signal.kind, joint) for joint in signal.joints]
        return itemgetter(places[0]) if len(places) == 1 else _sum(["+"] * len(places), list(map(itemgetter, places)))

    def _places(self, node: Node) -> list[int]:
        """Where the summands of `node` lie, where it is a signal or a sum of signals alone."""
        if isinstance(node, Signal):
            return [self._layout.place(node.kind, joint) for joint in node.joints]
        if isinstance(node, Chain) and set(node.operators) == {"+"}:
            each = [self._places(item) for item in node.items]
            return [places[0] for places in each] if all(len(places) == 1 for places in each) else []
        return []


def _combined(node: Node, parts: list[Closure]) -> Closure:
    """`node` where `parts` calculate its children."""
    if isinstance(node, Number):
        value = node.value
        return lambda _: value
    closure = _operation(node, parts)
    if reads_signals(node):
        return closure
    result = closure(())  # no part reads what it is given
    return lambda _: result


def _operation(node: Node, parts: list[Closure]) -> Closure:
    if isinstance(node, Call):
        return _call(node.function, parts)
    if isinstance(node, Power):
        return _power(node, parts)
    if isinstance(node, Prefix):
        (operand,) = parts
        if node.operator == "not":
            return lambda row: 0.0 if is_true(operand(row)) else 1.0
        return lambda row: -operand(row)
    assert isinstance(node, Chain)
    kind = node.operators[0]
    if kind in "+-":
        return _sum(["+", *node.operators], parts)
    if kind in "*/":
        return _product(node, parts)
    if kind == "and":
        return lambda row: float(all(is_true(part(row)) for part in parts))
    if kind == "or":
        return lambda row: float(any(is_true(part(row)) for part in parts))
    return _comparison(node, parts)


def _angle(function: str, places: list[int]) -> Closure:
    """The commonest of all terms, without a call more than is needed; NaN of an infinite angle."""
    calculate = math.sin if function == "sin" else math.cos
    first, second = places[0], places[-1]

    def of_one(row: Row) -> float:
        try:
            return calculate(row[first])
        except ValueError:
            return math.nan

    def of_two(row: Row) -> float:
        try:
            return calculate(row[first] + row[second] + 0.0)
        except ValueError:
            return math.nan

    return of_one if len(places) == 1 else of_two


def _sum(operators: Sequence[str], parts: list[Closure]) -> Closure:
    """From the left to the right. A sum that is zero is +0, whatever the signs of its summands' zeros."""
    parts = [_negated(part) if operator == "-" else part for operator, part in zip(operators, parts, strict=True)]
    if len(parts) == 2:
        a, b = parts
        return lambda row: a(row) + b(row) + 0.0
    if len(parts) == 3:
        a, b, c = parts
        return lambda row: a(row) + b(row) + c(row) + 0.0

    def total(row: Any) -> float:
        value = 0.0
        for part in parts:
            value += part(row)
        return value

    return total


def _negated(part: Closure) -> Closure:
    return lambda row: -part(row)


def _product(node: Chain, parts: list[Closure]) -> Closure:
    first, *others = parts
    if node.operators == ("*",):
        (second,) = others
        if (number := constant(node.items[0])) is not None:
            coefficient = number
            return lambda row: coefficient * second(row)
        return lambda row: first(row) * second(row)
    quotient = functions.quotient
    steps = list(zip(node.operators, others, strict=True))

    def product(row: Any) -> float:
        value = first(row)
        for sign, part in steps:
            value = value * part(row) if sign == "*" else quotient(value, part(row))
        return value

    return product


def _power(node: Power, parts: list[Closure]) -> Closure:
    base, exponent = parts
    if node.exponent == Number(2.0):

        def square(row: Any) -> float:
            value = base(row)
            return value * value

        return square
    power = functions.power
    return lambda row: power(base(row), exponent(row))


def _call(function: str, parts: list[Closure]) -> Closure:
    calculate = functions.CALLS[function]
    if len(parts) == 1:
        (argument,) = parts
        return lambda row: calculate(argument(row))
    return lambda row: calculate(*[part(row) for part in parts])


def _comparison(node: Chain, parts: list[Closure]) -> Closure:
    """Each item is calculated once."""
    if len(parts) == 2:
        left, right = parts
        compare = _COMPARISONS[node.operators[0]]
        return lambda row: float(compare(left(row), right(row)))
    first, *others = parts
    steps = [(_COMPARISONS[sign], part) for sign, part in zip(node.operators, others, strict=True)]

    def holds(row: Any) -> float:
        value = first(row)
        for compare, part in steps:
            following = part(row)
            if not compare(value, following):
                return 0.0
            value = following
        return 1.0

    return holds
