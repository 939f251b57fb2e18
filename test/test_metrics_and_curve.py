"""What a run leaves for people: tables, TensorBoard events, a picture."""

from __future__ import annotations

import csv
import math
import os
import struct
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sac_control.cli import aftermath
from sac_control.errors import RunError
from sac_control.store import curve
from sac_control.store.metrics import Metrics
from sac_control.store.run_directory import RunDirectory
from sac_control.store.table import Table, read_columns

NAMES = ("critic_loss", "alpha")


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    run = RunDirectory(tmp_path / "a run of mine")
    run.create("")
    return run


def write_tables(run: RunDirectory, rows: int) -> None:
    """Tables as a training writes them."""
    names = ("critic_loss", "actor_loss", "alpha", "entropy", "replay_ratio", "target_replay_ratio")
    metrics = Metrics(run.metrics, run.events, names)
    episodes = Table(run.episodes, ("env_steps", "return", "length", "terminated"))
    evaluations = Table(run.evaluations, ("env_steps", "policy_version", "mean_return"))
    for k in range(rows):
        metrics.write(50 * k, {name: 1.0 + math.sin(k + place) / 2 for place, name in enumerate(names)})
        episodes.write({"env_steps": 50 * k, "return": 10.0 * k, "length": 10 * k, "terminated": 1})
        evaluations.write({"env_steps": 50 * k, "policy_version": k, "mean_return": 9.0 * k})
    for table in (metrics, episodes, evaluations):
        table.close()


def test_tensorboard_reads_a_training_that_is_running(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path / "metrics.csv", tmp_path / "tb", NAMES)
    metrics.write(50, {"critic_loss": 0.5, "alpha": 0.25})
    viewer = EventAccumulator(str(tmp_path / "tb"))
    viewer.Reload()
    assert sorted(viewer.Tags()["scalars"]) == ["alpha", "critic_loss"]
    metrics.write(100, {"alpha": 0.125})
    viewer.Reload()
    assert [(each.step, each.value) for each in viewer.Scalars("alpha")] == [(50, 0.25), (100, 0.125)]
    metrics.close()


def test_rows_read_back_as_columns(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path / "metrics.csv", tmp_path / "tb", NAMES)
    metrics.write(50, {"critic_loss": 0.1, "alpha": 1e-9})
    metrics.write(100, {"alpha": -math.inf})
    metrics.close()
    columns = read_columns(tmp_path / "metrics.csv")
    assert list(columns) == ["env_steps", "critic_loss", "alpha"]
    np.testing.assert_equal(
        columns, {"env_steps": [50, 100], "critic_loss": [0.1, math.nan], "alpha": [1e-9, -math.inf]}
    )


def test_every_row_is_on_its_way_to_the_disk_at_once(tmp_path: Path) -> None:
    table = Table(tmp_path / "table.csv", ("env_steps", "return"))
    for k in range(3):
        table.write({"env_steps": k, "return": 2.0 * k})
        assert read_columns(tmp_path / "table.csv")["return"][-1] == 2.0 * k
    table.close()


def test_resumed_table_goes_on_below_its_one_header(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.touch()  # as a process leaves it that is killed at once
    for k in range(3):
        table = Table(path, ("env_steps", "return"))
        table.write({"env_steps": k, "return": 1.5})
        table.close()
    with path.open(newline="") as stream:
        assert list(csv.reader(stream)) == [["env_steps", "return"], ["0", "1.5"], ["1", "1.5"], ["2", "1.5"]]


def test_table_of_an_earlier_version_keeps_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("env_steps,alpha\r\n1,0.5\r\n")
    table = Table(path, ("env_steps", "kl", "alpha"))
    table.write({"env_steps": 2, "kl": 0.25, "alpha": 0.125})
    table.close()
    assert read_columns(path) == {"env_steps": [1.0, 2.0], "alpha": [0.5, 0.125]}


def test_column_that_was_not_announced_is_a_mistake(tmp_path: Path) -> None:
    table = Table(tmp_path / "table.csv", ("env_steps",))
    with pytest.raises(ValueError, match="loss"):
        table.write({"env_steps": 1, "loss": 2.0})
    table.close()


def test_scalars_are_tensorboard_events(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path / "metrics.csv", tmp_path / "tb", NAMES)
    metrics.write(50, {"critic_loss": 0.1})
    metrics.write(100, {"critic_loss": 0.2, "alpha": 0.3})
    metrics.close()
    (file,) = (tmp_path / "tb").iterdir()
    assert file.name.startswith("events.out.tfevents.")
    records = tf_records(file.read_bytes())
    assert sum(b"critic_loss" in record for record in records) == 2
    assert sum(b"alpha" in record for record in records) == 1


def tf_records(data: bytes) -> list[bytes]:
    """The records of a TFRecord file: length, its checksum, content, its checksum."""
    records = []
    while data:
        (size,) = struct.unpack("<Q", data[:8])
        records.append(data[12 : 12 + size])
        data = data[12 + size + 4 :]
    return records


def test_empty_table_has_no_columns(tmp_path: Path) -> None:
    Table(tmp_path / "table.csv", ("env_steps",)).close()
    assert read_columns(tmp_path / "table.csv") == {}


@pytest.mark.parametrize(
    "content", [b"env_steps,loss\n1,much\n", b"env_steps\n1,2\n", b"env_steps\n\xff\n", b"env_steps\n1\0\n"]
)
def test_table_that_is_damaged_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(RunError, match=str(path)):
        read_columns(path)


def test_table_that_cannot_be_read_is_an_error_that_names_it(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.csv", tmp_path):
        with pytest.raises(RunError, match=f"cannot read {path}: "):
            read_columns(path)


def test_last_row_cut_off_by_a_crash_reads_as_empty_cells(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("env_steps,return,length\n1,2,3\n4,")
    np.testing.assert_equal(read_columns(path), {"env_steps": [1, 4], "return": [2, math.nan], "length": [3, math.nan]})


@pytest.mark.parametrize("rows", [0, 150])
def test_curve_is_a_picture_that_shows_something(run: RunDirectory, rows: int) -> None:
    write_tables(run, rows)
    curve.draw(run)
    picture = matplotlib.image.imread(run.curve)
    height, width, _ = picture.shape
    assert height > 400
    assert width > 600
    assert 0.005 < np.mean(picture[..., :3].min(axis=2) < 0.5) < 0.5  # ink
    left = {path.name for path in run.path.iterdir()}
    assert left == {".lock", "config.yaml", "metrics.csv", "episodes.csv", "evaluations.csv", "tb", "curve.png"}


def test_curve_shows_what_has_come_since_it_was_drawn_last(run: RunDirectory) -> None:
    write_tables(run, 5)
    pictures = []
    for _ in range(2):
        curve.draw(run)
        pictures.append(matplotlib.image.imread(run.curve))
        write_tables(run, 50)
    assert (pictures[0] != pictures[1]).any()


def test_curve_of_a_run_without_tables_is_an_error_that_names_the_table(run: RunDirectory) -> None:
    with pytest.raises(RunError, match=f"cannot read {run.metrics}"):
        curve.draw(run)
    assert not run.curve.exists()


def test_training_that_has_ended_gets_its_curve_or_a_sentence_why_not(run: RunDirectory) -> None:
    assert aftermath.draw_curve(run) == ""  # it never ended
    assert not run.curve.exists()
    write_tables(run, rows=3)
    run.write_summary({})
    assert aftermath.draw_curve(run) == ""
    assert run.curve.exists()
    run.metrics.write_text("env_steps,alpha\n1,2,3\n")
    assert "metrics.csv" in aftermath.draw_curve(run)


def test_pictures_that_cannot_be_made_are_told_of_and_take_nothing_from_a_training(
    run: RunDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tables(run, rows=3)
    run.write_summary({})
    assert aftermath.main(str(run.path), "true") == 0  # no policy was evaluated: no video, and nothing to say of it
    assert capsys.readouterr() == (f"curve: {os.path.relpath(run.curve)}\n", "")
    run.metrics.unlink()
    assert aftermath.main(str(run.path), "false") == 0
    assert f"warning: no curve: cannot read {run.metrics}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "left", ["checkpoints/100/state.json", "checkpoints/5.damaged/state.json", "replay/rows", "notes of mine"]
)
def test_run_in_which_something_was_learnt_or_left_stays(run: RunDirectory, left: str) -> None:
    file = run.path / left
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("x")
    assert not aftermath.remove_what_never_began(run)
    assert file.read_text() == "x"


def test_run_whose_training_never_began_is_removed(run: RunDirectory) -> None:
    """The learner may have begun, and written what it begins with, when another node could not."""
    for directory in (run.path / "log", run.checkpoints / "0", run.replay):
        directory.mkdir(parents=True)
    (run.path / "log" / "learner.log").write_text("x")
    (run.checkpoints / "0" / "state.json").write_text("{}")
    (run.checkpoints / "latest").symlink_to("0")
    (run.replay / "rows").touch()
    run.write_summary({"env_steps": 0})
    assert aftermath.remove_what_never_began(run)
    assert not run.path.exists()
