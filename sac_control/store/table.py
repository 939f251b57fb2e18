"""Tables of numbers as CSV files: appended to by a run, read by its curve."""

from __future__ import annotations

import csv
import errno
import io
import math
import os
from collections.abc import Mapping
from io import FileIO
from pathlib import Path

from sac_control.errors import RunError
from sac_control.store import atomic

VARIATION = "variation"  # the one column that holds text, in which no comma may be


class Table:
    """A CSV file that is appended to, one whole line at a time.

    A line that could not be written is left out; a file that was deleted is recreated. One that is there keeps its
    columns, whatever names are written.
    """

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        self._path, self._columns = path, columns
        self._announced = columns
        self._stream = self._open()

    def write(self, row: Mapping[str, object]) -> None:
        """Append one row.

        Raises:
            OSError: it cannot be written.
        """
        if strangers := row.keys() - set(self._announced):
            raise ValueError(f"{', '.join(strangers)} is not among the columns {', '.join(self._announced)}")
        line = self._line(row)
        if self._stream.closed or not atomic.is_at(self._stream.fileno(), self._path):
            self._stream.close()
            self._stream = self._open()
        _write_whole(self._stream, line)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def _open(self) -> FileIO:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        stream = self._path.open("a+b", buffering=0)
        stream.seek(0)
        data = stream.read()
        size = data.rfind(b"\n") + 1  # what is behind was cut off by a crash
        if size < len(data):
            stream.truncate(size)
        if size == 0:
            _write_whole(stream, self._line(dict(zip(self._columns, self._columns, strict=True))))
        else:
            self._columns = tuple(data[: data.index(b"\n")].decode().rstrip("\r").split(","))
        return stream

    def _line(self, row: Mapping[str, object]) -> bytes:
        text = io.StringIO(newline="")
        csv.DictWriter(text, self._columns, extrasaction="ignore").writerow(row)
        return text.getvalue().encode()


def _write_whole(stream: FileIO, line: bytes) -> None:
    """Append all of `line` or nothing."""
    size = os.fstat(stream.fileno()).st_size
    written = stream.write(line)
    if written != len(line):  # a disk that fills up takes a part
        os.ftruncate(stream.fileno(), size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def read_columns(path: Path) -> dict[str, list[float]]:
    """The columns of a CSV file as numbers, without that of texts; an empty cell is NaN.

    Raises:
        RunError: the file cannot be read or is not such a table.
    """
    try:
        with path.open(newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RunError(f"cannot read {path}: {error}") from error
    try:
        names = [name for name in (rows[0] if rows else {}) if name != VARIATION]
        return {name: [float(row[name] or "nan") for row in rows] for name in names}
    except (TypeError, ValueError) as error:
        raise RunError(f"{path} holds something that is not a number: {error}") from error


def drop_rows_after(path: Path, column: str, last: float) -> int:
    """Remove the rows of a CSV file in which `column` is above `last`, if there is such a file, and damaged ones.

    A run that is resumed counts on from where it was; what was written beyond that will be written again.

    Returns:
        How many rows were damaged. A last one without its end is none: a crash has cut it off.

    Raises:
        RunError: it is not such a table.
        OSError: it cannot be read or written.
    """
    if not path.exists():
        return 0
    header, *lines = path.read_bytes().splitlines(keepends=True) or [b""]
    names = header.decode(errors="replace").strip().split(",")
    if not header.endswith(b"\n"):
        path.unlink()  # cut off within its first line: there is no row
        return 0
    if column not in names:
        raise RunError(f"{path} is damaged: it has no column {column}")
    whole = [line for line in lines if line.endswith(b"\n")]
    rows = [_numbers(line, names) for line in whole]
    kept = [line for line, row in zip(whole, rows, strict=True) if row and row[names.index(column)] <= last]
    atomic.write_bytes(path, b"".join([header, *kept]))
    return sum(row is None for row in rows)


def _numbers(line: bytes, names: list[str]) -> list[float] | None:
    """The numbers of a line, with NaN for a text; None if there are more or fewer than columns, or other texts."""
    cells = line.strip().split(b",")
    if len(cells) != len(names):
        return None
    try:
        return [
            math.nan if name == VARIATION else float(cell or b"nan") for name, cell in zip(names, cells, strict=True)
        ]
    except ValueError:
        return None
