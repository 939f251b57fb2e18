"""What a run directory promises: one writer at a time, nothing overwritten by accident, nothing foreign removed."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sac_control.errors import RunError
from sac_control.store.checkpoints import CheckpointStore
from sac_control.store.run_directory import RunDirectory

# Locks the run named on the command line, says so, and keeps it until its input ends.
WRITER = """
import sys
from pathlib import Path
from sac_control.store.run_directory import RunDirectory
run = RunDirectory(Path(sys.argv[1]))
run.lock()
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory(tmp_path / "runs" / "first")


@pytest.fixture
def writer(run: RunDirectory) -> Iterator[subprocess.Popen[str]]:
    """Another process that writes the run."""
    command = [sys.executable, "-c", WRITER, str(run.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        yield process
        process.kill()


def is_locked(run: RunDirectory) -> bool:
    with (run.path / ".lock").open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def test_object_alone_makes_nothing(run: RunDirectory) -> None:
    assert not run.exists
    assert not run.path.exists()
    assert run.name == "first"


def test_run_is_created_with_its_configuration(run: RunDirectory) -> None:
    run.create("a: 1\n")
    assert run.exists
    assert run.config.read_text() == "a: 1\n"
    assert not is_locked(run)


def test_run_that_exists_is_not_created_again(run: RunDirectory) -> None:
    run.create("a: 1\n")
    with pytest.raises(RunError, match=f"run {run.path} exists already: choose another --run, .*--resume.*--overwrite"):
        run.create("a: 2\n")
    assert run.config.read_text() == "a: 1\n"


def test_checkpoints_alone_are_a_run_too(run: RunDirectory) -> None:
    CheckpointStore(run.checkpoints, keep_last=1).save(1, {}, {})
    assert run.exists
    with pytest.raises(RunError, match="exists already"):
        run.create("a: 1\n")


def test_directory_that_holds_no_run_becomes_one_and_keeps_what_was_there(run: RunDirectory) -> None:
    run.path.mkdir(parents=True)
    (run.path / "notes.txt").write_text("mine")
    run.create("a: 1\n")
    assert (run.path / "notes.txt").read_text() == "mine"


def test_overwriting_removes_all_of_the_run_and_nothing_else(run: RunDirectory) -> None:
    run.create("a: 1\n")
    for file in (run.summary, run.metrics, run.episodes, run.evaluations, run.curve):
        file.write_text("old")
    for directory in (run.events, run.checkpoints / "100", run.replay, run.path / "log"):
        directory.mkdir(parents=True)
        (directory / "old").touch()
    (run.path / "notes.txt").write_text("mine")
    (run.path / "videos").mkdir()
    run.create("a: 2\n", overwrite=True)
    assert run.config.read_text() == "a: 2\n"
    assert {path.name for path in run.path.iterdir()} == {".lock", "config.yaml", "notes.txt", "videos"}


def test_overwriting_where_there_is_nothing_is_creating(run: RunDirectory) -> None:
    run.create("a: 1\n", overwrite=True)
    assert run.config.read_text() == "a: 1\n"


def test_run_of_another_process_is_neither_locked_nor_changed(run: RunDirectory, writer: subprocess.Popen[str]) -> None:
    run.config.write_text("a: 1\n")
    complaint = f"run {run.path} is being written by process {writer.pid}: stop that one or choose another run"
    for attempt in (run.lock, lambda: run.create("a: 2\n", overwrite=True), lambda: run.replace_config("a: 2\n")):
        with pytest.raises(RunError, match=complaint):
            attempt()
    assert run.config.read_text() == "a: 1\n"


def test_lock_of_a_killed_process_is_free(run: RunDirectory, writer: subprocess.Popen[str]) -> None:
    writer.kill()
    writer.wait()
    run.lock()
    assert is_locked(run)
    assert (run.path / ".lock").read_text() == str(os.getpid())
    run.unlock()


def test_run_is_locked_once_until_it_is_unlocked(run: RunDirectory) -> None:
    run.lock()
    with pytest.raises(RunError, match=f"is being written by process {os.getpid()}"):
        RunDirectory(run.path).lock()
    run.unlock()
    run.unlock()
    run.lock()
    run.unlock()


def test_directory_that_was_removed_is_made_and_locked_again_with_its_configuration(run: RunDirectory) -> None:
    run.create("a: 1\n")
    run.lock()
    assert not run.hold()
    shutil.rmtree(run.path)
    assert run.hold()
    assert run.config.read_text() == "a: 1\n"
    assert is_locked(run)
    assert not run.hold()
    run.unlock()
    assert not is_locked(run)


def test_directory_that_another_process_made_again_is_left_to_it(run: RunDirectory) -> None:
    run.lock()
    shutil.rmtree(run.path)
    command = [sys.executable, "-c", WRITER, str(run.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        with pytest.raises(RunError, match=f"is being written by process {process.pid}"):
            run.hold()
        process.kill()
    assert run.hold(), "it is free now"
    run.unlock()


def test_directory_that_cannot_be_made_again_is_an_error_and_stays_locked_for_the_next_attempt(
    run: RunDirectory,
) -> None:
    run.lock()
    shutil.rmtree(run.path)
    run.path.write_text("a file in its place")
    for _ in range(2):
        with pytest.raises(OSError, match="File exists"):
            run.hold()
    run.path.unlink()
    assert run.hold()
    run.unlock()


def test_lock_makes_the_directory_but_no_run(run: RunDirectory) -> None:
    run.lock()
    assert not run.exists
    run.unlock()


@pytest.mark.parametrize("parent", ["file", "/proc"])
def test_directory_that_cannot_be_written_is_an_error_that_names_it(tmp_path: Path, parent: str) -> None:
    (tmp_path / "file").touch()
    run = RunDirectory(tmp_path / parent / "run")  # an absolute parent replaces tmp_path
    attempts = (run.lock, lambda: run.create("a: 1\n"), lambda: run.replace_config("a: 1\n"))
    for attempt in attempts:
        with pytest.raises(RunError, match=f"cannot write run directory {run.path}: "):
            attempt()
    assert not run.exists


def test_failure_to_overwrite_is_an_error_and_lets_go_of_the_lock(run: RunDirectory) -> None:
    run.create("a: 1\n")
    (run.path / "tb").write_text("a file where a directory of the run belongs")
    with pytest.raises(RunError, match=f"cannot write run directory {run.path}: .*tb"):
        run.create("a: 2\n", overwrite=True)
    assert not is_locked(run)


def test_summary_reads_back(run: RunDirectory) -> None:
    run.create("")
    run.write_summary({"solved": True, "eval_returns": [1000.0], "solved_at_step": None})
    assert run.read_summary() == {"solved": True, "eval_returns": [1000.0], "solved_at_step": None}
    assert json.loads(run.summary.read_text())["solved"] is True


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"\xff"])
def test_missing_or_damaged_summary_is_an_error_that_names_it(run: RunDirectory, content: bytes | None) -> None:
    run.create("")
    if content is not None:
        run.summary.write_bytes(content)
    with pytest.raises(RunError, match=f"{run.summary} is "):
        run.read_summary()


def test_policy_is_the_best_one_or_else_the_newest(run: RunDirectory) -> None:
    with pytest.raises(RunError, match=f"there is no run at {run.path}: `sac_control info` lists what there is"):
        run.policy_file()
    run.create("")
    with pytest.raises(RunError, match=f"run {run.path} has no checkpoint yet: train it first"):
        run.policy_file()
    store = CheckpointStore(run.checkpoints, keep_last=3)
    store.save(1, {"policy.safetensors": b"1"}, {})
    assert run.policy_file().read_bytes() == b"1"
    store.save(2, {"policy.safetensors": b"2"}, {}, is_best=True)
    store.save(3, {"policy.safetensors": b"3"}, {})
    assert run.policy_file().read_bytes() == b"2"
