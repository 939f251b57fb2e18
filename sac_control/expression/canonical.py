"""A tree as text: one spelling for one tree. White space, parentheses, quotes and numbers are ours, the order is not.

A specification's hash is that of its text, and a change of order is a change of rounding.
"""

from __future__ import annotations

from sac_control.expression.tokens import quote
from sac_control.expression.tree import Call, Chain, Node, Number, Past, Power, Prefix, Signal

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
# How tightly operators bind between two items. Prefixes: not as COMPARISON - 1, minus as SIGN.
LEVELS = {"or": 1, "and": 2, **dict.fromkeys(COMPARISONS, 4), "+": 5, "-": 5, "*": 6, "/": 6}
NOT, COMPARISON, SIGN, POWER, WHOLE = 3, 4, 7, 8, 9


def text_of(node: Node) -> str:
    """The text of `node`, from which the parser makes the same tree again."""
    if isinstance(node, Number):
        return repr(node.value).removesuffix(".0")
    if isinstance(node, Signal):
        names = " + ".join(map(quote, node.joints))
        return names if node.is_bare else f"{node.kind}({names})"
    if isinstance(node, Call):
        return f"{node.function}({', '.join(map(text_of, node.arguments))})"
    if isinstance(node, Past):
        return f"{_within(node.operand, WHOLE, is_past=True)}@{node.periods}"
    if isinstance(node, Power):
        return f"{_within(node.base, WHOLE)}^{_within(node.exponent, SIGN)}"
    if isinstance(node, Prefix):
        return f"not {_within(node.operand, NOT)}" if node.operator == "not" else f"-{_within(node.operand, SIGN)}"
    level = level_of(node)
    parts = [_within(node.items[0], level + 1)]
    for operator, item in zip(node.operators, node.items[1:], strict=True):
        parts.append((operator if operator in "*/" else f" {operator} ") + _within(item, level + 1))
    return "".join(parts)


def level_of(node: Node) -> int:
    """How tightly `node` is bound together."""
    if isinstance(node, Chain):
        return LEVELS[node.operators[0]]
    if isinstance(node, Prefix):
        return NOT if node.operator == "not" else SIGN
    return POWER if isinstance(node, Power) else WHOLE


def _within(node: Node, level: int, *, is_past: bool = False) -> str:
    """The text of `node` where only what is bound at least as tightly as `level` may stand without parentheses."""
    needs_them = level_of(node) < level or (is_past and isinstance(node, Past))
    return f"({text_of(node)})" if needs_them else text_of(node)
