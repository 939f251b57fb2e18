"""What the checkpoint store promises: a checkpoint is whole or it is not there, and the old ones survive a failure."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import pytest

from sac_control.errors import RunError
from sac_control.store import atomic
from sac_control.store.checkpoints import MANIFEST, CheckpointStore

FILES = {"policy.safetensors": b"policy", "learner.safetensors": bytes(range(256))}


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(tmp_path / "checkpoints", keep_last=3)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints"


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_what_is_saved_loads_again(store: CheckpointStore) -> None:
    store.save(100, FILES, {"updates": 7, "nested": {"a": [1, 2.5, None]}})
    checkpoint = store.load(100)
    assert checkpoint.step == 100
    assert checkpoint.files == FILES
    assert checkpoint.state["updates"] == 7
    assert checkpoint.state["nested"] == {"a": [1, 2.5, None]}


def test_store_without_checkpoints_makes_nothing(store: CheckpointStore, directory: Path) -> None:
    assert store.steps() == []
    assert store.load_newest() == (None, [])
    assert not directory.exists()


def test_latest_names_the_newest_and_best_the_best(store: CheckpointStore, directory: Path) -> None:
    store.save(100, FILES, {}, is_best=True)
    store.save(200, FILES, {})
    assert (directory / "latest").resolve() == directory / "200"
    assert (directory / "best").resolve() == directory / "100"
    store.save(300, FILES, {}, is_best=True)
    assert (directory / "best").resolve() == directory / "300"


def test_file_of_a_checkpoint_is_exchanged_and_the_rest_stays(store: CheckpointStore, directory: Path) -> None:
    store.save(100, FILES, {"updates": 7}, is_best=True)
    store.save(200, FILES, {"updates": 8})
    store.replace_file(100, "policy.safetensors", b"examined")
    checkpoint = store.load(100)
    assert checkpoint.files == {**FILES, "policy.safetensors": b"examined"}
    assert checkpoint.state["updates"] == 7
    assert (directory / "best").resolve() == directory / "100"
    assert (directory / "latest").resolve() == directory / "200"
    assert names(directory) == {"100", "200", "best", "latest"}


def test_best_of_an_earlier_step_does_not_become_the_latest(store: CheckpointStore, directory: Path) -> None:
    """An evaluation takes a while: the policy it praises was made some transitions ago."""
    store.save(200, FILES, {})
    store.save(150, {**FILES, "policy.safetensors": b"praised"}, {}, is_best=True)
    assert (directory / "latest").resolve() == directory / "200"
    assert (directory / "best" / "policy.safetensors").read_bytes() == b"praised"


def test_links_stay_right_when_the_directory_moves(store: CheckpointStore, directory: Path) -> None:
    store.save(100, FILES, {}, is_best=True)
    moved = directory.rename(directory.with_name("moved"))
    for link in ("best", "latest"):
        assert (moved / link / "policy.safetensors").read_bytes() == b"policy"


def test_only_the_newest_and_the_best_are_kept(store: CheckpointStore, directory: Path) -> None:
    for step in (9, 10, 100, 110, 120, 130):
        store.save(step, FILES, {}, is_best=step == 10)
    assert store.steps() == [10, 110, 120, 130]
    assert names(directory) == {"10", "110", "120", "130", "best", "latest"}


def test_former_best_goes_once_there_is_a_better_one(store: CheckpointStore) -> None:
    for step in (1, 2, 3, 4, 5):
        store.save(step, FILES, {}, is_best=step in (1, 5))
    assert store.steps() == [3, 4, 5]


def test_same_step_is_replaced(store: CheckpointStore) -> None:
    store.save(100, FILES, {"updates": 1})
    store.save(100, {"other": b"2"}, {"updates": 2})
    assert store.load(100).files == {"other": b"2"}
    assert store.load(100).state["updates"] == 2


def test_best_policy_of_a_step_is_not_replaced_by_a_later_one_of_that_step(store: CheckpointStore) -> None:
    store.save(100, FILES, {"updates": 1}, is_best=True)
    store.save(100, {"policy.safetensors": b"later"}, {"updates": 2})
    assert store.load(100).files == FILES


@pytest.mark.parametrize("name", [*FILES, MANIFEST])
def test_missing_file_is_noticed(store: CheckpointStore, directory: Path, name: str) -> None:
    store.save(100, FILES, {})
    (directory / "100" / name).unlink()
    with pytest.raises(RunError, match=f"checkpoint {directory / '100'} is not whole"):
        store.load(100)


@pytest.mark.parametrize("name", list(FILES))
def test_changed_file_is_noticed_and_named(store: CheckpointStore, directory: Path, name: str) -> None:
    store.save(100, FILES, {})
    for content in (FILES[name][:-1], FILES[name] + b"\0", b""):
        (directory / "100" / name).write_bytes(content)
        with pytest.raises(RunError, match=f"is damaged: {name} does not match its SHA-256"):
            store.load(100)


def test_manifest_cut_off_anywhere_is_noticed(store: CheckpointStore, directory: Path) -> None:
    store.save(100, FILES, {"updates": 3})
    manifest = directory / "100" / MANIFEST
    whole = manifest.read_bytes()
    for size in range(len(whole)):
        manifest.write_bytes(whole[:size])
        with pytest.raises(RunError, match="is not whole"):
            store.load(100)


@pytest.mark.parametrize("content", ["[]", "3", "null", "{}", '{"sha256": 3}', "\udcff"])
def test_manifest_of_another_kind_is_noticed(store: CheckpointStore, directory: Path, content: str) -> None:
    store.save(100, FILES, {})
    (directory / "100" / MANIFEST).write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(RunError, match="is not whole"):
        store.load(100)


def test_newest_whole_checkpoint_is_loaded_and_damaged_ones_are_set_aside(
    store: CheckpointStore, directory: Path
) -> None:
    for step in (100, 200, 300):
        store.save(step, FILES, {"updates": step})
    (directory / "300" / MANIFEST).unlink()
    (directory / "200" / "policy.safetensors").write_bytes(b"other")
    checkpoint, complaints = store.load_newest()
    assert checkpoint is not None
    assert checkpoint.step == 100
    assert store.steps() == [100]
    assert {"200.damaged", "300.damaged"} < names(directory)
    assert complaints[0].endswith("set aside as 300.damaged")
    assert "policy.safetensors does not match its SHA-256; set aside as 200.damaged" in complaints[1]


def test_latest_names_a_whole_checkpoint_after_damaged_ones_were_set_aside(
    store: CheckpointStore, directory: Path
) -> None:
    for step in (100, 200):
        store.save(step, FILES, {})
    (directory / "200" / MANIFEST).unlink()
    store.load_newest()
    assert (directory / "latest").resolve() == directory / "100"


def test_training_goes_on_after_damaged_checkpoints_were_set_aside(store: CheckpointStore, directory: Path) -> None:
    for _ in range(2):  # the same step may be damaged once more
        store.save(100, FILES, {}, is_best=True)
        (directory / "100" / MANIFEST).unlink()
        assert store.load_newest()[0] is None
    store.save(50, FILES, {})
    assert (directory / "latest").resolve() == directory / "50"
    assert store.steps() == [50]


def test_no_whole_checkpoint_at_all_leaves_a_complaint_for_each(store: CheckpointStore, directory: Path) -> None:
    for step in (100, 200):
        store.save(step, FILES, {})
        (directory / str(step) / MANIFEST).write_text("{")
    checkpoint, complaints = store.load_newest()
    assert checkpoint is None
    assert len(complaints) == 2


def test_failure_to_write_leaves_the_checkpoints_that_were_there(store: CheckpointStore, directory: Path) -> None:
    store.save(100, FILES, {}, is_best=True)
    before = names(directory)
    with pytest.raises(OSError, match="No such file or directory"):
        store.save(200, {"policy.safetensors": b"", "missing_directory/file": b""}, {})
    assert names(directory) == before
    assert store.load_newest()[0] == store.load(100)


def test_checkpoints_below_a_regular_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Not a directory"):
        CheckpointStore(tmp_path / "file" / "checkpoints", keep_last=3).save(1, FILES, {})


def test_what_a_killed_writer_left_is_ignored_and_swept_away(store: CheckpointStore, directory: Path) -> None:
    store.save(100, FILES, {})
    shutil.copytree(directory / "100", directory / ".200.999999.tmp")
    (directory / ".200.999999.tmp" / MANIFEST).unlink()  # it comes last
    (directory / ".latest.999999.tmp").symlink_to("200")
    assert store.steps() == [100]
    checkpoint, complaints = store.load_newest()
    assert checkpoint is not None
    assert (checkpoint.step, complaints) == (100, [])
    store.save(300, FILES, {})
    assert names(directory) == {"100", "300", "latest"}


def test_checkpoint_that_lacks_nothing_but_its_name_is_found(store: CheckpointStore, directory: Path) -> None:
    """A kill after the last byte, before the rename."""
    store.save(100, FILES, {})
    store.save(200, FILES, {"updates": 2})
    (directory / "200").rename(directory / ".200.999999.tmp")
    checkpoint, complaints = store.load_newest()
    assert checkpoint is not None
    assert (checkpoint.step, checkpoint.state["updates"], complaints) == (200, 2, [])


@pytest.mark.parametrize("is_new_one_whole", [True, False])
def test_kill_between_the_two_renames_of_a_replacement_loses_nothing(
    store: CheckpointStore, directory: Path, is_new_one_whole: bool
) -> None:
    store.save(100, FILES, {"updates": 1})
    shutil.copytree(directory / "100", directory.parent / "old")
    store.save(100, FILES, {"updates": 2})
    (directory / "100").rename(directory / ".100.999999.tmp")
    (directory.parent / "old").rename(directory / ".100.replaced.999999.tmp")
    if not is_new_one_whole:
        (directory / ".100.999999.tmp" / "policy.safetensors").write_bytes(b"torn")
    checkpoint, _ = store.load_newest()
    assert checkpoint is not None
    assert checkpoint.state["updates"] == (2 if is_new_one_whole else 1)


def test_any_bit_of_a_manifest_that_is_flipped_is_noticed(store: CheckpointStore, directory: Path) -> None:
    store.save(100, FILES, {"updates": 3, "nested": {"a": [1, 2.5, None]}})
    manifest = directory / "100" / MANIFEST
    whole = manifest.read_bytes()
    for place in range(len(whole)):
        for bit in range(8):
            manifest.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])
            with pytest.raises(RunError, match="is not whole|does not match its own SHA-256"):
                store.load(100)


def test_the_best_is_read_back_and_damage_is_named(store: CheckpointStore, directory: Path) -> None:
    assert store.load_best() is None
    store.save(100, FILES, {"best_score": 7.5}, is_best=True)
    store.save(200, FILES, {"best_score": 1.0})
    best = store.load_best()
    assert best is not None
    assert (best.step, best.state["best_score"], best.files) == (100, 7.5, FILES)
    (directory / "100" / "policy.safetensors").write_bytes(b"other")
    with pytest.raises(RunError, match="100 is damaged: policy.safetensors"):
        store.load_best()


def test_failure_to_replace_a_checkpoint_leaves_the_one_that_was_there(
    store: CheckpointStore, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(100, FILES, {"updates": 1})
    rename = Path.rename

    def full(path: Path, target: Path) -> Path:
        if path.name == f".100.{os.getpid()}.tmp":
            raise OSError(errno.ENOSPC, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(OSError, match="No space left"):
        store.save(100, FILES, {"updates": 2})
    assert store.load(100).state["updates"] == 1
    assert names(directory) == {"100", "latest"}


def test_digest_of_every_file_is_in_the_manifest(store: CheckpointStore, directory: Path) -> None:
    store.save(100, FILES, {"updates": 1})
    manifest = json.loads((directory / "100" / MANIFEST).read_text())
    assert manifest["sha256"].keys() == FILES.keys()


# atomic.py, which all of this rests on


def test_file_is_replaced_as_a_whole_and_no_temporary_one_remains(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for data in (b"old", b"new and longer", b""):
        atomic.write_bytes(path, data)
        assert path.read_bytes() == data
        assert names(tmp_path) == {"file"}


def test_reader_of_the_old_file_keeps_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic.write_text(path, "old content")
    with path.open() as stream:
        atomic.write_text(path, "new")
        assert stream.read() == "old content"


def test_file_that_cannot_be_replaced_stays_and_no_temporary_one_remains(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "inside").touch()
    with pytest.raises(OSError, match="Is a directory"):
        atomic.write_bytes(target, b"data")
    assert names(tmp_path) == {"target"}


def test_link_is_replaced_even_where_one_was_left_half_done(tmp_path: Path) -> None:
    link = tmp_path / "latest"
    (tmp_path / f".latest.{os.getpid()}.tmp").symlink_to("nowhere")
    for target in ("1", "2"):
        atomic.replace_link(link, target)
        assert link.readlink() == Path(target)
    assert names(tmp_path) == {"latest"}
