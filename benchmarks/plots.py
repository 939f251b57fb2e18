"""The plots of docs/benchmarks.md, from results.json alone: learning curves and latencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks import words
from sac_control.types import FloatArray

POINTS = 400  # of each curve
FULL_RETURN = 1000.0
WALKED = 300.0  # return from which on the walker has solved its task
COLOURS = {"sac_control": "C0", "sac_control, no mirror images": "C2", "SB3": "C1", "SBX": "C3"}


def draw(rows: Mapping[str, Any], directory: Path) -> list[Path]:
    """Write what can be drawn from `rows` into `directory`; the files written."""
    contenders = _contenders(rows)
    written = []
    if contenders:
        figure = _returns(contenders, "step", "transitions")
        written.append(_save(figure, directory / "return_over_transitions.png"))
        figure = _returns(contenders, "seconds", "wall time since process start [s]")
        written.append(_save(figure, directory / "return_over_time.png"))
    walkers = _walkers(rows)
    if walkers:
        written.append(_save(_walks(walkers), directory / "bipedal_walker.png"))
    latency = rows.get("latency", {}).get("result")
    if latency:
        written.append(_save(_latency(latency["round_trip"]), directory / "latency.png"))
    return written


def _walkers(rows: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """The runs of the walker with evaluations, by algorithm."""
    places = {"SAC": "bipedal_walker", "TRPO": "bipedal_walker_trpo"}
    found = {name: rows.get(row, {}).get("result", {}).get("runs", []) for name, row in places.items()}
    return {name: [run for run in runs if run["evaluations"]] for name, runs in found.items() if runs}


def _walks(walkers: Mapping[str, Sequence[Mapping[str, Any]]]) -> Figure:
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for number, (name, runs) in enumerate(walkers.items()):
        for run in runs:
            steps, means = zip(*((e["step"], e["mean_return"]) for e in run["evaluations"]), strict=True)
            axes.plot(steps, means, f"C{number}", label=f"{name}, seed {run['seed']}", alpha=1.0 - 0.25 * run["seed"])
    axes.axhline(WALKED, color="0.5", linewidth=0.8, linestyle=":")
    axes.set(
        xlabel="transitions", ylabel="mean return of 10 deterministic episodes", title="BipedalWalker-v3, seed by seed"
    )
    axes.legend()
    axes.grid(alpha=0.3)
    return figure


def _contenders(rows: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """All runs, those without an evaluation included, by the name in the legend."""
    solve, no_mirror = (rows.get(name, {}).get("result", {}) for name in ("solve", "no_mirror"))
    found = {
        "sac_control": solve.get("ours", []),
        "sac_control, no mirror images": no_mirror.get("runs", []),
        "SB3": solve.get("peers", {}).get("sb3", []),
        "SBX": solve.get("peers", {}).get("sbx", []),
    }
    return {name: runs for name, runs in found.items() if any(run.get("evaluations") for run in runs)}


def curve(run: Mapping[str, Any], key: str, grid: FloatArray) -> FloatArray:
    """Mean return of the newest evaluation at each point of `grid`; NaN before the first."""
    points = sorted((e[key], e["mean_return"]) for e in run.get("evaluations", []) if e[key] is not None)
    values = np.full(len(grid), np.nan)
    for at, value in points:
        values[grid >= at] = value
    return values


def _returns(contenders: Mapping[str, Sequence[Mapping[str, Any]]], key: str, label: str) -> Figure:
    ends = [e[key] for runs in contenders.values() for run in runs for e in run.get("evaluations", []) if e[key]]
    grid = np.geomspace(min(ends), 1.1 * max(ends), POINTS)
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for name, runs in contenders.items():
        curves = np.stack([curve(run, key, grid) for run in runs])
        if not all(run["solved"] for run in runs):  # where it ended without a solution, nothing more is known
            lasts = [run["evaluations"][-1] for run in runs if run.get("evaluations") and not run["solved"]]
            axes.plot([e[key] for e in lasts], [e["mean_return"] for e in lasts], "x", color=COLOURS[name])
            curves[:, grid > max(e[key] for run in runs for e in run.get("evaluations", []) if e[key])] = np.nan
        shown = np.isfinite(curves).any(axis=0)
        middle, low, high = (np.full(len(grid), np.nan) for _ in range(3))
        middle[shown] = np.nanmedian(curves[:, shown], axis=0)
        low[shown], high[shown] = np.nanmin(curves[:, shown], axis=0), np.nanmax(curves[:, shown], axis=0)
        solved = sum(run["solved"] for run in runs)
        axes.fill_between(grid, low, high, color=COLOURS[name], alpha=0.15, linewidth=0)
        axes.plot(grid, middle, color=COLOURS[name], label=f"{name} ({solved} of {len(runs)} solved)")
    axes.axhline(FULL_RETURN, color="0.5", linewidth=0.8, linestyle=":")
    axes.set(
        xscale="log",
        xlabel=label,
        ylabel="mean return of 10 deterministic episodes",
        title="Inverted pendulum: median and range over seeds; a run that has ended keeps its last value; × unsolved",
        ylim=(0.0, 1.05 * FULL_RETURN),
    )
    axes.title.set_fontsize("medium")
    axes.xaxis.set_major_formatter(_plain)
    axes.xaxis.set_minor_formatter(_sparse)
    axes.grid(alpha=0.3, which="both")
    axes.tick_params(axis="x", which="minor", pad=5.0)  # numbers of both on one line
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _latency(round_trip: Mapping[str, Any]) -> Figure:
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for name, label, colour in (("bare", "bare ping-pong", "C7"), ("ours", "sac_control policy node", "C0")):
        figures = round_trip[name]
        edges, counts = np.array(figures["histogram"]["edges"]), np.array(figures["histogram"]["counts"])
        shares = 100.0 * counts / max(1, counts.sum())
        axes.stairs(shares, edges, fill=True, alpha=0.35, color=colour)
        axes.stairs(
            shares,
            edges,
            color=colour,
            label=f"{label}: p50 {words.micro(figures['p50'])}, p99 {words.micro(figures['p99'])}",
        )
        for quantile, style in (("p50", "--"), ("p99", ":")):
            if figures[quantile] is not None:
                axes.axvline(figures[quantile], color=colour, linestyle=style, linewidth=1.0)
    both = np.array([round_trip[name]["histogram"]["counts"] for name in ("bare", "ours")])
    filled = np.flatnonzero(both.sum(axis=0))
    if len(filled):
        axes.set_xlim(edges[filled[0]] / 1.1, edges[filled[-1] + 1] * 1.1)
    axes.set(
        xscale="log",
        xlabel="state published to command received [µs]",
        ylabel="share of the ticks [%]",
        title="Round trips through the middleware; dashed p50, dotted p99",
    )
    axes.title.set_fontsize("medium")
    axes.xaxis.set_major_formatter(_plain)
    axes.xaxis.set_minor_formatter(_sparse)
    axes.grid(alpha=0.3, which="both")
    axes.tick_params(axis="x", which="minor", pad=5.0)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _plain(value: float, _place: float | None) -> str:
    """A number on a logarithmic axis, written out."""
    return f"{value:,.0f}" if value >= 1.0 else f"{value:g}"


def _sparse(value: float, place: float | None) -> str:
    """Between two powers of ten, the 2 and the 5 have room for a number."""
    return _plain(value, place) if f"{value:e}"[0] in "25" else ""


def _save(figure: Figure, path: Path) -> Path:
    temporary = path.with_name(f".{path.name}.tmp.png")
    figure.savefig(temporary, dpi=110)
    temporary.replace(path)
    return path
