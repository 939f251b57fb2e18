"""What a training tells: a line that is redrawn on a terminal, lines every few seconds elsewhere, or records.

Records are for the command, which owns the terminal that several nodes write to and draws a table there.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import shutil
from collections.abc import Mapping
from typing import IO, Any, Protocol

from sac_control.types import Phase, TrainingStatus

REDRAW_PERIOD = 0.2  # [s]
RECORD_PERIOD = 0.4  # [s]: drawing a table takes 7 ms of a processor that trainings need
STYLE = "SAC_CONTROL_PROGRESS"  # environment variable by which the command asks its learner for one of these
RECORDS, QUIET = "records", "quiet"
_RECORD = "\x1e"  # what a record begins with, as in RFC 7464: no sentence does


def progress_text(status: TrainingStatus) -> str:
    """One line that says how far a training is, and its phase once the task was solved.

    Of an on-policy training it says how many updates were made, not their rates.
    """
    is_replayed = math.isfinite(status.target_replay_ratio)
    updates = (
        f"{status.updates_per_second:.0f} updates/s  ratio {status.replay_ratio:.2f}"
        if is_replayed
        else f"{status.updates} updates"
    )
    is_solved = status.phase in (Phase.HARDENING, Phase.HARDENED)
    phase = f"{status.phase.name.lower()} ({status.plants_passed}/{status.plants} plants)  " if is_solved else ""
    return (
        f"{phase}step {status.env_steps}/{status.max_steps}  episodes {status.episodes}  "
        f"return {status.last_return:.0f} (mean {status.mean_return:.0f})  "
        f"{updates}  policy v{status.policy_version}  ETA {duration(status.eta)}"
    )


class Progress(Protocol):
    """What tells."""

    def show(self, status: TrainingStatus, now: float) -> None:
        """Show `status` if it is time to, at steady time `now` [s]."""

    def note(self, text: str) -> None:
        """A sentence about how things go, which is expected."""

    def say(self, text: str) -> None:
        """A sentence that people should read."""

    def end(self, status: TrainingStatus, conclusion: str) -> None:
        """How it ended."""


def progress_on(stream: IO[str], period: float, environment: Mapping[str, str]) -> Progress:
    """What tells on `stream`; see `ProgressLine`, `ProgressRecords` and `QuietProgress`."""
    style = environment.get(STYLE)
    if style == RECORDS:
        return ProgressRecords(stream)
    return QuietProgress(stream, period) if style == QUIET else ProgressLine(stream, period)


def status_of_record(line: str) -> dict[str, Any] | None:
    """The fields of the status in a line of `ProgressRecords`, its phase by name; None where it is a sentence.

    Raises:
        ValueError: it is a record that was cut off.
    """
    return dict(json.loads(line[1:])) if line.startswith(_RECORD) else None


class ProgressLine:
    """Shows progress on a stream.

    Args:
        stream: usually standard output.
        period: [s] between two lines where `stream` is not a terminal.
    """

    def __init__(self, stream: IO[str], period: float) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._period = REDRAW_PERIOD if self._is_terminal else period
        self._shown_at = -math.inf
        self._is_open = False

    def show(self, status: TrainingStatus, now: float) -> None:
        """Show `status` if it is time to, at steady time `now` [s]."""
        if now - self._shown_at < self._period:
            return
        self._shown_at = now
        if self._is_terminal:
            width = shutil.get_terminal_size().columns - 1
            self._write(f"\r\x1b[K{progress_text(status)[:width]}")
            self._is_open = True
        else:
            self._write(f"{progress_text(status)}\n")

    def note(self, text: str) -> None:
        """The same as `say`."""
        self.say(text)

    def end(self, status: TrainingStatus, conclusion: str) -> None:
        """The conclusion, on a line of its own."""
        self.say(conclusion)

    def say(self, text: str) -> None:
        """A line of its own, that stays."""
        self.finish()
        self._write(f"{text}\n")

    def finish(self) -> None:
        """End the line that is being redrawn, if any."""
        if self._is_open:
            self._write("\n")
            self._is_open = False

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):  # a full disk, or nobody there any more: no reason to stop training
            self._stream.write(text)
            self._stream.flush()


class QuietProgress(ProgressLine):
    """Tells what people should read, and no more."""

    def show(self, status: TrainingStatus, now: float) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""


class ProgressRecords:
    """Writes the status as lines of JSON, and sentences between them as they are."""

    def __init__(self, stream: IO[str]) -> None:
        self._line = ProgressLine(stream, math.inf)
        self._shown_at = -math.inf

    def show(self, status: TrainingStatus, now: float) -> None:
        """Write `status` if it is time to."""
        if now - self._shown_at >= RECORD_PERIOD:
            self._shown_at = now
            self._write(status)

    def note(self, text: str) -> None:
        """A sentence."""
        self._line.say(text)

    def say(self, text: str) -> None:
        """A sentence."""
        self._line.say(text)

    def end(self, status: TrainingStatus, conclusion: str) -> None:
        """The last figures, and the conclusion."""
        self._write(status)
        self._line.say(conclusion)

    def _write(self, status: TrainingStatus) -> None:
        fields = {**dataclasses.asdict(status), "phase": status.phase.name}
        self._line.say(_RECORD + json.dumps(fields))


def duration(seconds: float) -> str:
    """Minutes and seconds, or hours, for people; ``--`` where it is not known."""
    if not math.isfinite(seconds):
        return "--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
