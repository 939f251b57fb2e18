"""Swing-up and double pendulum: the returns of rl-baselines3-zoo's SAC within a third of its transitions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks import words
from benchmarks.intervals import median, median_interval
from benchmarks.machine import ROOT
from benchmarks.options import NotAvailableError, Options
from benchmarks.table import Goal, Line
from benchmarks.training import dump, train
from sac_control.envs import make_env
from sac_control.policy.policy_file import PolicyFile
from sac_control.store.run_directory import RunDirectory
from sac_control.training.evaluation import evaluate

NAME = "other_tasks"
TITLE = "Swing-up and double pendulum"
IS_LONG = True

# Published: araffin/rl-baselines-zoo, benchmark.md, SAC, over 150 episodes.
TASKS: dict[str, dict[str, Any]] = {
    "swing-up": {"config": "swingup.yaml", "mean": 891.508, "std": 0.963, "steps": 300_000},
    "double pendulum": {"config": "double_pendulum.yaml", "mean": 9357.406, "std": 0.504, "steps": 500_000},
}
SETTINGS = ("learner.until=steps", "learner.gate_every=0", "simulator.randomise={}")  # the robot as described
CONFIRMATIONS = 100  # fresh episodes of the best checkpoint
SECONDS_PER_STEP = 0.05  # [s] far more than a transition takes


def measure(options: Options) -> dict[str, Any]:
    """Each task, seed by seed, for a third of the published transitions."""
    form = options.form
    result: dict[str, Any] = {"tasks": {}}
    for name, task in TASKS.items():
        steps = min(form.task_steps, math.ceil(task["steps"] / 3))
        figures: dict[str, Any] = {**task, "max_steps": steps, "runs": []}
        result["tasks"][name] = figures
        if not (ROOT / "config" / task["config"]).exists():
            figures["missing"] = f"there is no config/{task['config']}"
            continue
        for seed in options.seeds(form.task_seeds):
            run_name = f"{name.replace(' ', '_')}{seed}"
            try:
                run = train(
                    options.directory,
                    seed,
                    name=run_name,
                    timeout=120.0 + SECONDS_PER_STEP * steps,
                    settings=SETTINGS,
                    config=task["config"],
                    max_steps=steps,
                )
            except NotAvailableError as error:
                figures["missing"] = str(error)
                break
            run |= reached(run["evaluations"], task["mean"] - task["std"])
            run["confirmed_return"] = _confirmed(RunDirectory(options.directory / "runs" / run_name), seed)
            options.say(f"{name} {dump(run)}")
            figures["runs"].append(run)
            options.keep(result)
    return result


def _confirmed(run: RunDirectory, seed: int) -> float | None:
    """Mean return of the best checkpoint in fresh episodes: the best of many evaluations was lucky, too."""
    path = run.checkpoints / "best" / "policy.safetensors"
    if not path.exists():
        return None
    fresh = np.random.default_rng([seed, CONFIRMATIONS])
    file = PolicyFile.read(path)
    return evaluate(file, make_env(file.specification.task), CONFIRMATIONS, 0, fresh).mean_return


def reached(evaluations: list[dict[str, Any]], level: float) -> dict[str, Any]:
    """The best and the last evaluation, and the transitions of the first that reached `level`."""
    returns = [evaluation["mean_return"] for evaluation in evaluations]
    return {
        "best_return": max(returns, default=None),
        "last_return": returns[-1] if returns else None,
        "level_at": next((e["step"] for e in evaluations if e["mean_return"] >= level), None),
    }


def lines(result: dict[str, Any]) -> list[Line]:
    """One line for each task."""
    table = []
    for name, task in result["tasks"].items():
        runs = task["runs"]
        level = f"{task['mean'] - task['std']:,.1f}"
        text = f"every seed reaches {level} within {math.ceil(task['steps'] / 3):,}"
        peers = f"rl-zoo (published): {task['mean']:,.1f} ± {task['std']:.1f} after {task['steps']:,}"
        what = f"transitions to the published return, {name}"
        if not runs:
            goal = Goal(text=text, met=None, reached=task.get("missing", "not measured"))
            table.append(Line(key=f"tasks.{name}", what=what, peers=peers, median="–", goals=(goal,)))
            continue
        steps = [math.inf if run["level_at"] is None else float(run["level_at"]) for run in runs]
        count = sum(math.isfinite(value) for value in steps)
        was_cut = task["max_steps"] < task["steps"] // 3
        met = None if was_cut and count < len(runs) else count == len(runs)
        best = [run["best_return"] for run in runs if run["best_return"] is not None]
        reached_text = f"{count} of {len(runs)}" + (
            f"; best returns {min(best):,.1f} – {max(best):,.1f}" if best else ""
        )
        confirmed = [run["confirmed_return"] for run in runs if run.get("confirmed_return") is not None]
        good = sum(value >= task["mean"] - task["std"] for value in confirmed)
        if confirmed:
            span = f"{min(confirmed):,.1f} – {max(confirmed):,.1f}"
            confirmed_goal = Goal(
                text=f"so does its best checkpoint in {CONFIRMATIONS} fresh episodes",
                met=good == len(runs),
                reached=f"{good} of {len(runs)}; {span}",
            )
        else:
            confirmed_goal = Goal(text="its best checkpoint in fresh episodes", met=None, reached="not measured")
        if was_cut:
            reached_text += f"; ended at {task['max_steps']:,}"
        table.append(
            Line(
                key=f"tasks.{name}",
                what=what,
                peers=peers,
                median=words.number(median(steps)),
                interval=words.interval(median_interval(steps)),
                worst=words.number(max(steps)),
                runs=f"{count} of {len(runs)} reached it",
                goals=(Goal(text=text, met=met, reached=reached_text), confirmed_goal),
            )
        )
    return table


def details(result: dict[str, Any]) -> list[str]:
    """Every run of each task."""
    text = ["The published mean less its published deviation is the level that counts as the same return."]
    for name, task in result["tasks"].items():
        text += ["", f"**{name}**, `config/{task['config']}`, {task['max_steps']:,} transitions.", ""]
        if "missing" in task:
            text.append(f"Not measured: {task['missing']}.")
        if not task["runs"]:
            continue
        text += ["| seed | level reached at | best evaluation | last | best, fresh episodes | command [s] | fault |"]
        text += ["|---|---|---|---|---|---|---|"]
        for run in task["runs"]:
            cells = [run["level_at"], run["best_return"], run["last_return"], run.get("confirmed_return")]
            cells.append(run["command_seconds"])
            shown = ["never" if k == 0 and v is None else _cell(v) for k, v in enumerate(cells)]
            text.append("| " + " | ".join([str(run["seed"]), *shown, run.get("error", "")]) + " |")
    return text


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"
