"""Garbage collection between two callbacks and never during one. Knows no ROS."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

IDLE_PERIOD = 1.0  # [s] between two collections where there is time for them
BUSY_PERIOD = 10.0  # [s] where there never is; reference counts alone free what ticks make, so little piles up


class GarbageCollection:
    """Takes collections out of Python's hands, which would make them whenever enough was allocated.

    Args:
        clock: steady clock [s].
        collect: the collection.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, collect: Callable[[], object] = gc.collect) -> None:
        self._clock, self._collect = clock, collect
        self._last = clock()  # [s] steady time of the last collection

    def begin(self) -> None:
        """From now on nothing is collected by itself; what there is already will never be looked at again."""
        self._collect()
        gc.freeze()
        gc.disable()
        self._last = self._clock()

    def collect_when_due(self, is_idle: bool) -> None:
        """Collect, but not too often: to be called where a pause harms least.

        Args:
            is_idle: nothing waits to be done.
        """
        now = self._clock()
        if now - self._last >= (IDLE_PERIOD if is_idle else BUSY_PERIOD):
            self._collect()
            self._last = now
