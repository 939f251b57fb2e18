"""The replay buffer on disk: rows of float32, appended to. Knows nothing of what a row means.

A row has a fixed size, so a file that was cut off in the middle of a row by a crash is whole up to the row before.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from sac_control.errors import RunError
from sac_control.types import Float32Array


class ReplayFile:
    """Rows (n, row_size) float32, little-endian, in ``<directory>/transitions.f32``.

    Args:
        directory: the run's replay directory; made when the first rows are appended.
        row_size: values per row.
    """

    def __init__(self, directory: Path, row_size: int) -> None:
        self._path = directory / "transitions.f32"
        self._row_size = row_size

    def append(self, start: int, rows: Float32Array) -> None:
        """Put `rows`, (n, row_size) float32, at row number `start`, and wait until they are on the disk.

        Raises:
            OSError: they cannot be written.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("r+b" if self._path.exists() else "w+b") as stream:
            stream.truncate(start * self._row_bytes)
            stream.seek(0, os.SEEK_END)
            stream.write(np.ascontiguousarray(rows, "<f4").tobytes())
            stream.flush()
            os.fsync(stream.fileno())

    def read(self, start: int, stop: int) -> Float32Array:
        """Rows `start` to `stop`, (stop - start, row_size) float32.

        Raises:
            RunError: the file holds fewer rows.
        """
        count = stop - start
        if count == 0:
            return np.zeros((0, self._row_size), np.float32)
        try:
            rows = np.fromfile(self._path, "<f4", count * self._row_size, offset=start * self._row_bytes)
        except OSError as error:
            raise RunError(f"cannot read the replay buffer {self._path}: {error.strerror}") from error
        if rows.size < count * self._row_size:
            raise RunError(
                f"{self._path} holds {rows.size // self._row_size} of the {count} transitions from {start} on"
            )
        return rows.astype(np.float32, copy=False).reshape(count, self._row_size)

    @property
    def _row_bytes(self) -> int:
        return 4 * self._row_size
