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


def answers(jobs: Sequence[Job], task: str, policy: bytes, processes: int) -> Iterator[Finding]:
    """What is found for each job, in the order in which they are done; ends its processes, however it ends.

    Args:
        jobs: what is asked, the longest first.
        task: name of the task, or path of its file.
        policy: content of the policy file.
        processes: that work side by side.

    Raises:
        RunError: a process died.
    """
    waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)
    found: queue.SimpleQueue[Finding | RunError] = queue.SimpleQueue()
    about = json.dumps({"task": task, "policy": base64.b64encode(policy).decode()})
    workers = [_Worker(about, waiting, found) for _ in range(min(processes, len(jobs)))]
    try:
        for _ in jobs:
            finding = found.get()
            if isinstance(finding, RunError):
                raise finding
            yield finding
    finally:
        for worker in workers:
            worker.close()


class _Worker:
    """A process and the thread that hands it one job after the other."""

    def __init__(
        self, about: str, waiting: queue.SimpleQueue[Job], found: queue.SimpleQueue[Finding | RunError]
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

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        self._thread.join()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def _talk(self) -> None:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        line = self._about
        while True:
            try:
                job = self._waiting.get_nowait()
            except queue.Empty:
                return
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
