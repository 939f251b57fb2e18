"""Text into a tree, by precedence climbing. Texts may come from strangers: their length, depth and memory are bounded.

From the loosest to the tightest: ``or``, ``and``, ``not``, comparisons, ``+ -``, ``* /``, the sign ``-``, ``^``, ``@``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import NoReturn

from sac_control.expression.canonical import COMPARISON, LEVELS, NOT, level_of
from sac_control.expression.expression import Expression
from sac_control.expression.tokens import FUNCTIONS, SIGNALS, Token, is_word, quote, refuse, token_at
from sac_control.expression.tree import Call, Chain, Node, Number, Past, Power, Prefix, Signal, memory_of, reads_signals
from sac_control.option import suggest

LONGEST_TEXT = 2048  # [characters]
DEEPEST = 24  # parentheses, functions, signs and powers within each other: half of Python's own limit of 1000 calls
LONGEST_MEMORY = 100  # [control periods] that an expression may look back in all
_OPERAND = "a number, a joint, a signal, a function or '('"


def parse(text: str, joints: Sequence[str] | None = None) -> Expression:
    """Read `text`.

    Args:
        text: what docs/expressions.md describes.
        joints: names that need no quotes directly inside of a signal, ``sin`` or ``cos``, whatever they hold beside
            parentheses, as in older policy files: ``sin(left/arm)``. Whether the names are there at all is seen by
            `Expression.check`. None: not known; then ``position(left/arm)`` still can mean nothing else.

    Raises:
        ConfigError: it is none; column, what was got and what was expected are said.
    """
    if len(text) > LONGEST_TEXT:
        refuse(text, LONGEST_TEXT, f"{len(text)} characters", f"at most {LONGEST_TEXT}")
    return _parsed(text, None if joints is None else tuple(joints))


@functools.lru_cache(maxsize=256)  # a policy's terms are read when it is checked, and again when it is put in force
def _parsed(text: str, joints: tuple[str, ...] | None) -> Expression:
    expression = Expression(_Parser(text, joints).whole(), text)
    length = len(expression.canonical) if 4 * len(text) > LONGEST_TEXT else 0  # it is never four times as long
    if length > LONGEST_TEXT:  # or it could not be read again
        refuse(text, len(text), f"{length} characters in canonical form", f"at most {LONGEST_TEXT}")
    return expression


class _Parser:
    def __init__(self, text: str, joints: tuple[str, ...] | None) -> None:
        self._text = text
        self._joints = None if joints is None else frozenset(joints)
        self._place = 0  # after the last token that was taken
        self._ahead: Token | None = None  # the next one, where somebody looked
        self._depth = 0

    def whole(self) -> Node:
        node = self._climb(1)
        if self._next.kind != "end":
            self._refuse(self._next, "an operator or the end")
        return node

    # Grammar, from the loosest to the tightest

    def _climb(self, lowest: int) -> Node:
        """What is bound at least as tightly as `lowest`."""
        left = self._not() if lowest <= NOT and self._next.operator == "not" else self._signed()
        while (level := LEVELS.get(self._next.operator, 0)) >= lowest:
            operators, items = [], [left]
            if isinstance(left, Chain) and level_of(left) == level != COMPARISON:  # those parentheses say nothing
                operators, items = list(left.operators), list(left.items)
            while LEVELS.get(self._next.operator, 0) == level:
                operators.append(self._take().text)
                items.append(self._climb(level + 1))
            left = Chain(tuple(operators), tuple(items))
        return left

    def _not(self) -> Node:
        self._go_deeper(self._take())
        node = Prefix("not", self._climb(NOT))
        self._depth -= 1
        return node

    def _signed(self) -> Node:
        if self._next.operator not in ("-", "+"):
            return self._power()
        sign = self._take()
        self._go_deeper(sign)
        node = self._signed()
        self._depth -= 1
        return Prefix("-", node) if sign.text == "-" else node

    def _power(self) -> Node:
        base = self._past()
        if self._next.operator != "^":
            return base
        self._go_deeper(self._take())
        exponent = self._signed()  # which reads further powers: they are right associative
        self._depth -= 1
        return Power(base, exponent)

    def _past(self) -> Node:
        node = self._operand()
        if self._next.operator != "@":
            return node
        at = self._take()
        if not reads_signals(node):
            self._refuse(at, "an operator or the end: a number has no past")
        periods = self._take()
        if periods.kind != "number" or not periods.text.isdecimal() or len(periods.text) > len(str(LONGEST_MEMORY)):
            self._refuse(periods, f"a whole number of control periods from 0 to {LONGEST_MEMORY}")
        past = Past(node, int(periods.text))
        if memory_of(past) > LONGEST_MEMORY:
            self._refuse(periods, f"at most {LONGEST_MEMORY} control periods in all")
        return past

    def _operand(self) -> Node:
        token = self._take()
        if token.kind == "number":
            value = float(token.text)
            if math.isinf(value):
                self._refuse(token, "a number below 1.8e308")
            return Number(value)
        if token.kind == "quoted":
            return Signal("position", (self._named(token),), is_bare=True, place=token.start)
        if token.operator == "(":
            self._go_deeper(token)
            return self._closed(self._climb(1))
        if token.kind != "word" or token.operator:
            is_python = token.text == "*" and self._text[token.start - 1 : token.start] == "*"
            self._refuse(token, f"{_OPERAND}; a power is written x^2" if is_python else _OPERAND)
        if self._next.operator == "(":
            return self._call(token)
        if token.text in SIGNALS or token.text in FUNCTIONS:
            self._refuse(self._next, f"'(' after {token.text}; a joint of that name is {quote(token.text)}")
        return Signal("position", (token.text,), is_bare=True, place=token.start)

    def _call(self, name: Token) -> Node:
        if name.text not in SIGNALS and name.text not in FUNCTIONS:
            nearest = suggest(name.text[:80], (*SIGNALS, *FUNCTIONS))
            refuse(self._text, name.start, f"the function {name.text!r:.80}", f"a known one; {nearest}")
        opening = self._take()
        self._go_deeper(opening)
        unquoted = self._unquoted(name.text, opening.end)
        if name.text in SIGNALS:
            joints = unquoted or self._joints_summed(name, opening.end)
            return self._closed(Signal(name.text, joints, place=opening.end))
        if unquoted:
            signals = tuple(Signal("position", (joint,), is_bare=True, place=opening.end) for joint in unquoted)
            sum_or_one = Chain(("+",) * (len(signals) - 1), signals) if len(signals) > 1 else signals[0]
            return self._closed(Call(name.text, (sum_or_one,)))
        arguments = [self._climb(1)]
        while self._next.operator == ",":
            self._take()
            arguments.append(self._climb(1))
        least, most = FUNCTIONS[name.text]
        if not least <= len(arguments) <= most and self._next.operator == ")":
            numbers = str(least) if least == most else f"from {least} to {most}"
            self._refuse(name, f"{numbers} argument{'s' * (most > 1)} for it, not {len(arguments)}")
        return self._closed(Call(name.text, tuple(arguments)))

    # Names of joints

    def _unquoted(self, function: str, start: int) -> tuple[str, ...]:
        """The joints named from `start` on without quotes, as older policy files do; none where none are meant."""
        if function not in ("sin", "cos", *SIGNALS):
            return ()
        end = self._text.find(")", start)
        inside = self._text[start:end]
        if end < 0 or "(" in inside or (self._joints is None and function not in SIGNALS):
            return ()
        names = tuple(inside.split(" + "))
        if self._joints is not None:
            is_meant = self._joints.issuperset(names)
        else:
            is_meant = "'" not in inside and not all(map(is_word, inside.split("+"))) and all(names)
        if is_meant:
            self._place, self._ahead = end, None
        return names if is_meant else ()

    def _joints_summed(self, name: Token, start: int) -> tuple[str, ...]:
        """Joints, quoted or not, with plus signs between them."""
        joints = []
        while True:
            token = self._take()
            if token.kind not in ("word", "quoted"):
                self._refuse(token, f"a joint inside of {name.text}(...); names such as 'left/arm' in quotes")
            joints.append(self._named(token))
            if self._next.operator == ")":
                return tuple(joints)
            if self._next.operator != "+":
                self._refuse(
                    self._next, f"')' or '+' and a joint inside of {name.text}(...); names such as 'left/arm' in quotes"
                )
            self._take()

    def _named(self, token: Token) -> str:
        if not token.text:
            self._refuse(token, "the name of a joint")
        return token.text

    # Tokens

    @property
    def _next(self) -> Token:
        if self._ahead is None:
            self._ahead = token_at(self._text, self._place)
        return self._ahead

    def _take(self) -> Token:
        token = self._next
        self._place, self._ahead = token.end, None
        return token

    def _closed(self, node: Node) -> Node:
        token = self._take()
        if token.operator != ")":
            self._refuse(token, "an operator or ')'")
        self._depth -= 1
        return node

    def _go_deeper(self, token: Token) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            self._refuse(token, f"at most {DEEPEST} parentheses, functions, signs and powers within each other")

    def _refuse(self, token: Token, expected: str) -> NoReturn:
        refuse(self._text, token.start, str(token), expected)
