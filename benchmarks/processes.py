"""Processes with a time limit, ended by their own number: politely first. Knows nothing of what they do."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any

GRACE = 20.0  # [s] between asking a process to end and killing it
_KEPT = 2000  # characters of error output that are kept


class ProcessError(RuntimeError):
    """A process ended, stayed silent or answered something else than what was asked for."""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What became of a process."""

    exit_code: int  # negative for a signal
    timed_out: bool
    seconds: float  # from start to end
    lines: list[tuple[float, str]] = field(default_factory=list)  # [s] since the start, line of standard output
    errors: str = ""  # end of the error output

    @property
    def answer(self) -> dict[str, Any]:
        """The last line of standard output that is a JSON object.

        Raises:
            ProcessError: there is none.
        """
        for _, line in reversed(self.lines):
            if line.startswith("{"):
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise ProcessError(self.complaint)

    @property
    def complaint(self) -> str:
        """Why it failed, in one line."""
        if self.timed_out:
            return f"ended after its time limit, {self.seconds:.0f} s"
        return f"exit code {self.exit_code}{_last_words(self.errors)}"


def clean_environment(**more: str) -> dict[str, str]:
    """The environment as a user has it: no thread counts, no ROS domain set by whoever started the benchmark."""
    hidden = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ROS_DOMAIN_ID")
    return {key: value for key, value in os.environ.items() if key not in hidden} | more


def run(
    command: Sequence[str], *, timeout: float, directory: Path | None = None, environment: Mapping[str, str]
) -> Finished:
    """Run a command to its end, or to `timeout` [s]. Each line of its output is kept with its time."""
    started = time.monotonic()
    process = _start(command, directory, environment, stdin=subprocess.DEVNULL)
    lines: list[tuple[float, str]] = []
    errors: list[str] = []

    def read_lines(stream: IO[str]) -> None:
        for line in stream:
            lines.append((time.monotonic() - started, line.rstrip("\n")))

    assert process.stdout is not None
    assert process.stderr is not None
    threads = [
        threading.Thread(target=read_lines, args=(process.stdout,), daemon=True),
        threading.Thread(target=errors.extend, args=(process.stderr,), daemon=True),
    ]
    for thread in threads:
        thread.start()
    timed_out = False
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        timed_out = True
    finally:  # on Ctrl-C, too
        _end(process)
        for thread in threads:
            thread.join(timeout=2.0)
    return Finished(
        exit_code=process.returncode,
        timed_out=timed_out,
        seconds=time.monotonic() - started,
        lines=lines,
        errors="".join(errors)[-_KEPT:],
    )


@contextlib.contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """Meanwhile `count` processes do nothing, as fast as they can: a computer that others use, too."""
    loop = [sys.executable, "-c", "while True: pass"]
    with contextlib.ExitStack() as ends:
        for _ in range(count):
            process = subprocess.Popen(loop, start_new_session=True)
            ends.callback(process.wait)
            ends.callback(process.kill)
        yield


class Worker:
    """A process that answers each line with one line of JSON, and begins with one when it is ready."""

    def __init__(
        self, command: Sequence[str], *, directory: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        self._process = _start(command, directory, environment or os.environ, stdin=subprocess.PIPE)
        self._answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._errors: list[str] = []
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        for target, stream in ((self._read, self._process.stdout), (self._errors.extend, self._process.stderr)):
            threading.Thread(target=target, args=(stream,), daemon=True).start()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, line: str) -> None:
        """Write a line to it."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it ended: the answer, which will not come, tells why
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def answer(self, timeout: float) -> dict[str, Any]:
        """Its next answer.

        Raises:
            ProcessError: the process ended, or did not answer within `timeout` [s].
        """
        try:
            answer = self._answers.get(timeout=timeout)
        except queue.Empty:
            raise ProcessError(f"no answer within {timeout:.0f} s") from None
        if answer is None:
            code = self._process.wait()
            raise ProcessError(f"ended with exit code {code}{_last_words(''.join(self._errors))}")
        return answer

    def move(self, cores: Sequence[int]) -> None:
        """Let all of its threads run on `cores` from now on."""
        for task in Path(f"/proc/{self._process.pid}/task").glob("*"):
            with contextlib.suppress(ProcessLookupError):  # a thread that has ended meanwhile
                os.sched_setaffinity(int(task.name), cores)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2.0)
        _end(self._process)

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            if line.startswith("{"):
                self._answers.put(json.loads(line))
        self._answers.put(None)


def _last_words(errors: str) -> str:
    """The last line that speaks of an error, or simply the last one."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower()] or lines
    return f": {telling[-1]}" if telling else ""


def _start(
    command: Sequence[str], directory: Path | None, environment: Mapping[str, str], stdin: int
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=directory,
        env=dict(environment),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,  # Ctrl-C reaches the benchmark, which ends what it started, in order
    )


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)  # its session is its own
        process.wait()
