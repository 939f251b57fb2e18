"""Whole trainings by the command, as a user starts them: three ROS 2 processes and their traffic."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT
from benchmarks.options import NotAvailableError
from benchmarks.processes import Finished, clean_environment, run
from sac_control.errors import RunError
from sac_control.store.run_directory import RunDirectory
from sac_control.store.table import read_columns

_WRONG_ARGUMENT = 2  # exit code
_EVALUATED = re.compile(r"evaluated policy v\d+ of step (\d+):")
_SUMMARY = (
    "hardened",
    "hardened_at_step",
    "env_steps",
    "updates",
    "wall_seconds",
    "policy_lag_mean",
    "rollbacks",
    "restorations",
    "swap_gap_median",
    "swap_gap_max",
)


def train(
    directory: Path,
    seed: int,
    *,
    name: str,
    timeout: float,
    settings: Sequence[str] = (),
    config: str = "",
    task: str = "",
    max_steps: int | None = None,
    is_recorded: bool = False,
) -> dict[str, Any]:
    """Train once; what became of it, as plain values.

    Args:
        directory: where `runs/` is made.
        seed: of all nodes.
        name: of the run.
        timeout: [s] after which it is ended, and counts as not solved.
        settings: assignments such as ``learner.gamma=0.98``.
        config: name of a file in the repository's config/, if any.
        task: as `--task` has it; none: the default or that of the configuration.
        max_steps: transitions after which it ends; None takes the default.
        is_recorded: whether it writes a bag.

    Returns:
        seed, solved, transitions (that the policy which solved it had seen), seconds (from process start to the line
        that tells the perfect evaluation), likewise hardened, hardened_at_step and hardened_seconds, command_seconds
        (to process end), evaluations (step, seconds, mean_return, min_return, solved_episodes, episodes), what
        summary.json says, and error where something went wrong. None stands for what is unknown.

    Raises:
        NotAvailableError: this package does not know the configuration file or a setting.
    """
    command = [sys.executable, "-m", "sac_control", "train", "--run", name, "--seed", str(seed), "--no-video"]
    if config:
        if not (ROOT / "config" / config).exists():
            raise NotAvailableError(f"there is no config/{config}")
        command += ["--config", str(ROOT / "config" / config)]
    if task:
        command += ["--task", task]
    if max_steps is not None:
        command += ["--max-steps", str(max_steps)]
    if is_recorded:
        command += ["--bag"]
    for setting in settings:
        command += ["--set", setting]
    done = run(command, timeout=timeout, directory=directory, environment=clean_environment())
    if done.exit_code == _WRONG_ARGUMENT:
        raise NotAvailableError(done.complaint)
    return {"seed": seed, **_outcome(RunDirectory(directory / "runs" / name), done)}


def _outcome(run_directory: RunDirectory, done: Finished) -> dict[str, Any]:
    """What the output and the run directory say."""
    evaluated_at = {int(m[1]): seconds for seconds, line in done.lines if (m := _EVALUATED.match(line))}
    outcome: dict[str, Any] = {
        "solved": False,
        "transitions": None,
        "seconds": None,
        "command_seconds": done.seconds,
        "evaluations": _evaluations(run_directory, evaluated_at),
    }
    try:
        summary = run_directory.read_summary()
    except RunError as error:
        return outcome | {"error": done.complaint if done.exit_code else str(error)}
    outcome |= {key: summary.get(key) for key in _SUMMARY}
    if summary["solved"]:
        outcome |= {
            "solved": True,
            "transitions": summary["solved_at_step"],
            # Known once its evaluation is told; what comes after, summary and curve, is in command_seconds.
            "seconds": evaluated_at.get(summary["solved_at_step"], done.seconds),
        }
    if summary.get("hardened"):
        outcome["hardened_seconds"] = evaluated_at.get(summary["hardened_at_step"], done.seconds)
    if done.exit_code or done.timed_out:
        outcome["error"] = done.complaint
    return outcome


def _evaluations(run_directory: RunDirectory, evaluated_at: dict[int, float]) -> list[dict[str, Any]]:
    try:
        columns = read_columns(run_directory.evaluations)
    except RunError:  # it ended before it began: there is no table
        return []
    names = ("mean_return", "min_return", "solved_episodes", "episodes")
    return [
        {"step": int(step), "seconds": evaluated_at.get(int(step)), **{name: columns[name][k] for name in names}}
        for k, step in enumerate(columns.get("env_steps", []))
    ]


def dump(outcome: dict[str, Any]) -> str:
    """One line about an outcome, for people who watch."""
    shown = {key: value for key, value in outcome.items() if key != "evaluations" and value is not None}
    return json.dumps({key: round(value, 2) if isinstance(value, float) else value for key, value in shown.items()})
