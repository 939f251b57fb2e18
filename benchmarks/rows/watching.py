"""How much slower a training is that is watched, by a client that draws nothing."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import slow_down
from benchmarks.machine import ROOT
from benchmarks.options import NotAvailableError, Options
from benchmarks.processes import GRACE, clean_environment
from benchmarks.table import Goal, Line
from sac_control.errors import RunError
from sac_control.store.table import read_columns

NAME = "watching"
TITLE = "Watching a training"
IS_LONG = False

MOST = 2.0  # [%] by which watching may slow a training
STRETCH = 1.5  # [s] with the page served, and without: short, for what else the machine does comes and goes
SETTLING = 0.7  # [s] at the beginning of each that do not count
PATIENCE = 120.0  # [s] until the training makes updates, and until the page is there
_UPDATING = 500  # transitions after which it has long begun to
_KIND = "watched"
_WHAT = "slow-down of a training by serving the page of `sac_control watch`, its drawing apart"


def measure(options: Options) -> dict[str, Any]:
    """One training, of which stretches are watched and others not, by turns.

    Raises:
        NotAvailableError: viser is not installed, or the training or the page did not begin.
    """
    if importlib.util.find_spec("viser") is None:
        raise NotAvailableError("viser, with which sac_control watch makes its page, is not installed")
    metrics = options.directory / "runs" / "watched" / "metrics.csv"
    result: dict[str, Any] = {"stretch": STRETCH}
    with _served(options.directory) as served, _training(options):
        until = time.monotonic() + PATIENCE
        while _steps(metrics) < _UPDATING:
            if time.monotonic() > until:
                raise NotAvailableError("the training made no progress")
            time.sleep(0.5)

        def rate(kind: str, _: int) -> float:
            _signal(served, signal.SIGCONT if kind == _KIND else signal.SIGSTOP)
            return _rate(metrics)

        slow_down.measure_pairs(options, result, count=options.form.watch_pairs, kind=_KIND, rate=rate)
    return result


def lines(result: dict[str, Any]) -> list[Line]:
    """The slow-down."""
    pairs, text = result["pairs"], f"median of the pairs at most {MOST:g} %"
    goal = (
        Goal(text=text, met=slow_down.middle(pairs) <= MOST)
        if pairs
        else Goal(text=text, met=None, reached="not measured")
    )
    return [slow_down.line(NAME, _WHAT, pairs, goals=(goal,))]


def details(result: dict[str, Any]) -> list[str]:
    """Every pair."""
    return [
        f"One training without evaluations, in stretches of {result['stretch']:g} s: in one of each pair ",
        "`sac_control watch` serves a client that takes all and draws nothing, in the other one both are stopped.",
        "Transitions per second. A browser's own drawing is not in it.",
        "",
        *slow_down.listing(_KIND, result["pairs"]),
    ]


def _steps(metrics: Path) -> float:
    return _column(metrics, "env_steps")[-1] if metrics.exists() and _column(metrics, "env_steps") else 0.0


def _column(metrics: Path, name: str) -> list[float]:
    with contextlib.suppress(RunError):  # it is written just now
        return read_columns(metrics).get(name, [])
    return []


def _rate(metrics: Path) -> float:
    """Transitions per second over the next stretch, by the clock of the training.

    Raises:
        NotAvailableError: there were too few.
    """
    time.sleep(SETTLING)
    first = len(_column(metrics, "env_steps"))
    until = time.monotonic() + STRETCH + PATIENCE
    time.sleep(STRETCH)  # not looked at meanwhile: to read the table again and again would keep a processor busy
    while len(_column(metrics, "wall_time")) < first + 2:
        if time.monotonic() > until:
            raise NotAvailableError("the training stopped")
        time.sleep(0.2)
    steps, seconds = _column(metrics, "env_steps")[first:], _column(metrics, "wall_time")[first:]
    return (steps[-1] - steps[0]) / (seconds[-1] - seconds[0])


@contextmanager
def _training(options: Options) -> Iterator[None]:
    """While a training goes on that nothing ends."""
    words_ = ["train", "--run", "watched", "--seed", str(options.first_seed), "--max-steps", "1000000"]
    settings = ["--set", "learner.until=steps", "--set", "learner.evaluation_every=0"]
    process = _start([sys.executable, "-m", "sac_control", *words_, *settings], options.directory)
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
        _signal([process], signal.SIGKILL)
        process.wait()


@contextmanager
def _served(directory: Path) -> Iterator[Sequence[subprocess.Popen[bytes]]]:
    """While the newest run in `directory` is shown to a client; the processes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    watch = _start([sys.executable, "-m", "sac_control", "watch", "--no-browser", "--port", port], directory)
    client = _start([sys.executable, "-m", "benchmarks.workers.watch_client", port], ROOT, stdout=subprocess.PIPE)
    try:
        assert client.stdout is not None
        if client.stdout.readline() != b"connected\n":
            raise NotAvailableError("sac_control watch cannot be reached")
        yield watch, client
    finally:
        for process in (client, watch):
            _signal([process], signal.SIGKILL)
            process.wait()


def _start(command: Sequence[str], directory: Path, **pipes: Any) -> subprocess.Popen[bytes]:
    """A process that leads a group of its own."""
    return subprocess.Popen(
        command,
        cwd=directory,
        env={**clean_environment(), "PYTHONPATH": str(ROOT)},
        start_new_session=True,
        stderr=subprocess.DEVNULL,
        **{"stdout": subprocess.DEVNULL, **pipes},
    )


def _signal(processes: Sequence[subprocess.Popen[bytes]], number: signal.Signals) -> None:
    """Send it to these processes, and to those that they have started."""
    found = [process.pid for process in processes]
    for pid in found:
        with contextlib.suppress(OSError):  # it has ended
            found += [
                int(each) for file in Path(f"/proc/{pid}/task").glob("*/children") for each in file.read_text().split()
            ]
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
