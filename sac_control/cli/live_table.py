"""The table of a training on a terminal: figures, and a sparkline of returns, from what the learner's records say.

The command draws, not the learner: several processes write to one terminal, through the command, and the learner has
better things to do.
"""

from __future__ import annotations

import math
import sys
from collections import deque
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from sac_control.training.progress import duration, status_of_record

_BARS = "▁▂▃▄▅▆▇█"
_SPARKS = 48  # episodes in the sparkline
_NARROW = 72  # columns below which figures are under each other
_AFTER_SOLVING = ("HARDENING", "HARDENED")
_ENDED = ("SOLVED", "HARDENED", "FINISHED")


def sparkline(values: Sequence[float], low: float | None = None, high: float | None = None) -> str:
    """A bar for each value, from `low` to `high`, by default the least and the largest; a blank for what is NaN."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return ""
    low = min(finite) if low is None else low
    high = max(finite) if high is None else high
    share = (len(_BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(
        _BARS[min(max(round((value - low) * share), 0), len(_BARS) - 1)] if math.isfinite(value) else " "
        for value in values
    )


class LiveTable:
    """Hears what a learner writes, line by line: redraws the table at a record, and prints any other line above it.

    Args:
        console: a terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._returns = deque[float](maxlen=_SPARKS)  # of the newest episodes that a record told of
        self._episodes = 0
        self._best = -math.inf  # mean return of an evaluation
        self._live = Live(
            console=console,
            auto_refresh=False,
            redirect_stderr=sys.stderr.isatty(),  # what others print comes above the table
            vertical_overflow="crop",
        )

    def hear(self, line: str) -> None:
        """One line of the learner's output."""
        try:
            status = status_of_record(line)
        except ValueError:
            return  # of a learner that was killed while it wrote
        if status is None:
            self._console.print(line, markup=False, emoji=False, highlight=False, soft_wrap=True)
            return
        self._take(status)
        if not self._live.is_started:
            self._live.start()
        self._live.update(self.draw(status), refresh=True)
        if status["phase"] in _ENDED:
            self._live.stop()  # the conclusion comes below

    def close(self) -> None:
        """Leave the table as it is, and the terminal to others."""
        self._live.stop()

    def draw(self, status: dict[str, Any]) -> RenderableType:
        """The table."""
        lines: list[RenderableType] = [self._heading(status)]
        if self._returns:
            least, most = min(self._returns), max(self._returns)
            lines.append(
                Text.assemble("returns ", (sparkline(self._returns), "green"), f" {least:.0f} to {most:.0f}", end="")
            )
        lines.append(self._figures(status))
        return Group(*lines)

    def _take(self, status: dict[str, Any]) -> None:
        if status["episodes"] != self._episodes and math.isfinite(status["last_return"]):
            self._episodes = status["episodes"]
            self._returns.append(status["last_return"])
        if math.isfinite(status["evaluation_return"]):
            self._best = max(self._best, status["evaluation_return"])

    def _heading(self, status: dict[str, Any]) -> RenderableType:
        grid = Table.grid(padding=(0, 1), expand=False)
        grid.add_column(no_wrap=True)
        grid.add_column(width=20)
        grid.add_column(no_wrap=True)
        is_hardening = status["phase"] in _AFTER_SOLVING
        done, of = ("plants_passed", "plants") if is_hardening else ("env_steps", "max_steps")
        words = f"{status[done]}/{status[of]} {'plants' if is_hardening else 'transitions'}"
        bar = ProgressBar(total=max(1, status[of]), completed=status[done], width=20)
        name = Text.assemble((status["run"], "bold"), " ", (status["phase"].lower(), "cyan"))
        grid.add_row(name, bar, words)
        return grid

    def _figures(self, status: dict[str, Any]) -> RenderableType:
        cells = [
            ("time", duration(status["wall_time"])),
            ("ETA", duration(status["eta"])),
            ("transitions", f"{status['env_steps']}"),
            ("per second", f"{status['steps_per_second']:.0f}"),
            ("episodes", f"{status['episodes']}"),
            ("last return", _number(status["last_return"], ".0f")),
            ("mean of 100", _number(status["mean_return"], ".0f")),
            ("evaluated", _number(status["evaluation_return"], ".1f")),
            ("best", _number(self._best, ".1f")),
            ("updates", f"{status['updates']}"),
            ("per second", f"{status['updates_per_second']:.0f}"),
            ("policy", f"v{status['policy_version']}"),
        ]
        if math.isfinite(status["target_replay_ratio"]):
            cells.append(("replay ratio", _number(status["replay_ratio"], ".2f")))
        cells += [
            (name.replace("_", " "), _number(value, ".3g"))
            for name, value in zip(status["metric_names"], status["metrics"], strict=True)
        ]
        pairs = 2 if self._console.width < _NARROW else 4
        table = Table(box=box.SIMPLE, show_header=False, pad_edge=False, padding=(0, 1))
        for _ in range(pairs):
            table.add_column(style="dim", no_wrap=True)
            table.add_column(justify="right", no_wrap=True)
        rows = math.ceil(len(cells) / pairs)  # what belongs together is under each other
        for row in range(rows):
            table.add_row(*(text for cell in cells[row::rows] for text in cell))
        return table


def _number(value: float, form: str) -> str:
    return format(value, form) if math.isfinite(value) else "--"
