"""What a check of a task finds."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Level(enum.IntEnum):
    """How bad it is."""

    HINT = 0  # nothing is wrong, and something could be better
    WARNING = 1  # it may be meant
    ERROR = 2  # it cannot be meant


@dataclass(frozen=True)
class Finding:
    """One thing that is found."""

    level: Level
    sentence: str  # what was found, and what to do

    def __str__(self) -> str:
        return f"{self.level.name.lower()}: {self.sentence}"


def error(sentence: str) -> Finding:
    """What cannot be meant."""
    return Finding(Level.ERROR, sentence)


def warning(sentence: str) -> Finding:
    """What may be meant."""
    return Finding(Level.WARNING, sentence)


def hint(sentence: str) -> Finding:
    """What could be better."""
    return Finding(Level.HINT, sentence)
