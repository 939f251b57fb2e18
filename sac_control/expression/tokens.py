"""The smallest parts of an expression's text: numbers, words, quoted names and signs. Knows no grammar."""

from __future__ import annotations

import re
from typing import NamedTuple, NoReturn

from sac_control.errors import ConfigError

SIGNALS = ("position", "velocity", "effort", "action")
# Function: least and largest number of arguments.
FUNCTIONS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(("abs", "sin", "cos", "tanh", "exp", "sqrt", "sign"), (1, 1)),
    **dict.fromkeys(("min", "max"), (2, 64)),
    "clip": (3, 3),
}
WORDS = ("and", "or", "not")  # operators
_RESERVED = frozenset((*SIGNALS, *FUNCTIONS, *WORDS))
_SHOWN = 200  # characters of a text that a message repeats

_WORD = re.compile(r"[^\W\d]\w*")
_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
        (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<word>[^\W\d]\w*)
      | (?P<quoted>'[^']*(?:''[^']*)*')
      | (?P<sign><=|>=|==|!=|[-+*/^<>@(),])
      | (?P<end>\Z)
    )""",
    re.VERBOSE,
)


class Token(NamedTuple):
    """One part of a text."""

    kind: str  # number, word, quoted, sign or end
    text: str  # as it stands there; a quoted name without its quotes
    start: int  # place of its first character, from 0
    end: int  # place after its last one
    operator: str = ""  # its text where that is a sign or one of WORDS

    def __str__(self) -> str:
        return {"end": "the end", "quoted": f"the name {self.text!r:.80}"}.get(self.kind, f"{self.text!r:.80}")


def token_at(text: str, place: int) -> Token:
    """The first token from `place` on.

    Raises:
        ConfigError: what stands there begins none.
    """
    match = _TOKEN.match(text, place)
    if match is None:
        rest = text[place:].lstrip(" \t\r\n")
        hint = {"'": "a second ' after the name", "=": "'=='", "&": "'and'", "|": "'or'", "!": "'!=' or 'not'"}
        refuse(text, len(text) - len(rest), repr(rest[0]), hint.get(rest[0], "a number, a name or an operator"))
    kind = match.lastgroup or ""
    found = match[kind]
    if kind == "quoted":
        found = found[1:-1].replace("''", "'")
    is_operator = kind == "sign" or (kind == "word" and found in WORDS)
    return Token(kind, found, match.start(kind), match.end(), found if is_operator else "")


def quote(joint: str) -> str:
    """How the name of a joint is written in an expression: ``arm``, but ``'left/arm'`` and ``'sin'``."""
    if _WORD.fullmatch(joint) and joint not in _RESERVED:
        return joint
    return "'" + joint.replace("'", "''") + "'"


def is_word(text: str) -> bool:
    """Whether `text` is one word, perhaps between blanks."""
    return _WORD.fullmatch(text.strip(" \t\r\n")) is not None


def refuse(text: str, place: int, got: str, expected: str) -> NoReturn:
    """Say that `text` is no expression, because of what stands at `place`.

    Raises:
        ConfigError: always.
    """
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    raise ConfigError(f"expression {shown!r}, column {place + 1}: got {got}, expected {expected}")
