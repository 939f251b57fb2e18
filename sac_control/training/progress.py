"""The progress line: redrawn in place on a terminal, one line every few seconds elsewhere."""

from __future__ import annotations

import contextlib
import math
import shutil
from typing import IO

from sac_control.types import Phase, TrainingStatus

REDRAW_PERIOD = 0.2  # [s]


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
        f"{updates}  policy v{status.policy_version}  ETA {_duration(status.eta)}"
    )


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


def _duration(seconds: float) -> str:
    if not math.isfinite(seconds):
        return "--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
