"""Arrivals: which transitions came, twice or never. Judges by source and sequence number alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MOST_SOURCES = 64  # remembered; a source is one life of a simulator process


class Arrivals:
    """Counts numbered arrivals from several sources.

    A source is first believed at whatever number it is first heard with: what it sent before, nobody was there to miss.

    Attributes:
        duplicates: arrivals whose number was not new.
        missing: numbers that were skipped.
    """

    def __init__(self) -> None:
        self.duplicates = 0
        self.missing = 0
        self._next: dict[int, int] = {}  # number expected next, by source; the source last heard comes last

    @property
    def expected(self) -> int | None:
        """The number that the source last heard will use next; None before any was heard."""
        return next(reversed(self._next.values()), None)

    def is_new(self, source: int, sequence: int) -> bool:
        """Take note of an arrival; false if its number was not new."""
        expected = self._next.pop(source, sequence)
        self._next[source] = max(expected, sequence + 1)
        if len(self._next) > _MOST_SOURCES:
            del self._next[next(iter(self._next))]
        if sequence < expected:
            self.duplicates += 1
            return False
        self.missing += sequence - expected
        return True

    def state(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "duplicates": self.duplicates,
            "missing": self.missing,
            "next": [list(item) for item in self._next.items()],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state()`."""
        self.duplicates, self.missing = state["duplicates"], state["missing"]
        self._next = dict(state["next"])
