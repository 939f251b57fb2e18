"""The picture of a run: returns, what its algorithm tells, replay ratio over transitions. Reads the run alone."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sac_control.store.columns import RATES, RETURNS
from sac_control.store.run_directory import RunDirectory
from sac_control.store.table import read_columns

AVERAGE_OVER = 100  # episodes
LABELS = {"alpha": "temperature α", "entropy": "entropy [nat]"}


def draw(run: RunDirectory, picture: Path | None = None) -> None:
    """Draw the tables of the run, into its ``curve.png`` unless another picture is named.

    Raises:
        RunError: a file is missing or damaged.
    """
    metrics = read_columns(run.metrics)
    figure = Figure(figsize=(10, 7))
    # By hand: to find them out takes as long as to draw.
    figure.subplots_adjust(left=0.08, right=0.93, bottom=0.07, top=0.9, wspace=0.36, hspace=0.16)
    figure.suptitle(run.name)
    returns, losses, others, ratio = figure.subplots(2, 2, sharex=True).flat
    _draw_returns(returns, read_columns(run.episodes), read_columns(run.evaluations))
    steps = metrics.get("env_steps", [])
    _draw_algorithm(losses, others, metrics)
    ratio.plot(steps, metrics.get("replay_ratio", []), label="reached", linewidth=1)
    ratio.plot(steps, metrics.get("target_replay_ratio", []), label="set", linewidth=1, linestyle="--")
    ratio.set(title="updates per transition", xlabel="transitions")
    ratio.set_ylim(bottom=0)
    ratio.legend()
    for axes in (returns, losses, others, ratio):
        axes.grid(alpha=0.3)
    picture = picture or run.curve
    temporary = picture.with_name(f".{picture.name}.tmp{picture.suffix or '.png'}")
    figure.savefig(temporary, dpi=110)
    temporary.replace(picture)


def _draw_algorithm(losses: Axes, others: Axes, metrics: dict[str, list[float]]) -> None:
    """Whatever the algorithm tells of its updates: losses that are positive to the left, the others to the right."""
    steps = metrics.get("env_steps", [])
    told = {name: values for name, values in metrics.items() if name not in (*RETURNS, *RATES, "env_steps", "q")}
    right = losses.twinx()
    for number, (name, values) in enumerate(told.items()):
        is_loss = name.endswith("_loss")
        is_positive = all(value > 0.0 for value in values if not math.isnan(value))
        axes = (losses if is_positive else right) if is_loss else others
        label = LABELS.get(name, name.removesuffix("_loss").replace("_", " "))
        axes.plot(steps, values, f"C{number}", label=label, linewidth=1)
    losses.set(title="losses", ylabel=" ".join(str(line.get_label()) for line in losses.lines), yscale="log")
    right.set(ylabel=" ".join(str(line.get_label()) for line in right.lines))
    losses.legend(handles=[*losses.lines, *right.lines])
    others.set(title="what the algorithm tells", xlabel="transitions")
    others.legend()


def _draw_returns(axes: Axes, episodes: dict[str, list[float]], evaluations: dict[str, list[float]]) -> None:
    steps, returns = episodes.get("env_steps", []), np.asarray(episodes.get("return", []))
    axes.plot(steps, returns, ".", markersize=4, alpha=0.6, label="episode")
    averages = [returns[max(0, k - AVERAGE_OVER) : k].mean() for k in range(1, len(returns) + 1)]
    axes.plot(steps, averages, label=f"mean of {AVERAGE_OVER}")
    evaluated_at = evaluations.get("env_steps", [])
    axes.plot(evaluated_at, evaluations.get("mean_return", []), "o-", markersize=4, label="deterministic evaluation")
    axes.set(title="return", ylabel="sum of rewards")
    axes.legend()
