"""Runs a plan without the launch library: one process per node, started again where it fails, stopped together."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping
from types import FrameType
from typing import IO

from sac_control.cli.ending import STOP_TIMEOUT, Ending
from sac_control.cli.node_description import RESTART_DELAY, NodeDescription
from sac_control.cli.plan import Plan
from sac_control.system.offspring import end_with_parent
from sac_control.system.reach import reach

NOTICE_AFTER = 1.0  # [s] after which people are told what is waited for
POLL_PERIOD = 0.05  # [s]
Hear = Callable[[str], None]  # takes a line of the first node's output


class NodeProcess:
    """The process of one node; its error output is passed on line by line with its name in front.

    Args:
        node: what it runs.
        environment: of the process.
        is_first: whether it is the one that talks to people.
        restarts: processes that ran in its place before.
        hear: takes what the first one tells people; None: it tells them itself.
    """

    def __init__(
        self,
        node: NodeDescription,
        environment: Mapping[str, str],
        *,
        is_first: bool,
        restarts: int = 0,
        hear: Hear | None = None,
    ) -> None:
        self.name, self.restarts, self._is_heard = node.executable, restarts, hear is not None
        command = [sys.executable, "-m", f"sac_control.nodes.{node.executable}", *node.arguments()]
        self._process = subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=None if is_first and hear is None else subprocess.PIPE,  # the first one talks to people
            stderr=subprocess.STDOUT if not is_first else subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C reaches the command alone, which stops its nodes in order
            preexec_fn=end_with_parent,
        )
        stream = self._process.stderr if is_first else self._process.stdout
        assert stream is not None
        self.last_words = ""  # last line of its error output
        self._threads = [threading.Thread(target=self._pass_on, args=(stream,), name=self.name, daemon=True)]
        if is_first and hear is not None:
            self._threads.append(threading.Thread(target=self._tell, args=(hear,), name=self.name, daemon=True))
        for thread in self._threads:
            thread.start()

    @property
    def exit_code(self) -> int | None:
        """Exit code, negative for a signal; None while it runs."""
        return self._process.poll()

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        """Send a signal if the process still runs."""
        if self.exit_code is None:
            self._process.send_signal(number)

    def finish(self) -> None:
        """Wait for the end of the process and of its output."""
        self._process.wait()
        for thread in self._threads:
            thread.join(timeout=1.0)

    def _tell(self, hear: Hear) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with contextlib.suppress(OSError):
                hear(line.rstrip("\n"))

    def _pass_on(self, stream: IO[str]) -> None:
        erase = "\r\x1b[K" if sys.stdout.isatty() and not self._is_heard else ""  # a line that is redrawn
        for line in stream:
            self.last_words = line.strip() or self.last_words
            with contextlib.suppress(OSError):  # a full disk; a stalled reader blocks the node
                print(f"{erase}[{self.name}] {line.rstrip()}", file=sys.stderr, flush=True)


class Place:
    """Where one node of a plan runs: its process, and where that fails those that follow it."""

    def __init__(
        self, node: NodeDescription, environment: Mapping[str, str], *, is_first: bool, hear: Hear | None = None
    ) -> None:
        self._node, self._environment, self._is_first, self._hear = node, environment, is_first, hear
        self._is_noted = False
        self._due: float | None = None  # [s] steady time at which the next process is started
        self.process = NodeProcess(node, environment, is_first=is_first, hear=hear)

    def is_over(self, now: float) -> bool:
        """Whether the process has ended for good; where it is to be started again, that is done when it is time."""
        code = self.process.exit_code
        if code is None:
            return False
        if not self._node.is_needed:
            self._take_note(code)
            return False
        if self._due is None:
            successor = self._node.successor(code)
            if successor is None:
                return True
            self._node, self._due = successor, now + RESTART_DELAY
            print(
                f"warning: the {self.process.name} process {_how_it_ended(code)}; restarting in "
                f"{RESTART_DELAY:g} s, at most {successor.restarts} more times",
                file=sys.stderr,
                flush=True,
            )
        if now >= self._due:
            self.process.finish()
            restarts, self._due = self.process.restarts + 1, None
            self.process = NodeProcess(
                self._node, self._environment, is_first=self._is_first, restarts=restarts, hear=self._hear
            )
        return False

    def _take_note(self, code: int) -> None:
        """Say once that a process that is not needed failed."""
        if code and not self._is_noted:
            self._is_noted = True
            print(f"warning: the {self.process.name} process {_how_it_ended(code)}; the others go on", file=sys.stderr)


def run(
    plan: Plan, environment: Mapping[str, str], stop_timeout: float = STOP_TIMEOUT, hear: Hear | None = None
) -> int:
    """Start all nodes, and stop all when the first one of the plan ends, when any other one ends, or on Ctrl-C.

    One that is started again has not ended.

    Args:
        plan: what is started.
        environment: of the processes.
        stop_timeout: [s] without work after which a process that was asked to stop is killed.
        hear: takes each line that the first node tells people; None: it tells them itself.

    Returns:
        Exit code: 0 when the first node ended well or on Ctrl-C, its own code where that is 2, 1 for any fault.
    """
    signals: list[int] = []

    def on_signal(number: int, _frame: FrameType | None) -> None:
        signals.append(number)

    previous = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    places: list[Place] = []
    ended: list[NodeProcess] = []
    try:
        for k, node in enumerate(plan):
            places.append(Place(node, environment, is_first=k == 0, hear=hear))
        while not signals and not ended:
            time.sleep(POLL_PERIOD)
            now = time.monotonic()
            ended = [place.process for place in places if place.is_over(now)]
        was_interrupted = bool(signals)
        if was_interrupted:
            print("stopping", file=sys.stderr, flush=True)
    finally:
        processes = [place.process for place in places]
        killed = _stop(processes, signals, stop_timeout)
        for number, handler in previous.items():
            signal.signal(number, handler)
    for process, reason in killed.items():
        print(f"error: the {process.name} process {reason} and was killed", file=sys.stderr)
    return _verdict(processes[0], ended, killed, was_interrupted)


def _stop(processes: list[NodeProcess], signals: list[int], stop_timeout: float) -> dict[NodeProcess, str]:
    """End all processes: politely, by force what hangs, and all at a second Ctrl-C. Returns those killed, and why."""
    asked = len(signals)
    for process in processes:
        process.send(signal.SIGINT)
    endings = {process: Ending(process.pid, stop_timeout) for process in processes}
    killed: dict[NodeProcess, str] = {}
    polls = 0
    while running := [process for process in processes if process.exit_code is None]:
        is_given_up = len(signals) > max(asked, 1)
        for process in running:
            ending = endings[process]
            if is_given_up or ending.is_overdue(POLL_PERIOD):
                killed[process] = "was still shutting down at a second Ctrl-C" if is_given_up else ending.reproach
                process.send(signal.SIGKILL)
        polls += 1
        if polls == round(NOTICE_AFTER / POLL_PERIOD):
            names = ", ".join(process.name for process in running)
            again = "; a second Ctrl-C kills" if asked else ""
            print(f"still shutting down: {names}{again}", file=sys.stderr, flush=True)
        time.sleep(POLL_PERIOD)
    for process in processes:
        process.finish()
    return killed


def _verdict(
    first: NodeProcess, ended: list[NodeProcess], killed: Collection[NodeProcess], was_interrupted: bool
) -> int:
    for process in ended:
        code = process.exit_code
        if process is first and code == 0:
            continue
        plural = "s" if process.restarts > 1 else ""
        again = f" after {process.restarts} restart{plural}" if process.restarts else ""
        print(
            f"error: the {process.name} process {_how_it_ended(code)}{again}; the others were stopped."
            + (f" Its last line of output: {process.last_words}" if process.last_words else ""),
            file=sys.stderr,
        )
        return 2 if code == 2 else 1
    if was_interrupted and first.exit_code not in (0, None):
        print(f"error: the {first.name} process ended with exit code {first.exit_code}", file=sys.stderr)
        return 1
    return 1 if killed else 0


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        return f"was terminated by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def node_environment(
    base: Mapping[str, str], *, domain: int | None, log_directory: str | None = None, network: bool = False
) -> dict[str, str]:
    """Environment of node processes.

    Args:
        base: what the user's environment says, which is stronger than any default below.
        domain: ROS_DOMAIN_ID, or None to leave it.
        log_directory: where ROS writes log files, or None to leave it.
        network: let other machines see the nodes.
    """
    environment = {
        "OMP_NUM_THREADS": "1",  # three processes share few cores; the learner sets its own number
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
        "RCUTILS_COLORIZED_OUTPUT": "0",
        "RCUTILS_CONSOLE_OUTPUT_FORMAT": "{severity}: {message}",
    }
    if log_directory is not None:
        environment["ROS_LOG_DIR"] = log_directory
    environment |= base
    environment |= reach(base, network=network)
    if domain is not None:
        environment["ROS_DOMAIN_ID"] = str(domain)
    prefixes = [path for path in environment.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if path]
    if sys.prefix not in prefixes:  # a virtual environment with ROS 2 wheels is a prefix of its own
        environment["AMENT_PREFIX_PATH"] = os.pathsep.join([sys.prefix, *prefixes])
    return environment
