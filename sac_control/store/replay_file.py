"""The replay buffer on disk: every transition that was accepted, appended to, each with a checksum of its own.

``transitions.f32`` holds the rows of the buffer and nothing else. ``transitions.index`` holds one record for each:
which transition it was, and a CRC-32 over row, record and row number. Nothing is believed whose CRC-32 does not fit, so
it does not matter which of the two files a crash cut off, or where. Knows nothing of what a row means.
"""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sac_control.errors import RunError
from sac_control.store import atomic
from sac_control.types import Array, Float32Array

RECORD = np.dtype(
    [
        ("source", "<u8"),
        ("sequence", "<u8"),
        ("stamp", "<i8"),
        ("episode", "<u8"),
        ("policy_version", "<u8"),
        ("step", "<u4"),
        ("truncated", "<u4"),  # 0 or 1
        ("checksum", "<u4"),  # of the row, of the above and of the row number
    ]
)
_CHECKED = RECORD.itemsize - 4  # bytes of a record that its checksum covers


@dataclass(frozen=True, kw_only=True)
class SavedRows:
    """Rows of the replay buffer, read from the disk."""

    rows: Float32Array  # (n, row_size)
    records: Array  # (n,) RECORD
    is_whole: NDArray[np.bool_]  # (n,) whether the checksum fits


class ReplayFile:
    """Rows (n, row_size) float32, little-endian, and their records, (n,) RECORD.

    Args:
        directory: the run's replay directory; made when the first rows are appended.
        row_size: values per row.
    """

    def __init__(self, directory: Path, row_size: int) -> None:
        self.directory = directory
        self._rows, self._index = directory / "transitions.f32", directory / "transitions.index"
        self._row_size = row_size

    def count(self) -> int:
        """Rows that are there by the size of the files, whole or not."""
        return min(_size(self._rows) // self._row_bytes, _size(self._index) // RECORD.itemsize)

    def torn_bytes(self, count: int) -> int:
        """Bytes behind the first `count` rows and records."""
        rows = max(0, _size(self._rows) - count * self._row_bytes)
        return rows + max(0, _size(self._index) - count * RECORD.itemsize)

    def append(self, start: int, rows: Float32Array, records: Array) -> None:
        """Put `rows`, (n, row_size) float32, and `records`, (n,) RECORD, at row number `start`; cut off what was there.

        Does not wait for the disk, see `sync`: what was appended survives the process, but not the machine.

        Raises:
            OSError: they cannot be written, or not all of them; those before `start` are untouched.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        rows, records = np.ascontiguousarray(rows, "<f4"), records.copy()
        records["checksum"] = self._checksums(start, rows, records)
        _write_at(self._rows, start * self._row_bytes, rows.tobytes())
        _write_at(self._index, start * RECORD.itemsize, records.tobytes())

    def sync(self) -> None:
        """Wait until what was appended is on the disk.

        Raises:
            OSError: it cannot be written.
        """
        for path in (self._rows, self._index):
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
        for directory in (self.directory, self.directory.parent):
            atomic.sync_directory(directory)

    def read(self, start: int, stop: int) -> SavedRows:
        """Rows `start` to `stop`, whole or not.

        Raises:
            RunError: the files hold fewer rows, or cannot be read.
        """
        count = stop - start
        if count == 0:
            return self._saved(start, np.zeros((0, self._row_size), np.float32), np.zeros(0, RECORD))
        try:
            rows = np.fromfile(self._rows, "<f4", count * self._row_size, offset=start * self._row_bytes)
            records = np.fromfile(self._index, RECORD, count, offset=start * RECORD.itemsize)
        except OSError as error:
            raise RunError(f"cannot read the replay buffer in {self.directory}: {error}") from error
        found = min(rows.size // self._row_size, len(records))
        if found < count:
            raise RunError(f"{self.directory} holds {found} of the {count} transitions from {start} on")
        return self._saved(start, rows.astype(np.float32, copy=False).reshape(count, self._row_size), records)

    def read_from(self, start: int) -> SavedRows:
        """Rows from `start` on that are whole, up to the first that is not."""
        saved = self.read(start, max(start, self.count()))
        broken = np.flatnonzero(~saved.is_whole)
        end = int(broken[0]) if broken.size else len(saved.rows)
        return SavedRows(rows=saved.rows[:end], records=saved.records[:end], is_whole=saved.is_whole[:end])

    def _saved(self, start: int, rows: Float32Array, records: Array) -> SavedRows:
        is_whole = records["checksum"] == self._checksums(start, np.ascontiguousarray(rows, "<f4"), records)
        return SavedRows(rows=rows, records=records, is_whole=is_whole)

    def _checksums(self, start: int, rows: Float32Array, records: Array) -> NDArray[np.uint32]:
        number, row, record = 8, 8 + self._row_bytes, 8 + self._row_bytes + _CHECKED  # where each ends
        table = np.empty((len(rows), record), np.uint8)
        table[:, :number] = np.arange(start, start + len(rows), dtype="<u8")[:, None].view(np.uint8)
        table[:, number:row] = rows.view(np.uint8)
        table[:, row:] = records.view(np.uint8).reshape(len(rows), RECORD.itemsize)[:, :_CHECKED]
        data = table.reshape(-1).data
        checksums = (zlib.crc32(data[place : place + record]) for place in range(0, len(data), record))
        return np.fromiter(checksums, np.uint32, len(rows))

    @property
    def _row_bytes(self) -> int:
        return 4 * self._row_size


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _write_at(path: Path, offset: int, data: bytes) -> None:
    """Make `data` the end of the file, from `offset` on.

    What is behind is cut off last: where rows are written again, a kill at any moment leaves the old or the new ones.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        remaining = memoryview(data)
        while remaining:  # a disk that fills up takes a part, and refuses the rest the next time
            written = os.pwrite(descriptor, remaining, offset)
            offset, remaining = offset + written, remaining[written:]
        os.ftruncate(descriptor, offset)
    finally:
        os.close(descriptor)
