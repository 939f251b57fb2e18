"""Checkpoints that are whole or not there. Stores bytes under names; knows nothing of what they mean.

``<step>/`` holds the files and, written last, ``state.json`` with their SHA-256 and its own. The links ``latest`` and
``best`` name one checkpoint each. A directory whose files do not match its ``state.json``, or in which that was changed
by as much as a bit, is set aside as ``<step>.damaged``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sac_control.errors import RunError
from sac_control.store import atomic

MANIFEST = "state.json"
_NO_DIGEST = "0" * 64  # stands in the manifest while its own digest is taken
_WHOLE_BUT_NOT_IN_PLACE = re.compile(r"\.(\d+)\.(?:replaced\.)?\d+\.tmp")  # between two renames of `save`


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
        if not self._directory.exists():
            self._directory.mkdir(parents=True)
            atomic.sync_directory(self._directory.parent)
        if self._best() == str(step) and not is_best and (self._directory / str(step)).exists():
            return  # the best policy of this step stays; the updates made since without a transition are few
        self._write(step, files, state)
        if step >= max(self.steps()):
            atomic.replace_link(self._directory / "latest", str(step))
        if is_best:
            atomic.replace_link(self._directory / "best", str(step))
        self._remove_old()

    def replace_file(self, step: int, name: str, data: bytes) -> None:
        """Exchange one file of a checkpoint, which stays what it is otherwise, best and newest included.

        Raises:
            RunError: the checkpoint is damaged.
            OSError: it cannot be written; the checkpoint is untouched.
        """
        checkpoint = self.load(step)
        self._write(step, {**checkpoint.files, name: data}, checkpoint.state)

    def steps(self) -> list[int]:
        """Steps of which there is a checkpoint, in rising order."""
        if not self._directory.exists():
            return []
        return sorted(int(path.name) for path in self._directory.iterdir() if path.name.isdigit())

    def load_newest(self) -> tuple[Checkpoint | None, list[str]]:
        """The newest checkpoint that is whole, and a sentence for each damaged one that was set aside."""
        complaints: list[str] = []
        self._finish_interrupted()
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
        return _read(self._directory / str(step), step)

    def load_best(self) -> Checkpoint | None:
        """The best checkpoint; None where there is none.

        Raises:
            RunError: it is damaged.
        """
        best = self._best()
        return None if best is None else self.load(int(best))

    @property
    def has_best(self) -> bool:
        """Whether there is a best checkpoint."""
        return (self._directory / "best").exists()

    def _best(self) -> str | None:
        link = self._directory / "best"
        return str(link.readlink()) if link.is_symlink() else None

    def _write(self, step: int, files: Mapping[str, bytes], state: Mapping[str, Any]) -> None:
        """Write a checkpoint in the place of the one of that step, if there is one."""
        staging = self._directory / f".{step}.{os.getpid()}.tmp"
        shutil.rmtree(staging, ignore_errors=True)
        try:
            staging.mkdir()
            for name, data in files.items():
                atomic.write_and_sync(staging / name, data)
            digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
            atomic.write_and_sync(staging / MANIFEST, _manifest({**state, "sha256": digests}))
            atomic.sync_directory(staging)
            self._put_in_place(staging, self._directory / str(step))
        except OSError:
            shutil.rmtree(staging, ignore_errors=True)
            raise
        atomic.sync_directory(self._directory)

    def _put_in_place(self, staging: Path, final: Path) -> None:
        if not final.exists():
            staging.rename(final)
            return
        # The same step once more, as when a run is resumed and stopped at once. A directory cannot be replaced in one
        # step; what a kill between the two renames leaves is whole, and `_finish_interrupted` finds it.
        replaced = self._directory / f".{final.name}.replaced.{os.getpid()}.tmp"
        shutil.rmtree(replaced, ignore_errors=True)
        final.rename(replaced)
        try:
            staging.rename(final)
        except OSError:
            replaced.rename(final)
            raise
        shutil.rmtree(replaced, ignore_errors=True)

    def _finish_interrupted(self) -> None:
        """Put in place what a writer that was killed had finished, but for the last rename."""
        if not self._directory.exists():
            return
        for path in sorted(self._directory.iterdir()):  # the new one, ".5.123", comes before ".5.replaced.123"
            match = _WHOLE_BUT_NOT_IN_PLACE.fullmatch(path.name)
            if match is None or (self._directory / match[1]).exists():
                continue
            try:
                _read(path, int(match[1]))
            except RunError:
                continue  # killed while it was being written: swept away by the next `save`
            path.rename(self._directory / match[1])
            atomic.sync_directory(self._directory)

    def _remove_old(self) -> None:
        for step in self.steps()[: -self._keep_last]:
            if str(step) != self._best():  # renamed first: one that is half removed must not look like a damaged one
                removed = self._directory / f".{step}.removed.tmp"
                shutil.rmtree(removed, ignore_errors=True)
                (self._directory / str(step)).rename(removed)
        for path in self._directory.glob(".*.tmp"):  # the above, and what a writer that was killed left
            if path.is_symlink():
                path.unlink()
            else:
                shutil.rmtree(path, ignore_errors=True)


def _manifest(state: Mapping[str, Any]) -> bytes:
    """JSON that holds its own SHA-256: that of the same text with zeros in its place."""
    text = json.dumps({**state, "manifest_sha256": _NO_DIGEST}, indent=2).encode()
    return text.replace(_NO_DIGEST.encode(), hashlib.sha256(text).hexdigest().encode())


def _read(directory: Path, step: int) -> Checkpoint:
    """Read and verify the checkpoint in `directory`."""
    try:
        manifest = (directory / MANIFEST).read_bytes()
        state = json.loads(manifest)
        digest = state["manifest_sha256"].encode()
        if hashlib.sha256(manifest.replace(digest, _NO_DIGEST.encode())).hexdigest().encode() != digest:
            raise RunError(f"checkpoint {directory} is damaged: {MANIFEST} does not match its own SHA-256")
        files = {name: (directory / name).read_bytes() for name in state["sha256"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"checkpoint {directory} is not whole: {error}") from error
    for name, data in files.items():
        if hashlib.sha256(data).hexdigest() != state["sha256"][name]:
            raise RunError(f"checkpoint {directory} is damaged: {name} does not match its SHA-256")
    return Checkpoint(step=step, files=files, state=state)
