"""What runs that shall solve a task come to: values in which a run that failed is infinite, lines and goals of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import words
from benchmarks.intervals import median, median_interval
from benchmarks.table import Goal, Line

Run = Mapping[str, Any]


def values(runs: Sequence[Run], key: str) -> list[float]:
    """`key` of each run; infinite where it was not solved."""
    return [float(run[key]) if run["solved"] else math.inf for run in runs]


def count_solved(runs: Sequence[Run]) -> str:
    """How many runs were solved: `9 of 10 solved`."""
    return f"{sum(run['solved'] for run in runs)} of {len(runs)} solved"


def goal_all_within(reached: Sequence[float], limit: float, unit: str = "") -> Goal:
    """Every run within `limit`."""
    within = sum(value <= limit for value in reached)
    return Goal(
        text=f"all within {words.number(limit, unit=unit)}",
        met=within == len(reached),
        reached=f"{within} of {len(reached)}",
    )


def goal_median(reached: Sequence[float], limit: float, digits: int = 0, unit: str = "") -> Goal:
    """The median at most `limit`."""
    value = median(reached)
    return Goal(
        text=f"median at most {words.number(limit, unit=unit)}",
        met=value <= limit,
        reached=words.number(value, digits, unit),
    )


def line(
    key: str,
    what: str,
    runs: Sequence[Run],
    reached: Sequence[float],
    goals: tuple[Goal, ...],
    *,
    digits: int = 0,
    unit: str = "",
    peers: str = "–",
) -> Line:
    """A line of medians over runs."""
    return Line(
        key=key,
        what=what,
        peers=peers,
        median=words.number(median(reached), digits, unit),
        interval=words.interval(median_interval(reached), digits, unit),
        worst=words.number(max(reached), digits, unit),
        runs=count_solved(runs),
        goals=goals,
    )


def listing(runs: Sequence[Run]) -> list[str]:
    """A Markdown table of the runs, one by one."""
    lines = ["| seed | solved | transitions | transitions in all | updates | to solved [s] | command [s] | fault |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    for run in runs:
        cells = [run["seed"], "yes" if run["solved"] else "no"]
        cells += [_cell(run.get(key)) for key in ("transitions", "env_steps", "updates", "seconds", "command_seconds")]
        cells.append(run.get("error", ""))
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return lines


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.1f}" if isinstance(value, float) else f"{value:,}"
