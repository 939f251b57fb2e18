"""What an expression is, once it was read: a tree that never changes. Knows neither its text nor how it is calculated.

Chains of one precedence are one node, ``a - b + c``, so that a long sum is no deep tree. Equal trees mean the same,
to the last digit; where they stood in the text does not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal of a joint, or the sum of those of several: ``velocity(a + b)``."""

    kind: str  # one of tokens.SIGNALS
    joints: tuple[str, ...]  # one or more
    is_bare: bool = False  # written as the joint alone, which means its position
    place: int = field(default=0, compare=False)  # in the text, from 0


@dataclass(frozen=True, slots=True)
class Prefix:
    operator: str  # - or not
    operand: Node


@dataclass(frozen=True, slots=True)
class Chain:
    """Two or more items, from the left to the right, and between them operators of one precedence."""

    operators: tuple[str, ...]  # (n-1,) all of: + -, or * /, or < <= > >= == !=, or and, or or
    items: tuple[Node, ...]  # (n,)


@dataclass(frozen=True, slots=True)
class Power:
    base: Node
    exponent: Node


@dataclass(frozen=True, slots=True)
class Call:
    function: str  # one of tokens.FUNCTIONS
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Past:
    """What the operand was some control periods ago."""

    operand: Node
    periods: int


Node = Number | Signal | Prefix | Chain | Power | Call | Past


def children(node: Node) -> tuple[Node, ...]:
    """The nodes of which `node` is made, from the left to the right."""
    if isinstance(node, Chain):
        return node.items
    if isinstance(node, Call):
        return node.arguments
    if isinstance(node, Power):
        return (node.base, node.exponent)
    return (node.operand,) if isinstance(node, Prefix | Past) else ()


def reads_signals(node: Node) -> bool:
    """Whether the value of `node` depends on any signal."""
    return isinstance(node, Signal) or any(map(reads_signals, children(node)))


def signals_of(node: Node) -> Iterator[Signal]:
    """All signals that `node` reads, from the left to the right."""
    if isinstance(node, Signal):
        yield node
    for child in children(node):
        yield from signals_of(child)


def memory_of(node: Node) -> int:
    """How many control periods `node` looks back."""
    own = node.periods if isinstance(node, Past) else 0
    return own + max(map(memory_of, children(node)), default=0)
