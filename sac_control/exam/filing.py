"""Where an exam is written: beside the policy; its verdict into the policy file, that of a checkpoint included."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sac_control.errors import RunError
from sac_control.exam.findings import Findings
from sac_control.policy.sealing import with_verdict
from sac_control.policy.signature import SigningKey
from sac_control.store import atomic
from sac_control.store.checkpoints import MANIFEST, CheckpointStore
from sac_control.store.run_directory import RunDirectory


def check_policy_file(path: Path) -> None:
    """See that a verdict can be written into the policy file at `path`.

    Raises:
        RunError: it cannot be written, or is a checkpoint's of a run that is being written.
    """
    with _held(path):
        if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
            raise RunError(f"cannot write the verdict into {path}: permission denied; --no-verdict leaves it out")


def write_verdict(path: Path, data: bytes, found: Findings, key: SigningKey | None) -> None:
    """Write the verdict into the policy file at `path`, whose content was `data` when it was examined.

    Raises:
        RunError: it is another policy by now, or cannot be written.
    """
    try:
        with _held(path) as checkpoint:
            if path.read_bytes() != data:
                raise RunError(
                    f"{path} has changed while it was examined: its verdict was not written, examine it again"
                )
            sealed = with_verdict(data, found.verdict, key)
            if checkpoint:
                CheckpointStore(path.parent.parent, 1).replace_file(int(path.parent.name), path.name, sealed)
            else:
                atomic.write_bytes(path, sealed)
    except OSError as error:
        raise RunError(f"cannot write the verdict into {path}: {error.strerror}") from error


def write_findings(path: Path, found: Findings) -> None:
    """Write ``exam.json``.

    Raises:
        RunError: it cannot be written.
    """
    try:
        atomic.write_text(path, json.dumps(found.to_mapping(), indent=2) + "\n")
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror}") from error


def place_of_findings(path: Path) -> Path:
    """Where the findings about the policy file at `path` go: beside it, but not into a checkpoint, which is replaced.

    Those about a checkpoint lie in its run, under the number of its transitions.
    """
    run = _run_of_checkpoint(path)
    return run.path / f"exam.{path.parent.name}.json" if run else path.with_name(f"{path.stem}.exam.json")


def is_in_checkpoint(output: Path, path: Path) -> bool:
    """Whether findings at `output` would lie in the checkpoint that the policy file at `path` is part of."""
    return _run_of_checkpoint(path) is not None and output.resolve().parent == path.parent


def _run_of_checkpoint(path: Path) -> RunDirectory | None:
    """The run whose checkpoint the file at `path` is part of, if it is one's."""
    is_part = (path.parent / MANIFEST).exists() and path.parent.name.isdigit()
    return RunDirectory(path.parent.parent.parent) if is_part else None


@contextmanager
def _held(path: Path) -> Iterator[bool]:
    """Nobody else writes the run whose checkpoint the file at `path` is part of; whether it is one's."""
    run = _run_of_checkpoint(path)
    if run is None:
        yield False
        return
    try:
        run.lock()
    except RunError as error:
        raise RunError(
            f"{error}; meanwhile sac_control export writes its policy into a file that can be examined, and "
            "--no-verdict leaves the verdict out"
        ) from None
    try:
        yield True
    finally:
        run.unlock()
