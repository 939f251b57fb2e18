"""Processes that answer the jobs of an exam side by side, in any order."""

from __future__ import annotations

import base64
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence

from sac_control.errors import RunError
from sac_control.exam.findings import Finding
from sac_control.exam.jobs import Job, finding_from

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # products this small are slower on several


class Workers:
    """Processes that hold an exam of one policy. As a context it ends them, however it ends.

    Args:
        task: name of the task, or path of its file.
        policy: content of the policy file.
        processes: that work side by side.
    """

    def __init__(self, task: str, policy: bytes, processes: int) -> None:
        self._waiting: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._found: queue.SimpleQueue[Finding | RunError] = queue.SimpleQueue()
        about = json.dumps({"task": task, "policy": base64.b64encode(policy).decode()})
        self._workers = [_Worker(about, self._waiting, self._found) for _ in range(processes)]

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.kill()
        for _worker in self._workers:
            self._waiting.put(None)
        for worker in self._workers:
            worker.close()

    def ask(self, jobs: Sequence[Job]) -> Iterator[Finding]:
        """What is found for each job, in the order in which they are done.

        Args:
            jobs: what is asked, the longest first.

        Raises:
            RunError: a process died.
        """
        for job in jobs:
            self._waiting.put(job)
        for _ in jobs:
            finding = self._found.get()
            if isinstance(finding, RunError):
                raise finding
            yield finding


class _Worker:
    """A process and the thread that hands it one job after the other."""

    def __init__(
        self, about: str, waiting: queue.SimpleQueue[Job | None], found: queue.SimpleQueue[Finding | RunError]
    ) -> None:
        self._about, self._waiting, self._found = about, waiting, found
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sac_control.exam.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **_ONE_THREAD},
        )
        self._thread = threading.Thread(target=self._talk, name="exam", daemon=True)
        self._thread.start()

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Wait for what is left of it."""
        self._thread.join()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def _talk(self) -> None:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        line = self._about
        while (job := self._waiting.get()) is not None:
            try:
                stdin.write(f"{line}\n{job.to_text()}\n" if line else f"{job.to_text()}\n")
                stdin.flush()
                reply = stdout.readline()
            except OSError:
                reply = ""
            if not reply.endswith("\n"):  # nothing, or a part
                code = self._process.wait()
                self._found.put(RunError(f"a process of the exam ended with exit code {code}; see its output above"))
                return
            line = ""
            self._found.put(finding_from(job.kind, json.loads(reply)))
