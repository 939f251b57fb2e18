"""Whether an expression keeps or changes its sign where all signals change theirs: even and odd, found in the tree."""

from __future__ import annotations

from typing import NoReturn

from sac_control.errors import ConfigError
from sac_control.expression.canonical import COMPARISONS, text_of
from sac_control.expression.evaluation import constant
from sac_control.expression.expression import Expression
from sac_control.expression.tree import Call, Chain, Node, Past, Power, Prefix, Signal, children

EVEN, ODD = 1, -1
_ODD_FUNCTIONS = ("sin", "tanh", "sign")  # change their sign with their argument
_EVEN_FUNCTIONS = ("cos", "abs")  # have the same value for both


def mirror_sign(expression: Expression) -> int:
    """By what its value is multiplied when all positions, velocities, efforts and actions change their sign: +1 or -1.

    It is found in the way the expression is written: ``abs(x) > 1`` keeps its value, ``x > 1 or x < -1`` is refused.

    Raises:
        ConfigError: neither could be shown; the part at which it fails is named.
    """
    return _parity(expression.root, expression)


def _parity(node: Node, whole: Expression) -> int:
    if isinstance(node, Signal):
        return ODD
    if constant(node) is not None:
        return EVEN
    parities = [_parity(child, whole) for child in children(node)]
    if isinstance(node, Past):
        return parities[0]
    if isinstance(node, Prefix):
        return EVEN if node.operator == "not" else parities[0]  # whether a number is true does not depend on its sign
    if isinstance(node, Power):
        return _of_power(node, parities, whole)
    if isinstance(node, Call):
        return _of_call(node, parities, whole)
    assert isinstance(node, Chain)
    return _of_chain(node, parities, whole)


def _of_chain(node: Chain, parities: list[int], whole: Expression) -> int:
    kind = node.operators[0]
    if kind in ("and", "or"):
        return EVEN
    if kind in ("*", "/"):
        return ODD if parities.count(ODD) % 2 else EVEN
    if kind in COMPARISONS:
        is_two_sided = len(node.items) == 3 and len(set(node.operators)) == 1 and parities[1] == ODD
        if set(parities) == {EVEN} or (is_two_sided and _are_opposite(node.items[0], node.items[2])):
            return EVEN
        if set(node.operators) <= {"==", "!="} and len(_parities_beside_zeros(node.items, parities)) == 1:
            return EVEN
        _refuse(node, whole, "which compares what changes its sign: write it with abs(...), or as -limit < x < limit")
    if len(beside_zeros := _parities_beside_zeros(node.items, parities)) > 1:
        _refuse(node, whole, "which adds up what keeps its sign and what changes it")
    return beside_zeros.pop() if beside_zeros else EVEN


def _of_power(node: Power, parities: list[int], whole: Expression) -> int:
    exponent = constant(node.exponent)
    if parities[0] == EVEN and parities[1] == EVEN:
        return EVEN
    if exponent is None or exponent % 1.0:
        _refuse(node, whole, "which is a power of what changes its sign, with an exponent that is no whole number")
    return ODD if exponent % 2.0 else EVEN


def _of_call(node: Call, parities: list[int], whole: Expression) -> int:
    if node.function in _EVEN_FUNCTIONS or set(parities) == {EVEN}:
        return EVEN
    if node.function in _ODD_FUNCTIONS:
        return ODD
    if node.function == "clip" and parities[0] == ODD and _are_opposite(*node.arguments[1:]):
        return ODD
    return _refuse(node, whole, f"which is {node.function} of what changes its sign")


def _parities_beside_zeros(items: tuple[Node, ...], parities: list[int]) -> set[int]:
    """Zero is even and odd."""
    return {parity for item, parity in zip(items, parities, strict=True) if constant(item) != 0.0}


def _are_opposite(one: Node, other: Node) -> bool:
    """Whether both are numbers, and one is minus the other."""
    low, high = constant(one), constant(other)
    return low is not None and high is not None and low == -high


def _refuse(node: Node, whole: Expression, why: str) -> NoReturn:
    raise ConfigError(f"expression {whole.text!r:.200} has no mirror image, because of {text_of(node)!r:.200}, {why}")
