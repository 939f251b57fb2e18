"""Arrivals: which transitions came, late, twice or never. Judges by source and sequence number alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# A transition that is late by more numbers than these is given up: the buffer must not take one twice, so what is not
# remembered counts as seen. More than a subscription's queue holds, and 0.8 s of 10,000 transitions per second.
WINDOW = 8192
FARTHEST = 2**20  # numbers ahead that are believed of a transition that is unusable otherwise
MOST_SOURCES = 1024  # remembered; a source is one life of a simulator process
_ALL = (1 << WINDOW) - 1


@dataclass(frozen=True, slots=True)
class _Heard:
    """What is known of one source."""

    next: int  # number expected next: one more than the highest that came
    seen: int  # bit i: whether number next - 1 - i came
    lowest: int  # number that came

    def lacks(self, sequence: int) -> bool:
        """Whether number `sequence` has not come; what is too old to tell counts as come."""
        place = self.next - 1 - sequence
        return place < 0 or (place < WINDOW and not self.seen >> place & 1)


class Arrivals:
    """Counts numbered arrivals from several sources, whatever their order.

    A source's first number is its baseline: what it sent before, nobody was there to miss.
    A number that was skipped is missing until it comes after all. Memory is bounded: a window of numbers per source, as
    receivers of IPsec keep it against replays (RFC 4303, section 3.4.3), and the sources last heard.

    Attributes:
        duplicates: arrivals whose number was not new, or too old to tell.
        missing: numbers that were skipped and have not come.
    """

    def __init__(self) -> None:
        self.duplicates = 0
        self.missing = 0
        self._sources: dict[int, _Heard] = {}  # the source last heard comes last
        self._undo: tuple[_Heard | None, int] = None, 0  # the source as it was before the newest arrival, and missing

    @property
    def expected(self) -> int | None:
        """The number that the source last heard will use next; None before any was heard."""
        newest = next(reversed(self._sources.values()), None)
        return None if newest is None else newest.next

    @property
    def newest(self) -> int | None:
        """The source last heard; None before any was."""
        return next(reversed(self._sources), None)

    def is_new(self, source: int, sequence: int) -> bool:
        """Take note of an arrival; false if its number was not new."""
        heard = self._sources.pop(source, None)
        self._undo = heard, self.missing
        is_new = heard is None or heard.lacks(sequence)
        self.duplicates += not is_new
        self._sources[source] = self._after(heard, sequence) if heard is None or is_new else heard
        if len(self._sources) > MOST_SOURCES:
            del self._sources[next(iter(self._sources))]
        return is_new

    def distrust(self, source: int, sequence: int) -> None:
        """The newest arrival was new, but is unusable otherwise.

        It makes no source known, and a number absurdly far ahead is not believed: all that comes after it would seem
        old. Otherwise its number has come, for what was left out is not missing, too.
        """
        before, missing = self._undo
        if before is None:
            del self._sources[source]
        elif sequence - before.next >= FARTHEST:
            self._sources[source], self.missing = before, missing

    def _after(self, heard: _Heard | None, sequence: int) -> _Heard:
        """The source after the new number `sequence` came. Counts what is missing."""
        if heard is None:
            return _Heard(sequence + 1, 1, sequence)
        skipped = sequence - heard.next
        if skipped >= 0:
            self.missing += skipped
            seen = heard.seen << skipped + 1 if skipped < WINDOW else 0
            return _Heard(sequence + 1, (seen | 1) & _ALL, heard.lowest)
        self.missing += heard.lowest - sequence - 1 if sequence < heard.lowest else -1
        return _Heard(heard.next, heard.seen | 1 << -1 - skipped, min(sequence, heard.lowest))

    def state(self) -> dict[str, Any]:
        """All of it as plain values."""
        sources = [[source, heard.next, f"{heard.seen:x}", heard.lowest] for source, heard in self._sources.items()]
        return {"duplicates": self.duplicates, "missing": self.missing, "next": sources}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state()`."""
        self.duplicates, self.missing = state["duplicates"], state["missing"]
        self._sources = {
            source: _Heard(number, int(seen, 16), lowest) for source, number, seen, lowest in state["next"]
        }
