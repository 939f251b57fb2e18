"""Real-time scheduling and locked memory of this process, where parameters ask for them. Linux only; knows no node."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from sac_control.errors import ConfigError

_CURRENT_AND_FUTURE = 1 | 2  # MCL_CURRENT | MCL_FUTURE of sys/mman.h


def use_realtime_priority(priority: int) -> None:
    """Run every thread of this process, those of DDS among them, before all that has no real-time priority.

    Threads made later inherit it. A thread that may run does so at once, whatever other processes compute; it says
    nothing of the time that this one computes itself.

    Args:
        priority: of SCHED_FIFO, from 1 to 99; 0 changes nothing.

    Raises:
        ConfigError: the system does not allow it.
    """
    if not priority:
        return
    try:
        for thread in Path("/proc/self/task").iterdir():
            os.sched_setscheduler(int(thread.name), os.SCHED_FIFO, os.sched_param(priority))
    except OSError as error:
        raise ConfigError(
            f"policy.realtime_priority is {priority}, but the system does not allow it ({error.strerror}): "
            f"give the user 'rtprio {priority}' in /etc/security/limits.conf, or set 0"
        ) from None


def lock_memory() -> None:
    """Keep all memory of this process, of now and later, from being swapped out: a page that must come back takes long.

    Raises:
        ConfigError: the system does not allow it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_CURRENT_AND_FUTURE):
        reason = os.strerror(ctypes.get_errno())
        raise ConfigError(
            f"policy.lock_memory is set, but the system does not allow it ({reason}): "
            "give the user 'memlock unlimited' in /etc/security/limits.conf, or unset it"
        )
