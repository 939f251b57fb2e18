"""A table that another process still writes, read as it grows. Never writes."""

from __future__ import annotations

import math
from pathlib import Path

from sac_control.store.table import VARIATION

_MOST_AT_ONCE = 4 << 20  # bytes of one reading: the rest comes with the next


class TableTail:
    """The columns of a CSV file so far.

    Args:
        path: the file; it may not be there yet, be deleted, and begin anew.

    Attributes:
        columns: numbers by the name of their column, NaN for an empty cell, without that of texts.
        damaged: lines that are no row of numbers, left out.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begin(None)

    @property
    def is_empty(self) -> bool:
        """Whether there is no row yet."""
        return not any(self.columns.values())

    def read(self) -> bool:
        """Take up what was added; whether anything changed. A last line without its end is left for the next time."""
        try:
            with self._path.open("rb") as stream:
                status = self._path.stat()
                if status.st_ino != self._inode or status.st_size < self._offset:  # replaced, or cut when resumed
                    self._begin(status.st_ino)
                stream.seek(self._offset)
                data = stream.read(_MOST_AT_ONCE)
        except OSError:
            return False
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            self._take(line.decode(errors="replace"))
        return bool(whole)

    def _begin(self, inode: int | None) -> None:
        self._inode, self._offset = inode, 0
        self._names: list[str] = []
        self.columns: dict[str, list[float]] = {}
        self.damaged = 0

    def _take(self, line: str) -> None:
        cells = line.split(",")
        if not self._names:
            self._names = cells
            self.columns = {name: [] for name in cells if name != VARIATION}
            return
        try:
            row = [
                math.nan if name == VARIATION else float(cell or "nan")
                for name, cell in zip(self._names, cells, strict=True)
            ]
        except ValueError:
            self.damaged += 1
            return
        for name, value in zip(self._names, row, strict=True):
            if name != VARIATION:
                self.columns[name].append(value)
