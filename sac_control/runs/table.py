"""Tables of numbers as CSV files: appended to by a run, read by its curve."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from sac_control.errors import RunError
from sac_control.runs import atomic


class Table:
    """A CSV file that is appended to, one whole line at a time."""

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        self._stream: IO[str] = path.open("a", newline="")
        self._writer = csv.DictWriter(self._stream, columns)
        if self._stream.tell() == 0:
            self._writer.writeheader()
            self._stream.flush()

    def write(self, row: Mapping[str, object]) -> None:
        """Append one row."""
        self._writer.writerow(row)
        self._stream.flush()

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def read_columns(path: Path) -> dict[str, list[float]]:
    """The columns of a CSV file as numbers; an empty cell is NaN.

    Raises:
        RunError: the file cannot be read or is not such a table.
    """
    try:
        with path.open(newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RunError(f"cannot read {path}: {error}") from error
    try:
        return {name: [float(row[name] or "nan") for row in rows] for name in (rows[0] if rows else {})}
    except (TypeError, ValueError) as error:
        raise RunError(f"{path} holds something that is not a number: {error}") from error


def drop_rows_after(path: Path, column: str, last: float) -> None:
    """Remove the rows of a CSV file in which `column` is above `last`, if there is such a file.

    A run that is resumed counts on from its checkpoint; what was written after it will be written again.

    Raises:
        RunError: the file cannot be read or is not such a table.
        OSError: it cannot be written.
    """
    if not path.exists():
        return
    values = read_columns(path).get(column, [])
    header, *lines = path.read_text().splitlines(keepends=True)
    kept = [line for line, value in zip(lines, values, strict=True) if value <= last]
    atomic.write_text(path, "".join([header, *kept]))
