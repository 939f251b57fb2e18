"""What the replay on disk promises: transitions read back to the last bit, a crash costs none that was written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sac_control.algorithms.replay_buffer import ReplayBuffer
from sac_control.errors import RunError
from sac_control.store.replay_file import RECORD, ReplayFile
from sac_control.store.replay_log import PERIOD, ReplayLog
from sac_control.types import Array, Float32Array, Transition

ROW_SIZE = 14


def rows(start: int, stop: int) -> Float32Array:
    """Rows whose content tells their number."""
    return np.random.default_rng(0).normal(size=(100, ROW_SIZE)).astype(np.float32)[start:stop]


def records(start: int, stop: int) -> Array:
    """Their records, but for the checksum."""
    values = np.zeros(stop - start, RECORD)
    values["sequence"] = np.arange(start, stop)
    values["source"], values["stamp"] = 2**64 - 1, -1
    return values


def append(file: ReplayFile, start: int, stop: int, sign: float = 1.0) -> None:
    file.append(start, np.float32(sign) * rows(start, stop), records(start, stop))


@pytest.fixture
def file(tmp_path: Path) -> ReplayFile:
    return ReplayFile(tmp_path / "replay", ROW_SIZE)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "replay" / "transitions.f32"


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "replay" / "transitions.index"


def test_rows_appended_in_pieces_read_back_as_one(file: ReplayFile) -> None:
    for start, stop in ((0, 1), (1, 1), (1, 40), (40, 100)):
        append(file, start, stop)
    saved = file.read(0, 100)
    np.testing.assert_array_equal(saved.rows, rows(0, 100))
    assert saved.rows.dtype == np.float32
    assert saved.is_whole.all()
    for name in ("source", "sequence", "stamp"):
        np.testing.assert_array_equal(saved.records[name], records(0, 100)[name])


def test_any_piece_can_be_read(file: ReplayFile) -> None:
    append(file, 0, 100)
    np.testing.assert_array_equal(file.read(30, 41).rows, rows(30, 41))
    np.testing.assert_array_equal(file.read(99, 100).rows, rows(99, 100))
    assert file.read(30, 41).is_whole.all()
    assert file.read(5, 5).rows.shape == (0, ROW_SIZE)


def test_rows_are_little_endian_whatever_the_layout_in_memory(file: ReplayFile, path: Path) -> None:
    file.append(0, np.asfortranarray(rows(0, 10)), records(0, 10))
    file.append(10, rows(0, 20)[10:].astype(">f4"), records(10, 20))
    np.testing.assert_array_equal(np.fromfile(path, "<f4").reshape(20, ROW_SIZE), rows(0, 20))
    assert file.read(0, 20).is_whole.all()


@pytest.mark.parametrize("name", ["transitions.f32", "transitions.index"])
def test_tail_torn_at_any_byte_costs_only_the_rows_it_is_in(file: ReplayFile, path: Path, name: str) -> None:
    append(file, 0, 10)
    torn = path.with_name(name)
    whole = torn.read_bytes()
    size = len(whole) // 10
    for length in range(7 * size, len(whole)):
        torn.write_bytes(whole[:length])
        saved = file.read_from(5)
        assert len(saved.rows) == length // size - 5
        np.testing.assert_array_equal(saved.rows, rows(5, length // size))
        assert file.torn_bytes(length // size) > 0
    append(file, 8, 20)
    assert file.read(0, 20).is_whole.all()
    assert file.torn_bytes(20) == 0


@pytest.mark.parametrize("name", ["transitions.f32", "transitions.index"])
def test_any_flipped_bit_is_noticed_in_its_own_row_only(file: ReplayFile, path: Path, name: str) -> None:
    append(file, 0, 3)
    changed = path.with_name(name)
    whole = changed.read_bytes()
    size = len(whole) // 3
    for place in range(len(whole)):
        for bit in range(8):
            changed.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])
            expected = [place // size != k for k in range(3)]
            assert file.read(0, 3).is_whole.tolist() == expected


def test_row_in_the_place_of_another_is_not_believed(file: ReplayFile, path: Path, index: Path) -> None:
    append(file, 0, 3)
    for each in (path, index):
        data = each.read_bytes()
        size = len(data) // 3
        each.write_bytes(data[size : 2 * size] + data[:size] + data[2 * size :])
    assert file.read(0, 3).is_whole.tolist() == [False, False, True]


def test_rows_behind_the_last_one_appended_are_cut_off(file: ReplayFile, path: Path) -> None:
    append(file, 0, 50, sign=-1.0)
    append(file, 20, 30)
    np.testing.assert_array_equal(file.read(0, 20).rows, -rows(0, 20))
    np.testing.assert_array_equal(file.read(20, 30).rows, rows(20, 30))
    assert path.stat().st_size == 30 * 4 * ROW_SIZE
    assert file.count() == 30


def test_rows_that_fell_out_of_the_buffer_before_they_were_saved_leave_a_gap_that_is_not_believed(
    file: ReplayFile,
) -> None:
    append(file, 0, 10)
    append(file, 60, 100)
    np.testing.assert_array_equal(file.read(60, 100).rows, rows(60, 100))
    assert file.read(0, 100).is_whole.tolist() == [True] * 10 + [False] * 50 + [True] * 40
    assert len(file.read_from(5).rows) == 5


def test_rows_that_are_not_there_are_an_error_that_counts_those_that_are(file: ReplayFile, path: Path) -> None:
    append(file, 0, 10)
    with pytest.raises(RunError, match=f"{path.parent} holds 6 of the 8 transitions from 4 on"):
        file.read(4, 12)
    with pytest.raises(RunError, match="holds 0 of the 1 transitions from 50 on"):
        file.read(50, 51)


def test_file_that_is_missing_is_an_error_that_names_it(file: ReplayFile, path: Path, index: Path) -> None:
    assert file.read(0, 0).rows.shape == (0, ROW_SIZE)
    with pytest.raises(RunError, match=f"cannot read the replay buffer in {path.parent}: .*No such file or directory"):
        file.read(0, 1)
    append(file, 0, 1)
    index.unlink()
    with pytest.raises(RunError, match=f"{index}"):
        file.read(0, 1)


def test_rows_that_cannot_be_written_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Not a directory"):
        append(ReplayFile(tmp_path / "file" / "replay", ROW_SIZE), 0, 1)


# replay_log.py: what is written when, and what a resumed training gets back


def transition(number: int) -> Transition:
    random = np.random.default_rng(number)
    return Transition(
        source=2**64 - 1 - number % 2,
        sequence=2**40 + number,
        episode=number // 7,
        step=number % 7,
        stamp=10**9 * number,
        policy_version=number // 3,
        observation=random.normal(size=2).astype(np.float32),
        action=random.uniform(-1.0, 1.0, 1).astype(np.float32),
        reward=float(np.float32(random.normal())),
        next_observation=random.normal(size=2).astype(np.float32),
        terminated=number % 7 == 6,
        truncated=number % 5 == 4,
    )


class Part:
    """A buffer and its log, as a training has them."""

    def __init__(self, directory: Path, capacity: int) -> None:
        self.buffer = ReplayBuffer(capacity=capacity, observation_size=2, action_size=1, seed=0)
        self.log = ReplayLog(directory, self.buffer)

    def take(self, number: int) -> None:
        self.take_over(transition(number))

    def take_over(self, new: Transition) -> None:
        self.buffer.add(new)
        self.log.note(new)


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Part]:
    return lambda capacity=1000: Part(tmp_path / "replay", capacity)


def same(first: Transition, second: Transition) -> bool:
    fields = Transition.__dataclass_fields__.keys() - {"variation"}  # text, which replay needs not
    return all(np.array_equal(getattr(first, name), getattr(second, name), equal_nan=True) for name in fields)


def test_log_is_due_once_per_period_and_only_when_there_is_something(make: Callable[..., Part]) -> None:
    part = make()
    assert not part.log.is_due(0.0)
    part.take(0)
    assert part.log.is_due(10.0)
    assert not part.log.is_due(10.0 + 0.9 * PERIOD), "asking counted as an attempt"
    assert part.log.is_due(10.0 + 1.1 * PERIOD)
    part.log.write()
    assert not part.log.is_due(100.0)
    assert PERIOD < 1.0, "what a kill may cost"


def test_every_transition_comes_back_in_full_before_and_after_the_checkpoint(make: Callable[..., Part]) -> None:
    part = make()
    for number in range(30):
        part.take(number)
        part.log.write()
    part.log.close()
    resumed = make()
    assert resumed.log.restore(20) == []
    newer, complaint = resumed.log.newer()
    assert complaint == ""
    assert [same(new, transition(20 + k)) for k, new in enumerate(newer)] == [True] * 10
    for new in newer:
        resumed.take_over(new)
    np.testing.assert_array_equal(resumed.buffer.rows(0, 30), part.buffer.rows(0, 30))
    resumed.take(30)
    resumed.log.write(wait=True)
    again = make()
    again.log.restore(0)
    assert [same(new, transition(k)) for k, new in enumerate(again.log.newer()[0])] == [True] * 31


def test_torn_tail_is_told_of_and_cut_off_by_the_next_write(make: Callable[..., Part], path: Path, index: Path) -> None:
    part = make()
    for number in range(10):
        part.take(number)
    part.log.write(wait=True)
    path.write_bytes(path.read_bytes()[:-3])
    resumed = make()
    resumed.log.restore(4)
    newer, complaint = resumed.log.newer()
    assert len(newer) == 5
    assert "after transition 9" in complaint
    for new in newer:
        resumed.take_over(new)
    assert resumed.log.is_due(0.0)
    resumed.log.write(wait=True)
    assert (path.stat().st_size, index.stat().st_size) == (9 * 4 * 7, 9 * RECORD.itemsize)


def test_a_small_buffer_comes_back_with_its_newest_transitions(make: Callable[..., Part]) -> None:
    part = make(8)
    for number in range(30):
        part.take(number)
        if number % 6 == 5:
            part.log.write()
    resumed = make(8)
    assert resumed.log.restore(20) == []
    for new in resumed.log.newer()[0]:
        resumed.take_over(new)
    np.testing.assert_array_equal(resumed.buffer.rows(22, 30), part.buffer.rows(22, 30))


def test_damaged_transitions_are_told_of_replaced_by_neighbours_and_healed(
    make: Callable[..., Part], path: Path
) -> None:
    part = make()
    for number in range(10):
        part.take(number)
    part.log.write(wait=True)
    data = bytearray(path.read_bytes())
    for row in (0, 4, 5):
        data[row * 28] ^= 1
    path.write_bytes(data)
    resumed = make()
    (complaint,) = resumed.log.restore(10)
    assert complaint.startswith("3 of 10 transitions of the replay buffer are damaged, the first is number 0")
    expected = part.buffer.rows(0, 10)[[1, 1, 2, 3, 3, 3, 6, 7, 8, 9]]
    np.testing.assert_array_equal(resumed.buffer.rows(0, 10), expected)
    resumed.log.write(wait=True)
    assert make().log.restore(10) == []


def test_buffer_of_which_nothing_is_whole_is_refused(make: Callable[..., Part], path: Path) -> None:
    part = make()
    for number in range(5):
        part.take(number)
    part.log.write(wait=True)
    path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(RunError, match="all 5 transitions of the replay buffer are damaged"):
        make().log.restore(5)


def test_rows_that_were_removed_from_the_disk_are_written_again(
    make: Callable[..., Part], path: Path, index: Path
) -> None:
    part = make()
    for number in range(10):
        part.take(number)
    part.log.write(wait=True)
    for each in (path, index):
        each.unlink()
    path.parent.rmdir()
    part.take(10)
    part.log.write(wait=True)
    resumed = make()
    resumed.log.restore(3)
    assert [same(new, transition(3 + k)) for k, new in enumerate(resumed.log.newer()[0])] == [True] * 8


def test_rows_that_could_not_be_written_are_written_once_they_can(make: Callable[..., Part], path: Path) -> None:
    path.parent.write_text("a file in the place of the directory")
    part = make()
    for number in range(5):
        part.take(number)
    with pytest.raises(OSError, match="File exists|Not a directory"):
        part.log.write()
    path.parent.unlink()
    part.take(5)
    part.log.write(wait=True)
    resumed = make()
    resumed.log.restore(0)
    assert len(resumed.log.newer()[0]) == 6
