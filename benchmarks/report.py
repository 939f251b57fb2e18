"""The results as a table in Markdown, with the machine they were measured on."""

from __future__ import annotations

import os
import platform
import statistics
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    models = [
        line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    return {
        "processor": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load_at_start": os.getloadavg()[0],
    }


def table(results: dict[str, Any]) -> str:
    """The whole page."""
    runs = results["training"]
    solved = [run for run in runs if run["solved"]]
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`; the raw figures are in `benchmarks/results.json`.",
        "",
        "Machine: " + ", ".join(f"{key} {value}" for key, value in results["machine"].items()) + ".",
        "",
        "## Training through three ROS 2 processes",
        "",
        f"{len(solved)} of {len(runs)} seeds solved. Solved means: every one of 10 deterministic episodes from unseen,",
        "stratified start states has full length, and then every one of 20 more, the extreme starts among them.",
        "",
        "| seed | solved | transitions of the policy | transitions in all | updates | learner [s] | command [s] |",
        "|---|---|---|---|---|---|---|",
    ]
    for run in runs:
        lines.append(
            f"| {run['seed']} | {'yes' if run['solved'] else 'no'} | {run.get('solved_at_step', '')} | "
            f"{run.get('env_steps', '')} | {run.get('updates', '')} | {_seconds(run.get('wall_seconds'))} | "
            f"{_seconds(run['command_seconds'])} |"
        )
    if solved:
        for name, choose in (("median", statistics.median), ("worst", max)):
            values = [choose([run[key] for run in solved]) for key in ("solved_at_step", "env_steps", "updates")]
            times = [choose([run[key] for run in solved]) for key in ("wall_seconds", "command_seconds")]
            cells = [f"{value:.0f}" for value in values] + [_seconds(value) for value in times]
            lines.append(f"| **{name}** | {len(solved)} | " + " | ".join(cells) + " |")
    lines += ["", "## Speed and latency", "", "| what | figure |", "|---|---|"]
    for size, figures in results["learner"].items():
        lines.append(f"| learner alone, {size} | {figures['updates_per_second']:.0f} updates per second |")
    if "evaluation" in results:
        evaluation = results["evaluation"]
        lines.append(
            f"| lockstep through simulator, policy and evaluator | {evaluation['steps_per_second']:.0f} steps per "
            f"second; {evaluation['episodes']} episodes, mean return {evaluation['mean_return']:g}, "
            f"lowest {evaluation['min_return']:g} |"
        )
    for name, words in (("answer", "controller: state to effort"), ("swap", "checking and swapping weights")):
        figures = results["latency"][name]
        lines.append(
            f"| {words}, {figures['count']} times | p50 {_micro(figures['p50'])}, p99 {_micro(figures['p99'])}, "
            f"max {_micro(figures['max'])} |"
        )
    if solved:
        gaps = [run["swap_gap_max"] for run in solved if run["swap_gap_max"] is not None]
        medians = [run["swap_gap_median"] for run in solved if run["swap_gap_median"] is not None]
        lines.append(
            f"| swap gap that the policy node told while training | median {_micro(statistics.median(medians))}, "
            f"largest {_micro(max(gaps))} |"
        )
    return "\n".join(lines) + "\n"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _micro(value: float) -> str:
    return f"{1e6 * value:.0f} µs"
