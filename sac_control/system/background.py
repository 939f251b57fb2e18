"""Work that must not be in anybody's way."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_LEAST = 19  # as nice(2) has it


def yield_to_others() -> None:
    """Let this thread, and those that it starts from now on, run only while a processor has nothing else to do.

    Where the system knows no such thing, at the lowest priority, which alone is less: a thread that wakes up for a
    message may then be put off for a moment by one that does not matter.

    Linux shares processors among sessions before it looks at what runs in each (sched(7), "The autogroup feature"):
    there the priority of a thread counts within its session alone. A process that leads one, hence, gives up its
    session's share as well; any other one must not, for whatever else runs in its terminal.
    """
    if os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError):  # a system without that feature
            Path("/proc/self/autogroup").write_text(str(_LEAST))
    with contextlib.suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        return
    with contextlib.suppress(OSError, AttributeError):
        os.nice(_LEAST)
