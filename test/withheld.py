"""Time that the machine withheld: promises in milliseconds are asserted on computers that others use, too.

One bare process per processor, pinned to it, sleeps a millisecond again and again. Where it wakes late, nothing that
ran there could have been in time. What a test allows beyond a promise is what was withheld in that very moment: nothing
on a quiet machine.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

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
        return max(end - begin - sum(self._withheld(begin, end)), 0.0)

    def given_to_each(self, begin: float, end: float) -> float:
        """Seconds between two steady times [s] that the mean processor was given: for what goes on all the time."""
        return max(end - begin - statistics.fmean(self._withheld(begin, end)), 1e-3)  # rates are divided by it

    def _withheld(self, begin: float, end: float) -> list[float]:
        """Seconds for each processor."""
        found = []
        for file in self._files:
            data = file.read_bytes()
            late = np.frombuffer(data[: len(data) // 16 * 16]).reshape(-1, 2).clip(begin, end)
            found.append(float((late[:, 1] - late[:, 0]).sum()))
        return found


def all_but_one(delays: Iterable[float]) -> float:
    """The second largest delay: one message may be lost on its way and sent again by the middleware, much later."""
    return sorted(delays)[-2]
