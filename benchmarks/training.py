"""Whole trainings and evaluations by the command, as a user starts them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-m", "sac_control"]
TIMEOUT = 600.0  # [s]


def train(directory: Path, seed: int) -> dict[str, Any]:
    """Train once; the figures of its summary, and the wall time from process start to process end [s]."""
    name = f"seed{seed}"
    started = time.monotonic()
    done = subprocess.run(
        [*COMMAND, "train", "--run", name, "--seed", str(seed)],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    wall = time.monotonic() - started
    figures: dict[str, Any] = {"run": name, "seed": seed, "exit_code": done.returncode, "command_seconds": wall}
    if done.returncode == 0:
        summary = json.loads((directory / "runs" / name / "summary.json").read_text())
        keys = ("solved", "env_steps", "solved_at_step", "updates", "wall_seconds", "swap_gap_median", "swap_gap_max")
        figures |= {key: summary[key] for key in keys}
    else:
        figures |= {"solved": False, "error": done.stderr[-2000:]}
    print(f"  {figures}", flush=True)
    return figures


def evaluate(directory: Path, run: str, episodes: int) -> dict[str, Any]:
    """Evaluate a run through simulator and policy nodes; returns and lockstep rate."""
    done = subprocess.run(
        [*COMMAND, "evaluate", run, "--episodes", str(episodes), "--json"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=True,
        timeout=TIMEOUT,
    )
    result = json.loads(done.stdout)
    return {key: result[key] for key in ("episodes", "mean_return", "min_return", "steps_per_second")}
