"""As test_negative_controls.py, for what protects the learner's work."""

from __future__ import annotations

from pathlib import Path

import pytest

from test_negative_controls import fails_without

# file, what protects, what takes its place, the test that must fail
CONTROLS = [
    ("runs/checkpoints.py", 'staging = self._directory / f".{step}.{os.getpid()}.tmp"',
     "staging = self._directory / str(step)", "at_any_step"),
    ("runs/checkpoints.py", "        self._finish_interrupted()\n", "", "at_any_step"),
    ("runs/checkpoints.py", "(self._directory / str(step)).rename(removed)",
     "shutil.rmtree(self._directory / str(step))", "at_any_step"),
    ("runs/checkpoints.py", ".hexdigest().encode() != digest", ".hexdigest().encode() == digest[:1]", "any_bit"),
    ("runs/checkpoints.py", '.hexdigest() != state["sha256"][name]', '.hexdigest() == ""', "changed_file"),
    ("runs/replay_file.py", 'records["checksum"] == self._checksums(start, np.ascontiguousarray(rows, "<f4"), records)',
     "np.ones(len(rows), bool)", "any_flipped_bit"),
    ("runs/replay_file.py", "np.arange(start, start + len(rows), dtype=\"<u8\")", "np.zeros(len(rows), \"<u8\")",
     "in_the_place_of_another"),
    ("runs/replay_file.py", "        os.ftruncate(descriptor, offset)\n", "", "are_cut_off"),
    ("runs/replay_log.py", "min(self._written, self._file.count())", "self._written", "goes_on_in_memory"),
    ("runs/recorder.py", "newer, complaint = self._replay.newer()", 'newer, complaint = [], ""', "again_and_again"),
    ("runs/recorder.py", "self._training.skip_versions(max", "max(0, max", "again_and_again"),
    ("runs/writing.py", "except (OSError, RunError) as error", "except ZeroDivisionError as error",
     "goes_on_in_memory"),
    ("runs/run_directory.py", "if self._lock is None or atomic.is_at(self._lock.fileno(), self._lock_path):",
     "if True:", "goes_on_in_memory"),
    ("runs/run_directory.py", "fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)", "pass", "second_learner"),
    ("runs/training_run.py", "        self._write_replay()\n        owed", "        owed", "again_and_again"),
    ("runs/training_run.py", "if is_missing and now >= self._retry_at:", "if False:", "goes_on_in_memory"),
    ("runs/training_run.py", "if not config.resume:  # from", "if False:  # from", "first_moment"),
    ("runs/training_run.py", "if not config.resume and (self.run.checkpoints.exists() or self.run.replay.exists()):",
     "if False:", "begun_afresh"),
    ("runs/training_run.py", "self._unsaved_best = None if was_saved else snapshot", "pass", "disk_could_not_take"),
]  # fmt: skip
FILES = ("test_faults_learner.py", "test_checkpoints.py", "test_replay_file.py", "test_training_run.py")


@pytest.mark.parametrize(("file", "protection", "instead", "name"), CONTROLS, ids=lambda value: None)
def test_without_its_protection_a_test_fails(
    tmp_path: Path, file: str, protection: str, instead: str, name: str
) -> None:
    fails_without(tmp_path, file, protection, instead, name, FILES)
