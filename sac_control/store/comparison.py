"""Runs beside each other: the median of each group of runs and the band of its middle half, over transitions and time.

Reads the runs alone. What makes a group is said by whoever asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sac_control.errors import RunError
from sac_control.store.run_directory import RunDirectory
from sac_control.store.table import read_columns
from sac_control.types import FloatArray

_POINTS = 400  # of a curve
_QUARTILES = (0.25, 0.5, 0.75)


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Mean returns of the evaluations of one run."""

    steps: FloatArray  # (n,) transitions after which each policy was evaluated
    seconds: FloatArray  # (n,) [s] of training until then
    returns: FloatArray  # (n,)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Runs that differ in their seeds alone."""

    label: str
    curves: tuple[Curve, ...]


def read_curve(run: RunDirectory) -> Curve:
    """The curve of a run.

    Raises:
        RunError: a table is missing or damaged, or no policy was evaluated.
    """
    evaluations, metrics = read_columns(run.evaluations), read_columns(run.metrics)
    steps = np.asarray(evaluations.get("env_steps", []))
    returns = np.asarray(evaluations.get("mean_return", []))
    measured = np.asarray([metrics.get("env_steps", []), metrics.get("wall_time", [])])
    if not len(steps) or len(returns) != len(steps):
        raise RunError(
            f"run {run.path} has no evaluation that could be drawn: train it on, with learner.evaluation_every above 0"
        )
    if measured.ndim != 2 or not measured.shape[1]:
        raise RunError(f"{run.metrics} holds no wall_time: the run ended before its first row, or is damaged")
    known = measured[:, np.isfinite(measured).all(axis=0)]
    order = np.argsort(steps, kind="stable")
    return Curve(steps=steps[order], seconds=np.interp(steps[order], known[0], known[1]), returns=returns[order])


def band(curves: Sequence[Curve], axis: str) -> tuple[FloatArray, FloatArray]:
    """Quartiles of the returns of several runs over `axis`, "steps" or "seconds".

    A run keeps what it reached at its newest evaluation until the next one, and after its end: a training ends early
    because it has succeeded. The curve begins where every run has been evaluated.

    Returns:
        (p,) points on the axis; (3, p) lower quartile, median and upper quartile.
    """
    places = [getattr(curve, axis) for curve in curves]
    begin, end = max(each[0] for each in places), max(each[-1] for each in places)
    at = np.linspace(begin, max(end, begin), _POINTS)
    held = [
        curve.returns[np.searchsorted(place, at, side="right") - 1] for curve, place in zip(curves, places, strict=True)
    ]
    return at, np.quantile(held, _QUARTILES, axis=0)


def draw_comparison(groups: Sequence[Group], picture: Path) -> None:
    """Draw the groups into the file `picture`.

    Raises:
        OSError: it cannot be written.
    """
    figure = Figure(figsize=(11, 5), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, axis, label in ((left, "steps", "transitions"), (right, "seconds", "time [s]")):
        for number, group in enumerate(groups):
            _draw_group(axes, group, axis, f"C{number}")
        axes.set(xlabel=label)
        axes.set_xlim(left=0)
        axes.grid(alpha=0.3)
    left.set(ylabel="mean return of a deterministic evaluation")
    title = "median and middle half of the runs" if any(len(each.curves) > 1 for each in groups) else "one run each"
    figure.suptitle(f"{title}; a run that has ended (dot) keeps what it reached", fontsize=10)
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(3, len(groups)), fontsize=9)
    temporary = picture.with_name(f".{picture.name}.tmp{picture.suffix}")
    try:
        figure.savefig(temporary, dpi=110)
        temporary.replace(picture)
    finally:
        temporary.unlink(missing_ok=True)


def _draw_group(axes: Axes, group: Group, axis: str, color: str) -> None:
    count = len(group.curves)
    label = group.label if count == 1 else f"{group.label} ({count} runs)"
    if count == 1:
        (curve,) = group.curves
        axes.plot(getattr(curve, axis), curve.returns, "o-", color=color, label=label, linewidth=1.5, markersize=4)
        return
    at, (low, middle, high) = band(group.curves, axis)
    axes.plot(at, middle, color=color, label=label, linewidth=2, drawstyle="steps-post")
    axes.fill_between(at, low, high, step="post", color=color, alpha=0.2, linewidth=0)
    for curve in group.curves:  # where each one ended
        axes.plot(getattr(curve, axis)[-1], curve.returns[-1], ".", color=color, markersize=7)
