"""Work that must not be in anybody's way."""

from __future__ import annotations

import contextlib
import os


def yield_to_others() -> None:
    """Let this thread, and those that it starts from now on, run only while a processor has nothing else to do.

    Where the system knows no such thing, at the lowest priority, which alone is less: a thread that wakes up for a
    message may then be put off for a moment by one that does not matter.
    """
    with contextlib.suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        return
    with contextlib.suppress(OSError, AttributeError):
        os.nice(19)
