"""What a run has written so far, read as it grows. Writes nothing, and takes no lock."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from sac_control.store.columns import RATES, RETURNS
from sac_control.store.run_directory import RunDirectory
from sac_control.store.tail import TableTail
from sac_control.types import FloatArray

MOST_POINTS = 1500  # of a curve: a screen has no more columns
_AVERAGE_OVER = 100  # episodes


class RunFiles:
    """The tables and findings of one run."""

    def __init__(self, path: Path) -> None:
        self.run = RunDirectory(path)
        self.metrics = TableTail(self.run.metrics)
        self.episodes = TableTail(self.run.episodes)
        self.evaluations = TableTail(self.run.evaluations)
        self.summary: dict[str, Any] = {}
        self.exam: dict[str, Any] = {}
        self._stamps: dict[Path, int] = {}

    def read(self) -> bool:
        """Take up what is new; whether anything is."""
        tables = [table.read() for table in (self.metrics, self.episodes, self.evaluations)]
        is_new = [self._reread(self.run.summary, "summary"), self._reread(self.run.exam, "exam")]
        return any((*tables, *is_new))

    @property
    def damaged(self) -> int:
        """Lines of its tables that were left out."""
        return self.metrics.damaged + self.episodes.damaged + self.evaluations.damaged

    def newest(self, name: str) -> float | None:
        """The last number of a metric; None before there is one."""
        column = self.metrics.columns.get(name) or []
        return next((value for value in reversed(column[-50:]) if not np.isnan(value)), None)

    def returns(self) -> tuple[FloatArray, ...]:
        """Over transitions: episodes, their running mean, evaluations, share of the exam's plants passed [%]."""
        episodes, evaluations = self.episodes.columns, self.evaluations.columns
        steps, values = _array(episodes, "env_steps"), _array(episodes, "return")
        sums = np.concatenate([[0.0], np.cumsum(np.nan_to_num(values))])
        ends = np.arange(1, len(values) + 1)
        starts = np.maximum(0, ends - _AVERAGE_OVER)
        means = (sums[ends] - sums[starts]) / np.maximum(1, ends - starts)
        at, found = _array(evaluations, "env_steps"), _array(evaluations, "mean_return")
        tried = _array(evaluations, "plants_tried", len(at))
        passed = np.where(
            tried > 0, 100.0 * _array(evaluations, "plants_passed", len(at)) / np.maximum(tried, 1), np.nan
        )
        episodes_shown, evaluations_shown = _thin(len(steps)), _thin(len(at))
        x = np.concatenate([steps[episodes_shown], at[evaluations_shown]])
        order = np.argsort(x, kind="stable")
        lost_e, lost_v = np.full(len(episodes_shown), np.nan), np.full(len(evaluations_shown), np.nan)
        rows = (
            np.concatenate([values[episodes_shown], lost_v]),
            np.concatenate([means[episodes_shown], lost_v]),
            np.concatenate([lost_e, found[evaluations_shown]]),
            np.concatenate([lost_e, passed[evaluations_shown]]),
        )
        return (x[order], *(row[order] for row in rows))

    def told(self) -> dict[str, FloatArray]:
        """Transitions, and what the algorithm tells of its updates over them, by name."""
        columns = self.metrics.columns
        shown = _thin(len(columns.get("env_steps", [])))
        left_out = {*RETURNS, *RATES}
        return {name: np.asarray(values)[shown] for name, values in columns.items() if name not in left_out}

    def _reread(self, path: Path, name: str) -> bool:
        try:
            stamp = path.stat().st_mtime_ns
            if self._stamps.get(path) == stamp:
                return False
            content = json.loads(path.read_text())
        except (OSError, ValueError):
            return False
        self._stamps[path] = stamp
        setattr(self, name, content if isinstance(content, dict) else {})
        return True


def _array(columns: dict[str, list[float]], name: str, size: int = 0) -> FloatArray:
    values: FloatArray = np.asarray(columns[name], float) if name in columns else np.full(size, 0.0)
    return values


def _thin(count: int) -> np.ndarray:
    """Which of `count` points are drawn: the last one always."""
    return np.unique(np.linspace(0, count - 1, min(count, MOST_POINTS)).astype(int)) if count else np.zeros(0, int)
