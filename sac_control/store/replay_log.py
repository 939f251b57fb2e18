"""Keeps the replay buffer on disk a fraction of a second behind the one in memory. Knows nothing of learning.

Writing is a copy into the system's memory, which survives the process that is killed. A thread waits for the disk,
which matters to a machine that loses power, so that the updates need not wait.
"""

from __future__ import annotations

import struct
import threading
from pathlib import Path

import numpy as np

from sac_control.errors import RunError
from sac_control.store.replay_file import RECORD, ReplayFile, SavedRows
from sac_control.types import Array, Float32Array, RowBuffer, Transition

_RECORD = struct.Struct("<QQqQQIII")  # RECORD, which takes five times as long to assign to

PERIOD = 0.5  # [s] between two appends: a kill then loses less than a second, whatever the updates under way


class ReplayLog:
    """Writes the transitions of one training, and reads them back.

    Args:
        directory: the run's replay directory.
        buffer: what is written; `note` must follow each transition that it takes.
    """

    def __init__(self, directory: Path, buffer: RowBuffer) -> None:
        self._buffer = buffer
        self._file = ReplayFile(directory, buffer.rows(buffer.added, buffer.added).shape[1])
        self._records: Array = np.zeros(buffer.capacity, RECORD)  # in the places of their rows
        self._record_bytes = self._records.view(np.uint8).data
        self._written = 0  # rows
        self._due_at = 0.0  # [s] steady time
        self._sync = _BackgroundSync(self._file)

    def note(self, transition: Transition) -> None:
        """Take note of which transition the newest row is."""
        _RECORD.pack_into(
            self._record_bytes,
            _RECORD.size * ((self._buffer.added - 1) % self._buffer.capacity),
            transition.source,
            transition.sequence,
            transition.stamp,
            transition.episode,
            transition.policy_version,
            transition.step,
            transition.truncated,
            0,
        )

    @property
    def unwritten(self) -> int:
        """Rows that are not written yet."""
        return self._buffer.added - self._written

    def is_due(self, now: float) -> bool:
        """Whether rows wait to be written at time `now` [s]; asking counts as an attempt."""
        if now < self._due_at or self._buffer.added == self._written:
            return False
        self._due_at = now + PERIOD
        return True

    def write(self, *, wait: bool = False) -> None:
        """Append the rows that are not written yet; `wait` until all are on the disk.

        Rows that have disappeared from the disk are written again, as far as the buffer still has them.

        Raises:
            OSError: they cannot be written; they will be with the next call that can.
        """
        failure = self._sync.take_failure()
        added, oldest = self._buffer.added, self._buffer.added - len(self._buffer)
        if failure is not None:  # the system may have dropped what it could not bring to the disk: write it again
            self._written = oldest
        start = max(oldest, min(self._written, self._file.count()))
        if start < added:
            places = np.arange(start, added) % self._buffer.capacity
            self._file.append(start, self._buffer.rows(start, added), self._records[places])
            self._written = added
            if not wait:
                self._sync.request()
        if wait and added:
            self._file.sync()

    def restore(self, added: int) -> list[str]:
        """Give the buffer its rows back as they were when `added` had been added; a sentence for each oddity.

        Raises:
            RunError: the disk does not hold them.
        """
        start = max(0, added - self._buffer.capacity)
        saved = self._file.read(start, added)
        rows, complaints = _without_damage(saved, start)
        self._buffer.restore(rows, added)
        self._records[np.arange(start, added) % self._buffer.capacity] = saved.records
        self._written = added if saved.is_whole.all() else start + int(np.argmin(saved.is_whole))  # heal the others
        return complaints

    def newer(self) -> tuple[list[Transition], str]:
        """The whole transitions on the disk that the buffer does not have; a sentence if something is cut off there.

        The first `write` cuts it off, if they were given to the buffer, each followed by `note`.
        """
        start = self._buffer.added
        saved = self._file.read_from(start)
        end = start + len(saved.rows)
        torn = self._file.torn_bytes(end)
        complaint = f"truncated {torn} bytes after transition {end}: an incomplete write" if torn else ""
        return [self._transition(*pair) for pair in zip(saved.rows, saved.records, strict=True)], complaint

    def close(self) -> None:
        """End the thread."""
        self._sync.close()

    def _transition(self, row: Float32Array, record: Array) -> Transition:
        o, a = self._buffer.observation_size, self._buffer.action_size
        return Transition(
            source=int(record["source"]),
            sequence=int(record["sequence"]),
            episode=int(record["episode"]),
            step=int(record["step"]),
            stamp=int(record["stamp"]),
            policy_version=int(record["policy_version"]),
            observation=row[:o],
            action=row[o : o + a],
            reward=float(row[o + a]),
            next_observation=row[o + a + 1 : -1],
            terminated=bool(row[-1]),
            truncated=bool(record["truncated"]),
        )


def _without_damage(saved: SavedRows, start: int) -> tuple[Float32Array, list[str]]:
    """The rows, where one that is damaged is a copy of its neighbour: a row number must keep its meaning."""
    if saved.is_whole.all():
        return saved.rows, []
    whole = np.flatnonzero(saved.is_whole)
    if not whole.size:
        raise RunError(f"all {len(saved.rows)} transitions of the replay buffer are damaged")
    damaged = np.flatnonzero(~saved.is_whole)
    rows = saved.rows.copy()
    rows[damaged] = saved.rows[whole[np.maximum(np.searchsorted(whole, damaged) - 1, 0)]]
    return rows, [
        f"{len(damaged)} of {len(rows)} transitions of the replay buffer are damaged, the first is number "
        f"{start + damaged[0]}; replaced by copies of their neighbours"
    ]


class _BackgroundSync:
    """A thread that waits until a file is on the disk, when it is asked to."""

    def __init__(self, file: ReplayFile) -> None:
        self._file = file
        self._wanted = threading.Event()
        self._is_closing = False
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="replay-sync", daemon=True)
        self._thread.start()

    def request(self) -> None:
        """Begin, unless it is under way: then once more after it."""
        self._wanted.set()

    def take_failure(self) -> OSError | None:
        """What went wrong since it was asked last."""
        failure, self._failure = self._failure, None
        return failure

    def close(self) -> None:
        """Finish what was requested, and end."""
        self._is_closing = True
        self._wanted.set()
        self._thread.join()

    def _run(self) -> None:
        is_last = False
        while not is_last:
            self._wanted.wait()
            self._wanted.clear()
            is_last = self._is_closing
            try:
                self._file.sync()
            except FileNotFoundError:
                pass  # removed meanwhile, or nothing written yet: the next append sees to it
            except OSError as error:
                self._failure = error
