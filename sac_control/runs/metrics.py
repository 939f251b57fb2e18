"""Scalars over time, as CSV and as TensorBoard events. Knows nothing of where they come from."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from tensorboardX import SummaryWriter

from sac_control.errors import RunError


class Metrics:
    """Writes rows of scalars; a run that is resumed appends to what is there.

    Args:
        csv_path: file with one column per name.
        events: directory of the TensorBoard events.
        names: the columns after ``env_steps``, in order.
    """

    def __init__(self, csv_path: Path, events: Path, names: tuple[str, ...]) -> None:
        self._names = names
        self._table = Table(csv_path, ("env_steps", *names))
        self._events = SummaryWriter(str(events))

    def write(self, env_steps: int, values: Mapping[str, float]) -> None:
        """Write one row; names without a value stay empty."""
        self._table.write({"env_steps": env_steps, **{name: values.get(name, "") for name in self._names}})
        for name, value in values.items():
            self._events.add_scalar(name, value, env_steps)

    def close(self) -> None:
        """Flush and close the files."""
        self._table.close()
        self._events.close()


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
