"""Whether the joint states of one robot have several publishers at once. Knows no ROS: a source is any key.

A publisher that was restarted takes the place of the old one, which is heard no more. One that is heard again after
another has spoken has not been replaced: there are two.
"""

from __future__ import annotations

import math
from collections.abc import Hashable

MEMORY = 1.0  # [s] for which a source counts as speaking


class StateSources:
    """Times are of a steady clock [s]."""

    def __init__(self) -> None:
        self._newest: Hashable = None
        self._newest_at = -math.inf
        self._heard: dict[Hashable, float] = {}  # when each other one was heard last
        self._rivals: tuple[Hashable, ...] = ()
        self._rivals_until = -math.inf

    def hear(self, source: Hashable, now: float) -> bool:
        """A state of our joints came from `source`; whether that shows, just now, that there are several."""
        newest = self._newest
        if source == newest:
            self._newest_at = now
            return False
        if newest is not None:
            self._heard[newest] = self._newest_at
        self._newest, self._newest_at = source, now
        if now - self._heard.get(source, -math.inf) > MEMORY:
            return False
        was_alone = now > self._rivals_until
        self._heard = {each: at for each, at in self._heard.items() if now - at <= MEMORY}
        self._rivals, self._rivals_until = tuple(dict.fromkeys((*self._heard, source))), now + MEMORY
        return was_alone

    def rivals(self, now: float) -> tuple[Hashable, ...]:
        """The sources that publish at once; none where there is one alone."""
        return self._rivals if now <= self._rivals_until else ()
