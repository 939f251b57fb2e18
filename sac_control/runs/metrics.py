"""Scalars over time, as CSV and as TensorBoard events. Knows nothing of where they come from."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.summary import scalar

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
        events.mkdir(parents=True, exist_ok=True)
        # Not SummaryWriter: it passes each value through a thread and a pickling queue.
        self._events = EventsWriter(str(events / "events"), filename_suffix=f".{os.getpid()}")

    def write(self, env_steps: int, values: Mapping[str, float]) -> None:
        """Write one row; names without a value stay empty."""
        self._table.write({"env_steps": env_steps, **{name: values.get(name, "") for name in self._names}})
        for name, value in values.items():
            self._events.write_event(Event(wall_time=time.time(), step=env_steps, summary=scalar(name, value)))
        self._events.flush()

    def close(self) -> None:
        """Flush and close the files."""
        self._table.close()
        self._events.close()
