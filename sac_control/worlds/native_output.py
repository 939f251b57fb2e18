"""What compiled code prints by itself, led elsewhere: file descriptors, since it knows no sys.stdout."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_STDOUT, _STDERR = 1, 2  # file descriptors


@contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """Send what compiled code prints on standard output to standard error: the window's code is talkative."""
    with _led(_STDOUT, _STDERR):
        yield


@contextmanager
def stdout_dropped() -> Iterator[None]:
    """Drop what compiled code prints on standard output: it has been said before."""
    with _dropped(_STDOUT):
        yield


@contextmanager
def stderr_dropped() -> Iterator[None]:
    """Drop what compiled code prints on standard error: it tells nobody anything."""
    with _dropped(_STDERR):
        yield


@contextmanager
def _dropped(descriptor: int) -> Iterator[None]:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        with _led(descriptor, nowhere):
            yield
    finally:
        os.close(nowhere)


@contextmanager
def _led(descriptor: int, to: int) -> Iterator[None]:
    stream = sys.stdout if descriptor == _STDOUT else sys.stderr
    if stream is not None:
        stream.flush()
    saved = os.dup(descriptor)
    os.dup2(to, descriptor)
    try:
        yield
    finally:
        ctypes.CDLL(None).fflush(None)  # or C would write what it has buffered after the descriptor is back
        os.dup2(saved, descriptor)
        os.close(saved)
