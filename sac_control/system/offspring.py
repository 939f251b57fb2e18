"""Processes started in a session of their own: Ctrl-C reaches the one that started them, which stops them in order."""

from __future__ import annotations

import ctypes
import signal

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LIBC = ctypes.CDLL(None)
_REQUESTS = (signal.SIGINT, signal.SIGTERM)


def end_with_parent() -> None:
    """In the child, before exec: if its parent is killed, it is asked to stop, so that none is left behind.

    Until it knows how to stop in order, which takes its imports, such a request waits; see `hear_requests`.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _REQUESTS)
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def hear_requests() -> None:
    """In the child: let requests to stop in, one that waits since the start among them."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _REQUESTS)
