"""Where the files of a run are, and that only one process writes them."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import json
import os
import shutil
from pathlib import Path
from typing import IO, Any

from sac_control.errors import RunError
from sac_control.store import atomic
from sac_control.store.where import FILE


class RunDirectory:
    """The paths of one run; makes nothing by itself."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self.config = path / "config.yaml"
        self.summary = path / "summary.json"
        self.metrics = path / "metrics.csv"
        self.episodes = path / "episodes.csv"
        self.evaluations = path / "evaluations.csv"
        self.events = path / "tb"
        self.curve = path / "curve.png"
        self.evaluation, self.video, self.report = path / "eval.json", path / "best.gif", path / "report.html"
        self.exam, self.exam_picture = path / "exam.json", path / "exam.png"
        self.checkpoints = path / "checkpoints"
        self.replay = path / "replay"
        self._lock_path = path / ".lock"
        self._lock: IO[str] | None = None
        self._config_text: bytes | None = None  # when it was locked

    @property
    def exists(self) -> bool:
        """Whether there is a run."""
        return self.config.exists() or self.checkpoints.exists()

    def create(self, config_text: str, *, overwrite: bool = False) -> None:
        """Make the directory with its ``config.yaml``.

        Raises:
            RunError: a run of this name exists and is not to be overwritten or is in use, or nothing can be written.
        """
        if self.exists and not overwrite:
            raise RunError(
                f"run {self.path} exists already: choose another --run, "
                "continue it with --resume or replace it with --overwrite"
            )
        self._write_config(config_text, remove_files=self.exists)

    def replace_config(self, config_text: str) -> None:
        """Write ``config.yaml``, making the directory where needed.

        Raises:
            RunError: another process writes this run, or nothing can be written there.
        """
        self._write_config(config_text, remove_files=False)

    def check_resumable(self, run_id: str) -> None:
        """See that the run may go on, whose id is `run_id` as its files say.

        Raises:
            RunError: it has none.
        """
        if not run_id:
            raise RunError(
                f"run {self.path} was trained by an earlier version of sac_control, without a run id: it can be "
                "evaluated, plotted and deployed, but not resumed"
            )

    def free_bag(self) -> Path:
        """A directory for a bag that does not exist yet."""
        names = (f"bag-{k}" for k in itertools.count(2))
        return next(path for name in itertools.chain(["bag"], names) if not (path := self.path / name).exists())

    def lock(self) -> None:
        """Become the only writer until the process ends.

        Raises:
            RunError: another process writes this run, or nothing can be written there.
        """
        try:
            self._lock = self._locked()
        except OSError as error:
            raise RunError(f"cannot write run directory {self.path}: {error.strerror}") from error
        self._config_text = self.config.read_bytes() if self.config.exists() else None

    def hold(self) -> bool:
        """Make sure that the locked directory still exists; whether it had to be recreated.

        Raises:
            RunError: another process has recreated it and holds its lock.
            OSError: it cannot be created.
        """
        if self._lock is None or atomic.is_at(self._lock.fileno(), self._lock_path):
            return False
        lock = self._locked()
        self._lock.close()
        self._lock = lock
        if self._config_text is not None and not self.config.exists():
            atomic.write_bytes(self.config, self._config_text)
        return True

    def unlock(self) -> None:
        """Let others write."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def write_summary(self, summary: dict[str, Any]) -> None:
        """Write ``summary.json``."""
        atomic.write_text(self.summary, json.dumps(summary, indent=2) + "\n")

    def read_summary(self) -> dict[str, Any]:
        """The content of ``summary.json``.

        Raises:
            RunError: there is none, or it is damaged.
        """
        try:
            summary = json.loads(self.summary.read_text())
        except (OSError, ValueError) as error:
            raise RunError(f"{self.summary} is missing or damaged: {error}") from error
        if not isinstance(summary, dict):
            raise RunError(f"{self.summary} is damaged: it is not an object")
        return summary

    def policy_file(self) -> Path:
        """The policy to use: the best one, or the newest where none has been evaluated.

        Raises:
            RunError: there is no run, or it has no policy yet.
        """
        if not self.exists:
            raise RunError(f"there is no run at {self.path}: `sac_control info` lists what there is")
        for name in ("best", "latest"):
            path = self.checkpoints / name / "policy.safetensors"
            if path.exists():
                return path
        raise RunError(f"run {self.path} has no checkpoint yet: train it first")

    def remove(self) -> bool:
        """Remove what a run consists of, and the directory if nothing else is in it; whether that is gone."""
        with contextlib.suppress(OSError):  # somebody else's files are in it, or nothing may be written
            self._remove_files()
            self._lock_path.unlink(missing_ok=True)
            self.path.rmdir()
        return not self.path.exists()

    def _locked(self) -> IO[str]:
        """The lock file, locked and holding the number of this process."""
        while True:
            self.path.mkdir(parents=True, exist_ok=True)
            stream = self._lock_path.open("a+")
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                stream.seek(0)
                owner = stream.read().strip() or "unknown"
                stream.close()
                raise RunError(
                    f"run {self.path} is being written by process {owner}: stop that one or choose another run"
                ) from None
            if atomic.is_at(stream.fileno(), self._lock_path):
                break
            stream.close()  # removed between the two: a lock on it would keep nobody out
        stream.truncate(0)
        with contextlib.suppress(OSError):  # a full disk: the lock holds all the same, only without a name
            os.write(stream.fileno(), str(os.getpid()).encode())
        return stream

    def _write_config(self, text: str, *, remove_files: bool) -> None:
        self.lock()
        try:
            if remove_files:
                self._remove_files()
            atomic.write_text(self.config, text)
        except OSError as error:
            raise RunError(f"cannot write run directory {self.path}: {error}") from error
        finally:
            self.unlock()

    def _remove_files(self) -> None:
        """Remove what a run consists of, and nothing else that somebody may have put there."""
        tables = self.metrics, self.episodes, self.evaluations
        exams = (self.exam, self.exam_picture, *self.path.glob("exam.*.json"), *self.path.glob("exam.*.png"))
        results = self.evaluation, self.video, self.report
        for path in (self.config, self.summary, self.path / FILE, *tables, self.curve, *exams, *results):
            path.unlink(missing_ok=True)
        bags = [path.parent for path in self.path.glob("bag*/*.mcap")]
        for path in (self.events, self.checkpoints, self.replay, self.path / "log", *bags):
            if path.exists():
                shutil.rmtree(path)
