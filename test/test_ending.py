"""A process that still works towards its end is waited for; one that hangs is not. Real processes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from sac_control.cli.ending import Ending, is_at_work

PATIENCE = 60.0  # [s] of the test


@contextmanager
def process(script: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has come as far as to say something."""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as started:
        try:
            assert started.stdout is not None
            started.stdout.read(1)
            yield started
        finally:
            started.kill()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "does not come to it"
        time.sleep(0.001)


SAY = "import os, time, threading; os.write(1, b'.'); "
SLEEPS = SAY + "time.sleep(1000)"
COMPUTES = SAY + "exec('while True: pass')"
COMPUTES_IN_ANOTHER_THREAD = SAY + "threading.Thread(target=lambda: sum(iter(int, 1))).start()"


def test_one_that_does_nothing_is_overdue_once_its_patience_is_used_up() -> None:
    with process(SLEEPS) as sleeping:
        until(lambda: not is_at_work(sleeping.pid))
        ending = Ending(sleeping.pid, patience=1.0)
        assert [ending.is_overdue(0.25) for _ in range(5)] == [False] * 4 + [True]
        assert ending.reproach == "did not stop and was idle for 1 s"


def test_one_that_is_frozen_does_nothing() -> None:
    with process(COMPUTES) as frozen:
        frozen.send_signal(signal.SIGSTOP)
        until(lambda: not is_at_work(frozen.pid))
        ending = Ending(frozen.pid, patience=1.0)
        assert ending.is_overdue(1.5)


@pytest.mark.parametrize("script", [COMPUTES, COMPUTES_IN_ANOTHER_THREAD], ids=["alone", "another_thread"])
def test_one_that_works_is_waited_for_much_longer_but_not_for_ever(script: str) -> None:
    with process(script) as working:
        until(lambda: is_at_work(working.pid))
        ending = Ending(working.pid, patience=1.0, longest=60.0)
        assert [ending.is_overdue(0.5) for _ in range(121)] == [False] * 120 + [True]
        assert ending.reproach == "was still busy 60 s after it was asked to stop"


def test_idle_time_counts_together_however_often_some_work_lies_between() -> None:
    with process(SAY + "exec('while True: time.sleep(0.05); sum(range(100_000))')") as hesitating:
        ending = Ending(hesitating.pid, patience=1.0, longest=1e9)
        until(lambda: ending.is_overdue(0.01))


def test_one_that_has_ended_is_not_at_work() -> None:
    with process(SAY) as ended:
        ended.wait()
    assert not is_at_work(ended.pid)
