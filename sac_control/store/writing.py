"""Writing that may fail: training goes on, people are told, and once the disk takes it, missing data is written."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from sac_control.errors import RunError
from sac_control.store.run_directory import RunDirectory

COMPLAINT_PERIOD = 10.0  # [s] between two complaints about the disk


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What became of an attempt to write."""

    was_written: bool
    was_recreated: bool  # the directory, which somebody had deleted: what it held is to be written again


class Writing:
    """Attempts to write to a run directory.

    Args:
        run: the run, locked.
        say: takes sentences for people.
        clock: steady clock [s].
    """

    def __init__(self, run: RunDirectory, say: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._run, self._say, self._clock = run, say, clock
        self._failing: dict[str, str] = {}  # what could not be written at the last attempt, and why
        self._complained_at = -math.inf  # [s] steady time

    @property
    def complaint(self) -> str:
        """What cannot be written at present, and why, as one sentence; empty where all is well."""
        if not self._failing:
            return ""
        what, (reason, *_) = ", ".join(self._failing), self._failing.values()
        return f"cannot write to {self._run.path} ({what}: {reason}); the last checkpoint stays valid"

    def attempt(self, what: str, write: Callable[[], None], *, is_all: bool = False) -> Attempt:
        """Write `what`, if the disk takes it.

        `is_all` says that it makes up for all that could not be written before: rows of a table do not come again.
        """
        was_recreated = False
        try:
            was_recreated = self._run.hold()
            if was_recreated:
                self._say(f"{self._run.path} was deleted; recreated")
            write()
        except (OSError, RunError) as error:
            self._failing[what] = getattr(error, "strerror", None) or str(error)
            now = self._clock()
            if now - self._complained_at > COMPLAINT_PERIOD:
                self._complained_at = now
                self._say(self.complaint)
            return Attempt(was_written=False, was_recreated=was_recreated)
        if self._failing:
            self._failing = {} if is_all else {name: why for name, why in self._failing.items() if name != what}
            if not self._failing:
                self._complained_at = -math.inf
                self._say(f"writes to {self._run.path} again")
        return Attempt(was_written=True, was_recreated=was_recreated)
