"""Checkpoints that are whole or not there. Stores bytes under names; knows nothing of what they mean.

``<step>/`` holds the files and, written last, ``state.json`` with their SHA-256. The links ``latest`` and ``best`` name
one checkpoint each. A directory whose files do not match its ``state.json`` is set aside as ``<step>.damaged``.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sac_control.errors import RunError
from sac_control.runs import atomic

MANIFEST = "state.json"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """One checkpoint, read and verified."""

    step: int  # transitions seen when it was made
    files: Mapping[str, bytes]  # content by file name
    state: Mapping[str, Any]  # counters and other JSON values


class CheckpointStore:
    """The checkpoints of one run.

    Args:
        directory: where they are; made when the first is saved.
        keep_last: how many of the newest remain; the best one always does.
    """

    def __init__(self, directory: Path, keep_last: int) -> None:
        self._directory, self._keep_last = directory, keep_last

    def save(self, step: int, files: Mapping[str, bytes], state: Mapping[str, Any], *, is_best: bool = False) -> None:
        """Write a checkpoint, let ``latest`` (and, if so, ``best``) name it, and remove those that are too old.

        Raises:
            OSError: it cannot be written; the checkpoints that were there are untouched.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        final = self._directory / str(step)
        if self._best() == str(step) and not is_best:
            return  # the best policy of this step stays; the updates made since without a transition are few
        staging = self._directory / f".{step}.{os.getpid()}.tmp"
        shutil.rmtree(staging, ignore_errors=True)
        try:
            staging.mkdir()
            for name, data in files.items():
                atomic.write_and_sync(staging / name, data)
            digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
            manifest = json.dumps({**state, "sha256": digests}, indent=2)
            atomic.write_and_sync(staging / MANIFEST, manifest.encode())
            atomic.sync_directory(staging)
            replaced = self._directory / f".{step}.replaced.{os.getpid()}.tmp"
            if final.exists():  # the same step once more, as when a run is resumed and stopped at once
                final.rename(replaced)
            staging.rename(final)
            shutil.rmtree(replaced, ignore_errors=True)
        except OSError:
            shutil.rmtree(staging, ignore_errors=True)
            raise
        atomic.sync_directory(self._directory)
        if step >= max(self.steps()):
            atomic.replace_link(self._directory / "latest", str(step))
        if is_best:
            atomic.replace_link(self._directory / "best", str(step))
        self._remove_old()

    def steps(self) -> list[int]:
        """Steps of which there is a checkpoint, in rising order."""
        if not self._directory.exists():
            return []
        return sorted(int(path.name) for path in self._directory.iterdir() if path.name.isdigit())

    def load_newest(self) -> tuple[Checkpoint | None, list[str]]:
        """The newest checkpoint that is whole, and a sentence for each damaged one that was set aside."""
        complaints: list[str] = []
        for step in reversed(self.steps()):
            try:
                checkpoint = self.load(step)
            except RunError as error:
                aside = self._directory / f"{step}.damaged"
                shutil.rmtree(aside, ignore_errors=True)
                (self._directory / str(step)).rename(aside)
                complaints.append(f"{error}; set aside as {aside.name}")
            else:
                if complaints:  # ``latest`` names what is no more
                    atomic.replace_link(self._directory / "latest", str(step))
                return checkpoint, complaints
        return None, complaints

    def load(self, step: int) -> Checkpoint:
        """Read and verify one checkpoint.

        Raises:
            RunError: a file is missing or does not match its SHA-256.
        """
        directory = self._directory / str(step)
        try:
            state = json.loads((directory / MANIFEST).read_text())
            files = {name: (directory / name).read_bytes() for name in state["sha256"]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"checkpoint {directory} is not whole: {error}") from error
        for name, data in files.items():
            if hashlib.sha256(data).hexdigest() != state["sha256"][name]:
                raise RunError(f"checkpoint {directory} is damaged: {name} does not match its SHA-256")
        return Checkpoint(step=step, files=files, state=state)

    def _best(self) -> str | None:
        link = self._directory / "best"
        return str(link.readlink()) if link.is_symlink() else None

    def _remove_old(self) -> None:
        for step in self.steps()[: -self._keep_last]:
            if str(step) != self._best():
                shutil.rmtree(self._directory / str(step))
        for path in self._directory.glob(".*.tmp"):  # left by a writer that was killed
            if path.is_symlink():
                path.unlink()
            else:
                shutil.rmtree(path, ignore_errors=True)
