"""How long processes that were asked to end may take. Knows nothing of what they do: Linux tells whether they work.

A learner of large networks takes seconds to write its last checkpoint, and any process does on a computer that has more
to do than fits. A time alone cannot tell that from a process that hangs.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

STOP_TIMEOUT = 4.0  # [s] without any work after which a process that was asked to stop is killed
LONGEST = 60.0  # [s] that an ending may take, whatever is being done
_AT_WORK = ("R", "D")  # proc(5): computes or waits for a processor; waits for a disk


class Ending:
    """The ending of one process.

    Args:
        pid: of the process.
        patience: time [s] for which it may do nothing, in all.
        longest: time [s] that it may take in all.
    """

    def __init__(self, pid: int, patience: float, longest: float = LONGEST) -> None:
        self._pid, self._patience, self._longest = pid, patience, max(patience, longest)
        self._idle, self._passed = 0.0, 0.0  # [s]

    def is_overdue(self, passed: float) -> bool:
        """Whether to wait no longer, `passed` [s] after this was asked last.

        Time in which this process itself stood still must not count: ask once per period, and say that period.
        """
        self._passed += passed
        if not is_at_work(self._pid):
            self._idle += passed
        return self._idle > self._patience or self._passed > self._longest

    @property
    def reproach(self) -> str:
        """What the process did wrong, where it `is_overdue`."""
        if self._idle > self._patience:
            return f"did not stop and was idle for {self._patience:g} s"
        return f"was still busy {self._longest:g} s after it was asked to stop"


def is_at_work(pid: int) -> bool:
    """Whether a thread of the process computes, or waits for a processor or for a disk; false where there is none."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return False
    for thread in threads:
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if (thread / "stat").read_text().rpartition(")")[2].split()[0] in _AT_WORK:
                return True
    return False
