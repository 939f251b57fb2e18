"""One line of the table: what was measured, what the peers reach, what was aimed at. Plain text; formats nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Goal:
    """Something aimed at."""

    text: str  # "median at most 1,000"
    met: bool | None  # None where the run cannot tell
    reached: str = ""  # how far it got, in words; empty where the line's figures say it


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of the table."""

    key: str  # name of the line, under which benchmarks/reasons.py says why a goal is not met
    what: str
    peers: str = "–"  # what the peers reached in the same run
    median: str
    interval: str = "–"
    worst: str = "–"
    runs: str = "–"  # how many, and how many of them failed
    goals: tuple[Goal, ...] = ()
