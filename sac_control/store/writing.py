"""Writing that may fail: training goes on, people are told, and once the disk takes data again all is made up for."""

from __future__ import annotations

import math
from collections.abc import Callable

from sac_control.errors import RunError
from sac_control.store.run_directory import RunDirectory

COMPLAINT_PERIOD = 10.0  # [s] between two complaints about the disk


class Writing:
    """Attempts to write to a run directory.

    Args:
        run: the run, locked.
        say: takes sentences for people.
        clock: steady clock [s].

    Attributes:
        was_remade: whether the directory was removed and made again, so that what it held must be written again; the
            caller resets it.
    """

    def __init__(self, run: RunDirectory, say: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._run, self._say, self._clock = run, say, clock
        self._failing: dict[str, str] = {}  # what could not be written at the last attempt, and why
        self._complained_at = -math.inf  # [s] steady time
        self.was_remade = False

    @property
    def complaint(self) -> str:
        """What cannot be written at present, and why, as one sentence; empty where all is well."""
        if not self._failing:
            return ""
        what, (reason, *_) = ", ".join(self._failing), self._failing.values()
        return f"cannot write to {self._run.path} ({what}: {reason}); the last checkpoint stays valid"

    def is_failing(self, what: str) -> bool:
        """Whether the last attempt to write `what` failed."""
        return what in self._failing

    def attempt(self, what: str, write: Callable[[], None], *, is_all: bool = False) -> bool:
        """Write `what`, if the disk takes it; whether it did.

        `is_all` says that it makes up for all that could not be written before: rows of a table do not come again.
        """
        try:
            if self._run.hold():
                self.was_remade = True
                self._say(f"{self._run.path} was deleted; recreated")
            write()
        except (OSError, RunError) as error:
            self._failing[what] = getattr(error, "strerror", None) or str(error)
            now = self._clock()
            if now - self._complained_at > COMPLAINT_PERIOD:
                self._complained_at = now
                self._say(self.complaint)
            return False
        was_failing = bool(self._failing)
        self._failing.pop(what, None)
        if is_all:
            self._failing.clear()
        if was_failing and not self._failing:
            self._complained_at = -math.inf
            self._say(f"writes to {self._run.path} again")
        return True
