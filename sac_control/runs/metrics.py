"""Scalars over time, as CSV and as TensorBoard events. Knows nothing of where they come from."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

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
        # Not EventFileWriter: it hands each value to a thread.
        name = f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}"  # as TensorBoard looks for
        self._events = RecordWriter((events / name).open("wb"))
        self._write_event(Event(wall_time=time.time(), file_version="brain.Event:2"))

    def write(self, env_steps: int, values: Mapping[str, float]) -> None:
        """Write one row; names without a value stay empty."""
        self._table.write({"env_steps": env_steps, **{name: values.get(name, "") for name in self._names}})
        for name, value in values.items():
            summary = Summary(value=[Summary.Value(tag=name, simple_value=value)])
            self._write_event(Event(wall_time=time.time(), step=env_steps, summary=summary))
        self._events.flush()

    def close(self) -> None:
        """Flush and close the files."""
        self._table.close()
        self._events.close()

    def _write_event(self, event: Event) -> None:
        self._events.write(event.SerializeToString())
