"""How many updates are made before messages are looked at again. Knows nothing of what an update is."""

from __future__ import annotations

from collections.abc import Callable

LONGEST = 0.01  # [s] that a slice shall take; a single update may take longer, and is then a slice of its own
MOST_UPDATES = 16  # in a slice, and in a group


class Slices:
    """Cuts updates into slices by the time that they take, and counts them in groups, which no time decides.

    Args:
        clock: steady clock [s].
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._fitting = 1  # updates that a slice has time for, by the newest one
        self._made = 0  # updates of the group that is under way

    @property
    def is_whole_group(self) -> bool:
        """Whether the newest slice has ended a group: always after the same updates."""
        return self._made == 0

    def make(self, owed: int, update: Callable[[int], None]) -> None:
        """Make the next slice of `owed` updates. A group ends with them, too, where it is not full by then."""
        count = min(owed, self._fitting, MOST_UPDATES - self._made)
        began = self._clock()
        update(count)
        each = (self._clock() - began) / count
        self._fitting = MOST_UPDATES if each * MOST_UPDATES <= LONGEST else max(1, int(LONGEST / each))
        self._made = 0 if count == owed else (self._made + count) % MOST_UPDATES
