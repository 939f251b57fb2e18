"""The picture of a run: returns, losses, temperature, replay ratio over transitions. Reads only files of the run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sac_control.store.run_directory import RunDirectory
from sac_control.store.table import read_columns

AVERAGE_OVER = 100  # episodes


def draw(run: RunDirectory, picture: Path | None = None) -> None:
    """Draw the tables of the run, into its ``curve.png`` unless another picture is named.

    Raises:
        RunError: a file is missing or damaged.
    """
    metrics = read_columns(run.metrics)
    figure = Figure(figsize=(10, 7), layout="constrained")
    figure.suptitle(run.name)
    returns, losses, temperature, ratio = figure.subplots(2, 2, sharex=True).flat
    _draw_returns(returns, read_columns(run.episodes), read_columns(run.evaluations))
    steps = metrics.get("env_steps", [])
    losses.plot(steps, metrics.get("critic_loss", []), label="critic", linewidth=1)
    losses.set(title="losses", ylabel="critic", yscale="log")
    actor = losses.twinx()
    actor.plot(steps, metrics.get("actor_loss", []), "C1", label="actor", linewidth=1)
    actor.set(ylabel="actor")
    losses.legend(handles=[*losses.lines, *actor.lines])
    temperature.plot(steps, metrics.get("alpha", []), label="temperature α", linewidth=1)
    temperature.plot(steps, metrics.get("entropy", []), label="entropy [nat]", linewidth=1)
    temperature.set(title="temperature and entropy", xlabel="transitions")
    temperature.legend()
    ratio.plot(steps, metrics.get("replay_ratio", []), label="reached", linewidth=1)
    ratio.plot(steps, metrics.get("target_replay_ratio", []), label="set", linewidth=1, linestyle="--")
    ratio.set(title="updates per transition", xlabel="transitions")
    ratio.set_ylim(bottom=0)
    ratio.legend()
    for axes in (returns, losses, temperature, ratio):
        axes.grid(alpha=0.3)
    picture = picture or run.curve
    temporary = picture.with_name(f".{picture.name}.tmp.png")
    figure.savefig(temporary, dpi=110)
    temporary.replace(picture)


def _draw_returns(axes: Axes, episodes: dict[str, list[float]], evaluations: dict[str, list[float]]) -> None:
    steps, returns = episodes.get("env_steps", []), np.asarray(episodes.get("return", []))
    axes.plot(steps, returns, ".", markersize=4, alpha=0.6, label="episode")
    averages = [returns[max(0, k - AVERAGE_OVER) : k].mean() for k in range(1, len(returns) + 1)]
    axes.plot(steps, averages, label=f"mean of {AVERAGE_OVER}")
    evaluated_at = evaluations.get("env_steps", [])
    axes.plot(evaluated_at, evaluations.get("mean_return", []), "o-", markersize=4, label="deterministic evaluation")
    axes.set(title="return", ylabel="sum of rewards")
    axes.legend()
