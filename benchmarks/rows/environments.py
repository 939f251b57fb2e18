"""Environments of Gymnasium: the best policy of each training, on one fixed set of fresh starts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import contest, words
from benchmarks.intervals import median, median_interval
from benchmarks.options import NotAvailableError, Options
from benchmarks.table import Goal, Line
from benchmarks.training import dump, train
from sac_control.envs import make_env
from sac_control.policy.policy import Policy
from sac_control.policy.policy_file import PolicyFile
from sac_control.store.run_directory import RunDirectory

NAME = "environments"
TITLE = "Environments of Gymnasium"
IS_LONG = True

FIRST_START = 10_000_000  # seed of the first fresh start; no training comes near it
SECONDS_PER_STEP = 0.05  # [s] far more than a transition takes
SIZE = (64, 128)  # units of each of two layers, batch: as the presets have them
FASTER = 3.0  # times the updates per second of stable-baselines3, aimed at


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One task, learnt by one algorithm."""

    name: str
    config: str  # in config/
    steps: int  # transitions allowed
    seeds: int
    starts: int  # fresh ones
    goal: float | None  # mean return over these that each seed's best policy must reach; None: no goal
    published: str  # of SAC, rl-baselines3-zoo


ENTRIES = (
    Entry(name="Pendulum-v1", config="pendulum_v1.yaml", steps=5_000, seeds=5, starts=1000, goal=-150.0,
          published="-157 ± 89 after 20,000"),
    Entry(name="MountainCarContinuous-v0", config="mountain_car.yaml", steps=15_000, seeds=5, starts=1000, goal=94.0,
          published="94.7 ± 1.1 after 50,000"),
    Entry(name="BipedalWalker-v3", config="bipedal_walker.yaml", steps=250_000, seeds=3, starts=100, goal=300.0,
          published="298 ± 33 after 500,000; TQC 330"),
    Entry(name="LunarLanderContinuous-v3", config="lunar_lander.yaml", steps=150_000, seeds=3, starts=100, goal=260.0,
          published="260 ± 65 after 500,000"),
)  # fmt: skip


def measure(options: Options) -> dict[str, Any]:
    """Each entry, seed by seed; then updates per second beside the peer's."""
    result = measure_entries(ENTRIES, options)
    result["updates"] = _updates(options)
    return result


def measure_entries(entries: Sequence[Entry], options: Options) -> dict[str, Any]:
    """Train each seed of each, and judge its best policy."""
    result: dict[str, Any] = {"entries": {}}
    for entry in entries:
        cut = None if options.form.name == "full" else min(entry.steps, options.form.task_steps)
        figures: dict[str, Any] = {**asdict(entry), "cut_at": cut, "runs": []}
        result["entries"][entry.name] = figures
        for seed in options.seeds(min(entry.seeds, options.form.task_seeds)):
            run_name = f"{Path(entry.config).stem}{seed}"
            try:
                run = train(
                    options.directory,
                    seed,
                    name=run_name,
                    timeout=120.0 + SECONDS_PER_STEP * (cut or entry.steps),
                    config=entry.config,
                    max_steps=cut,
                )
            except NotAvailableError as error:
                figures["missing"] = str(error)
                break
            run["fresh"] = fresh_returns(RunDirectory(options.directory / "runs" / run_name), entry.starts)
            options.say(f"{entry.name} {dump({key: value for key, value in run.items() if key != 'fresh'})}")
            figures["runs"].append(run)
            options.keep(result)
    return result


def fresh_returns(run: RunDirectory, starts: int) -> dict[str, float] | None:
    """Mean, deviation and worst of the best checkpoint's returns from the fixed set of starts."""
    path = run.checkpoints / "best" / "policy.safetensors"
    if not path.exists():
        return None
    file = PolicyFile.read(path)
    policy, env = Policy(file.actor), make_env(file.specification.task)
    returns = []
    for number in range(starts):
        observation, _ = env.reset(seed=FIRST_START + number)
        total, is_over = 0.0, False
        while not is_over:
            observation, reward, terminated, truncated, _ = env.step(policy.act(observation))
            total, is_over = total + reward, terminated or truncated
        returns.append(total)
    env.close()
    return {
        "mean": float(np.mean(returns)),
        "std": float(np.std(returns)),
        "min": float(np.min(returns)),
        "env_steps": file.env_steps,
    }


def _updates(options: Options) -> dict[str, Any]:
    peers, (hidden, batch) = options.peers(), SIZE
    commands = {"ours": contest.our_learner({"hidden_sizes": [hidden, hidden], "batch_size": batch})}
    if peers.python is not None:
        arguments = ("--hidden", hidden, "--batch", batch)
        commands["sb3"] = peers.command("updates.py", "--library", "sb3", *arguments)
    return contest.hold(
        commands, cores=options.cores, threads=1, rounds=options.form.rounds, seconds=options.form.round_seconds
    )


def lines(result: dict[str, Any]) -> list[Line]:
    """One line for each entry, and one for the updates."""
    table = entry_lines(result)
    ratios = contest.ratios(result.get("updates", {}), "ours", "sb3")
    text = f"at least {FASTER:g} times SB3"
    goal = Goal(text=text, met=None, reached="one of them was not measured")
    if ratios:
        reached = f"{median(ratios):.1f} times, {words.interval(median_interval(ratios), 1)}"
        goal = Goal(text=text, met=median(ratios) >= FASTER, reached=reached)
    rates = result.get("updates", {}).get("ours", {}).get("rates", [])
    shown = words.number(median(rates)) if rates else "–"
    what = f"updates per second at these sizes, {SIZE[0]}×{SIZE[0]}, batch {SIZE[1]}"
    return [*table, Line(key="environments.updates", what=what, peers="", median=shown, goals=(goal,))]


def entry_lines(result: dict[str, Any]) -> list[Line]:
    """One line for each entry."""
    return [_line(name, entry) for name, entry in result["entries"].items()]


def _line(name: str, entry: dict[str, Any]) -> Line:
    means = [run["fresh"]["mean"] if run.get("fresh") else -math.inf for run in entry["runs"]]
    what = f"mean return of the best policy, {entry['starts']:,} fresh starts, {name}"
    level, steps = entry["goal"], entry["steps"]
    text = f"every seed reaches {level:g} within {steps:,}" if level is not None else "none: its curve, beside SAC's"
    if not means:
        goal = Goal(text=text, met=None, reached=entry.get("missing", "not measured"))
        return Line(key=f"environments.{name}", what=what, peers=entry["published"], median="–", goals=(goal,))
    good = sum(mean >= (-math.inf if level is None else level) for mean in means)
    was_cut = entry["cut_at"] is not None
    met = None if level is None or (was_cut and good < len(means)) else good == len(means)
    reached = f"{good} of {len(means)}" if level is not None else f"{means[0]:,.1f}"
    return Line(
        key=f"environments.{name}",
        what=what,
        peers=f"rl-zoo, SAC (published): {entry['published']}",
        median=words.number(median(means)),
        interval=f"{min(means):,.1f} – {max(means):,.1f}",
        worst=words.number(min(means)),
        runs=f"{len(means)} seeds",
        goals=(Goal(text=text, met=met, reached=reached + (f"; ended at {entry['cut_at']:,}" if was_cut else "")),),
    )


def details(result: dict[str, Any]) -> list[str]:
    """Every run of each entry."""
    return entry_details(result)


def entry_details(result: dict[str, Any]) -> list[str]:
    """The same for whichever row has entries."""
    text = [
        "The best policy is the one that the training itself kept, by evaluations from other starts. It is judged",
        f"once, on the starts of seeds {FIRST_START:,} and up.",
    ]
    for name, entry in result["entries"].items():
        text += [
            "",
            f"**{name}**, `config/{entry['config']}`, at most {entry['cut_at'] or entry['steps']:,} transitions.",
            "",
        ]
        if "missing" in entry:
            text.append(f"Not measured: {entry['missing']}.")
        if not entry["runs"]:
            continue
        text += [
            "| seed | transitions | best policy of step | mean | deviation | worst | updates | command [s] | fault |"
        ]
        text += ["|---|---|---|---|---|---|---|---|---|"]
        for run in entry["runs"]:
            fresh = run.get("fresh") or {}
            cells = [run.get("env_steps"), fresh.get("env_steps"), *(fresh.get(key) for key in ("mean", "std", "min"))]
            cells += [run.get("updates"), run["command_seconds"]]
            text.append("| " + " | ".join([str(run["seed"]), *map(_cell, cells), run.get("error", "")]) + " |")
    return text


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"
