"""What the replay file promises: rows read back to the last bit, and a crash costs no row that was saved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sac_control.errors import RunError
from sac_control.runs.replay_file import ReplayFile
from sac_control.types import Float32Array

ROW_SIZE = 14


def rows(start: int, stop: int) -> Float32Array:
    """Rows whose content tells their number."""
    return np.random.default_rng(0).normal(size=(100, ROW_SIZE)).astype(np.float32)[start:stop]


@pytest.fixture
def file(tmp_path: Path) -> ReplayFile:
    return ReplayFile(tmp_path / "replay", ROW_SIZE)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "replay" / "transitions.f32"


def test_rows_appended_in_pieces_read_back_as_one(file: ReplayFile) -> None:
    for start, stop in ((0, 1), (1, 1), (1, 40), (40, 100)):
        file.append(start, rows(start, stop))
    np.testing.assert_array_equal(file.read(0, 100), rows(0, 100))
    assert file.read(0, 100).dtype == np.float32


def test_any_piece_can_be_read(file: ReplayFile) -> None:
    file.append(0, rows(0, 100))
    np.testing.assert_array_equal(file.read(30, 41), rows(30, 41))
    np.testing.assert_array_equal(file.read(99, 100), rows(99, 100))
    assert file.read(5, 5).shape == (0, ROW_SIZE)


def test_rows_are_little_endian_whatever_the_layout_in_memory(file: ReplayFile, path: Path) -> None:
    file.append(0, np.asfortranarray(rows(0, 10)))
    file.append(10, rows(0, 20)[10:].astype(">f4"))
    np.testing.assert_array_equal(np.fromfile(path, "<f4").reshape(20, ROW_SIZE), rows(0, 20))


def test_row_cut_off_by_a_crash_is_written_again(file: ReplayFile, path: Path) -> None:
    file.append(0, rows(0, 10))
    whole = path.read_bytes()
    for cut in (1, 4 * ROW_SIZE - 1, 4 * ROW_SIZE + 1):
        path.write_bytes(whole[:-cut])
        kept = (len(whole) - cut) // (4 * ROW_SIZE)
        np.testing.assert_array_equal(file.read(0, kept), rows(0, kept))
        file.append(kept, rows(kept, 20))
        np.testing.assert_array_equal(file.read(0, 20), rows(0, 20))


def test_rows_saved_after_the_checkpoint_that_is_resumed_are_replaced(file: ReplayFile, path: Path) -> None:
    file.append(0, -rows(0, 50))
    file.append(20, rows(20, 30))
    np.testing.assert_array_equal(file.read(0, 20), -rows(0, 20))
    np.testing.assert_array_equal(file.read(20, 30), rows(20, 30))
    assert path.stat().st_size == 30 * 4 * ROW_SIZE


def test_rows_that_fell_out_of_the_buffer_before_they_were_saved_leave_a_gap(file: ReplayFile) -> None:
    file.append(0, rows(0, 10))
    file.append(60, rows(60, 100))
    np.testing.assert_array_equal(file.read(60, 100), rows(60, 100))
    np.testing.assert_array_equal(file.read(0, 10), rows(0, 10))


def test_rows_that_are_not_there_are_an_error_that_counts_those_that_are(file: ReplayFile, path: Path) -> None:
    file.append(0, rows(0, 10))
    with pytest.raises(RunError, match=f"{path} holds 6 of the 8 transitions from 4 on"):
        file.read(4, 12)
    with pytest.raises(RunError, match="holds 0 of the 1 transitions from 50 on"):
        file.read(50, 51)


def test_file_that_is_missing_is_an_error_that_names_it(file: ReplayFile, path: Path) -> None:
    assert file.read(0, 0).shape == (0, ROW_SIZE)
    with pytest.raises(RunError, match=f"cannot read the replay buffer {path}: No such file or directory"):
        file.read(0, 1)


def test_rows_that_cannot_be_written_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Not a directory"):
        ReplayFile(tmp_path / "file" / "replay", ROW_SIZE).append(0, rows(0, 1))
