"""A run that is being written is read as it grows, whatever its writer does to the files; nothing is written."""

from __future__ import annotations

import fcntl
import math
from pathlib import Path

import pytest

from sac_control.errors import RunError
from sac_control.store.run_directory import RunDirectory
from sac_control.store.tail import TableTail
from sac_control.store.where import Where, is_being_written, read_where


def test_rows_come_as_they_are_written_and_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    tail = TableTail(path)
    assert not tail.read()
    path.write_bytes(b"env_steps,alpha,variation\r\n1,0.5,mass=2\r\n2,,\r\n3,0.")
    assert tail.read()
    assert tail.columns["env_steps"] == [1.0, 2.0]
    assert tail.columns["alpha"][0] == 0.5
    assert math.isnan(tail.columns["alpha"][1])
    assert "variation" not in tail.columns
    with path.open("ab") as stream:
        stream.write(b"25,\r\n")
    assert tail.read()
    assert tail.columns["alpha"][2] == 0.25
    assert not tail.read()


def test_table_that_is_cut_or_replaced_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "episodes.csv"
    tail = TableTail(path)
    path.write_text("env_steps,return\n1,2\n2,3\n")
    assert tail.read()
    path.write_text("env_steps,return\n1,2\n")  # as when a run is resumed
    assert tail.read()
    assert tail.columns["return"] == [2.0]
    other = tmp_path / "new"
    other.write_text("env_steps,return\n5,6\n7,8\n9,1\n")
    other.replace(path)
    assert tail.read()
    assert tail.columns["env_steps"] == [5.0, 7.0, 9.0]


def test_damaged_lines_are_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "episodes.csv"
    path.write_bytes(b"env_steps,return\n1,2\nx,y\n3\n\xff\xfe,1\n4,5\n")
    tail = TableTail(path)
    assert tail.read()
    assert tail.columns["return"] == [2.0, 5.0]
    assert tail.damaged == 3


def test_where_a_run_speaks_is_written_beside_it_and_removed_with_it(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "run")
    run.create("{}")
    assert read_where(run.path) is None
    where = Where(domain=7, discovery="LOCALHOST", namespace="/training")
    where.write(run.path)
    assert read_where(run.path) == where
    run.create("{}", overwrite=True)
    assert read_where(run.path) is None


@pytest.mark.parametrize("text", ["{", "[]", '{"domain": "x"}', '{"domain": 1}'])
def test_damaged_file_of_where_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "where.json").write_text(text)
    with pytest.raises(RunError, match="is damaged .* remove it"):
        read_where(tmp_path)


def test_run_counts_as_being_written_while_its_lock_is_held_and_looking_takes_no_lock(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "run")
    run.create("{}")
    assert not is_being_written(run.path)
    run.lock()
    assert is_being_written(run.path)
    run.unlock()
    assert not is_being_written(run.path)
    with (run.path / ".lock").open() as stream:  # nobody's look is in the way of a writer
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert not is_being_written(tmp_path / "no_run")
