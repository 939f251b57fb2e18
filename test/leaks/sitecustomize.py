"""Makes nodes leak: Python runs this file at its start where its folder is in PYTHONPATH.

``SAC_CONTROL_LEAKS="policy=memory simulator=descriptors"`` says which node leaks what.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

PERIOD = 0.02  # [s]
BLOCK = 16384  # [bytes] per period: 49 MB per minute
SELDOM = 25  # periods between two leaks of a descriptor or a thread

_kept: list[object] = []  # what nobody will ever need again


def _leak_memory(_count: int) -> None:
    _kept.append(os.urandom(BLOCK))


def _leak_descriptors(count: int) -> None:
    if count % SELDOM == 0:
        os.dup(2)


def _leak_threads(count: int) -> None:
    if count % SELDOM == 0:
        thread = threading.Thread(target=threading.Event().wait, daemon=True)
        thread.start()
        _kept.append(thread)


_LEAKS = {"memory": _leak_memory, "descriptors": _leak_descriptors, "threads": _leak_threads}


def _go_on(leak: Callable[[int], None]) -> None:
    pause = threading.Event()
    count = 0
    while not pause.wait(PERIOD):
        leak(count)
        count += 1


for _word in os.environ.get("SAC_CONTROL_LEAKS", "").split():
    _node, _kind = _word.split("=")
    if f"sac_control.nodes.{_node}" in sys.orig_argv:
        threading.Thread(target=_go_on, args=(_LEAKS[_kind],), daemon=True).start()
