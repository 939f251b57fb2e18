"""Time that the machine withheld: promises in milliseconds are asserted on computers that others use, too.

One bare process per processor, pinned to it, sleeps a millisecond again and again. Where it wakes late, nothing that
ran there could have been in time. What a test allows beyond a promise is what was withheld in that very moment: nothing
on a quiet machine.
"""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from sac_control.types import FloatArray

_WATCH = """
import os, struct, sys, time
os.sched_setaffinity(0, {int(sys.argv[2])})
with open(sys.argv[1], "wb", buffering=0) as stream:
    parent, due = os.getppid(), time.monotonic()
    while os.getppid() == parent:  # whoever should end this process may have been killed
        now = time.monotonic()
        if now > due + 0.002:
            stream.write(struct.pack("2d", due, now))
        due = now + 0.001
        time.sleep(0.001)
"""


class Withheld:
    """Watches every processor that this process may use, from the beginning of a ``with`` block to its end."""

    def __enter__(self) -> Withheld:
        self._folder = TemporaryDirectory()
        self._files = [Path(self._folder.name) / str(processor) for processor in os.sched_getaffinity(0)]
        for file in self._files:
            file.touch()
        self._watchers = [
            subprocess.Popen([sys.executable, "-S", "-c", _WATCH, str(file), file.name]) for file in self._files
        ]
        return self

    def __exit__(self, *_: object) -> None:
        for watcher in self._watchers:
            watcher.kill()
        for watcher in self._watchers:
            watcher.wait()
        self._folder.cleanup()

    def given(self, begin: float, end: float) -> float:
        """Seconds between two steady times [s] in which no processor was withheld: for what needs one after another."""
        return max(end - begin - union(np.concatenate(self._withheld(begin, end))), 0.0)  # rounded

    def given_to_each(self, begin: float, end: float) -> float:
        """Seconds between two steady times [s] that the mean processor was given: for what goes on all the time."""
        withheld = statistics.fmean(map(union, self._withheld(begin, end)))
        return max(end - begin - withheld, 1e-3)  # rates are divided by it

    def _withheld(self, begin: float, end: float) -> list[FloatArray]:
        """When each processor was withheld between two steady times [s]: (n, 2), from and until."""
        found = []
        for file in self._files:
            data = file.read_bytes()
            intervals = np.frombuffer(data[: len(data) // 16 * 16]).reshape(-1, 2)
            found.append(intervals[(intervals[:, 1] > begin) & (intervals[:, 0] < end)].clip(begin, end))
        return found


def union(intervals: FloatArray) -> float:
    """Seconds that lie in at least one of `intervals`, (n, 2), from and until [s].

    Not their sum: processors are withheld together, and what has passed once must not be subtracted once for each.
    """
    total, reached = 0.0, -math.inf
    for begin, end in sorted(intervals.tolist()):
        total += max(end - max(begin, reached), 0.0)
        reached = max(reached, end)
    return total


def all_but_one(delays: Iterable[float]) -> float:
    """The second largest delay: one message may be lost on its way and sent again by the middleware, much later."""
    return sorted(delays)[-2]
