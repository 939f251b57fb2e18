"""Scalars over time, as CSV and as TensorBoard events. Knows nothing of where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tensorboardX import SummaryWriter

from sac_control.runs.table import Table


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
