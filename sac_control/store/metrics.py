"""Scalars over time, as CSV and as TensorBoard events. Knows nothing of where they come from."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from sac_control.store import atomic
from sac_control.store.table import Table

try:
    from tensorboard.compat.proto.event_pb2 import Event, SessionLog
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter
except ModuleNotFoundError:
    HAS_TENSORBOARD = False  # then there are no events, and the tables hold the same figures
else:
    HAS_TENSORBOARD = True


class Metrics:
    """Writes rows of scalars; a run that is resumed appends to what is there.

    Args:
        csv_path: file with one column per name.
        events: directory of the TensorBoard events.
        names: the columns after ``env_steps``, in order.
        resumed_at: transitions at which a run is resumed: TensorBoard then forgets what earlier files hold beyond them.
    """

    def __init__(self, csv_path: Path, events: Path, names: tuple[str, ...], *, resumed_at: int | None = None) -> None:
        self._names, self._directory = names, events
        self._table = Table(csv_path, ("env_steps", *names))
        if HAS_TENSORBOARD:
            self._open_events(resumed_at)

    def write(self, env_steps: int, values: Mapping[str, float]) -> None:
        """Write one row; names without a value stay empty.

        Raises:
            OSError: it cannot be written.
        """
        self._table.write({"env_steps": env_steps, **{name: values.get(name, "") for name in self._names}})
        if HAS_TENSORBOARD:
            self._write_events(env_steps, values)

    def close(self) -> None:
        """Flush and close the files."""
        self._table.close()
        if HAS_TENSORBOARD:
            self._stream.close()

    def _write_events(self, env_steps: int, values: Mapping[str, float]) -> None:
        if not self._stream.closed and not atomic.is_at(self._stream.fileno(), self._path):
            self._give_up_events()  # removed
        if self._stream.closed:
            self._open_events()
        try:
            for name, value in values.items():
                summary = Summary(value=[Summary.Value(tag=name, simple_value=value)])
                self._write_event(Event(wall_time=time.time(), step=env_steps, summary=summary))
            self._events.flush()
        except OSError:
            self._give_up_events()  # its last record may be torn, and nothing can be read behind one that is
            raise

    def _open_events(self, resumed_at: int | None = None) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        # Not EventFileWriter: it hands each value to a thread.
        name = f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}"  # as TensorBoard looks for
        self._path = self._directory / name
        self._stream = self._path.open("wb")
        self._events = RecordWriter(self._stream)
        self._write_event(Event(wall_time=time.time(), file_version="brain.Event:2"))
        if resumed_at is not None:
            session = SessionLog(status=SessionLog.START)
            self._write_event(Event(wall_time=time.time(), step=resumed_at + 1, session_log=session))

    def _give_up_events(self) -> None:
        """Leave the file as it is; the next row begins another one."""
        with contextlib.suppress(OSError):
            self._stream.close()

    def _write_event(self, event: Event) -> None:
        self._events.write(event.SerializeToString())
