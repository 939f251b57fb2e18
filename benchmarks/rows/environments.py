"""Environments of Gymnasium, and TRPO: the best policy of each training, on one fixed set of fresh starts.

Each is a row of its own, so that one can be measured again without the others. That learning curves of the walker stand
beside each other is done by plots.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import words
from benchmarks.intervals import median
from benchmarks.options import NotAvailableError, Options
from benchmarks.table import Goal, Line
from benchmarks.training import dump, train
from sac_control.envs import make_env
from sac_control.policy.policy import Policy
from sac_control.policy.policy_file import PolicyFile
from sac_control.store.run_directory import RunDirectory

FIRST_START = 10_000_000  # seed of the first fresh start; no training comes near it
SECONDS_PER_STEP = 0.05  # [s] far more than a transition takes


@dataclass(kw_only=True)
class EnvironmentRow:
    """One task, learnt by one algorithm as its preset says."""

    NAME: str
    TITLE: str
    config: str  # in config/
    steps: int  # transitions allowed
    seeds: int
    starts: int  # fresh ones
    goal: float | None  # mean return over these that each seed's best policy must reach; None: no goal
    published: str = ""  # of SAC in rl-baselines3-zoo: return, and after how many transitions
    picture: str = ""  # one line of Markdown
    IS_LONG: bool = True

    def measure(self, options: Options) -> dict[str, Any]:
        """Train each seed by the command, and judge its best policy."""
        cut = None if options.form.name == "full" else min(self.steps, options.form.task_steps)
        result: dict[str, Any] = {"cut_at": cut, "runs": []}
        for seed in options.seeds(min(self.seeds, options.form.task_seeds)):
            name = f"{Path(self.config).stem}{seed}"
            try:
                run = train(
                    options.directory,
                    seed,
                    name=name,
                    timeout=120.0 + SECONDS_PER_STEP * (cut or self.steps),
                    config=self.config,
                    max_steps=cut,
                )
            except NotAvailableError as error:
                result["missing"] = str(error)
                break
            run["fresh"] = fresh_returns(RunDirectory(options.directory / "runs" / name), self.starts)
            options.say(dump(run))
            result["runs"].append(run)
            options.keep(result)
        return result

    def lines(self, result: dict[str, Any]) -> list[Line]:
        """Its line."""
        what = f"mean return of the best policy from {self.starts:,} fresh starts, {self.TITLE}"
        text = "none" if self.goal is None else f"every seed reaches {self.goal:g} within {self.steps:,}"
        peers = f"rl-zoo, SAC (published): {self.published}" if self.published else "–"
        means = [run["fresh"]["mean"] if run["fresh"] else -math.inf for run in result["runs"]]
        if not means:
            goal = Goal(text=text, met=None, reached=result.get("missing", "not measured"))
            return [Line(key=self.NAME, what=what, peers=peers, median="–", goals=(goal,))]
        good = sum(mean >= (-math.inf if self.goal is None else self.goal) for mean in means)
        is_told = self.goal is not None and (result["cut_at"] is None or good == len(means))
        reached = f"{good} of {len(means)}" + (f"; ended at {result['cut_at']:,}" if result["cut_at"] else "")
        return [
            Line(
                key=self.NAME,
                what=what,
                peers=peers,
                median=words.number(median(means)),
                interval=f"{min(means):,.1f} – {max(means):,.1f}",
                worst=words.number(min(means)),
                runs=f"{len(means)} seeds",
                goals=(Goal(text=text, met=good == len(means) if is_told else None, reached=reached),),
            )
        ]

    def details(self, result: dict[str, Any]) -> list[str]:
        """Every run."""
        text = [
            f"`config/{self.config}`. The best policy is the one that the training itself kept, by evaluations from",
            f"other starts. It is judged once, from the starts of the seeds {FIRST_START:,} and up.",
            "",
            "| seed | transitions | best policy of | mean | deviation | worst | updates | command [s] | fault |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        for run in result["runs"]:
            fresh = run["fresh"] or {}
            cells = [run.get("env_steps"), *(fresh.get(key) for key in ("env_steps", "mean", "std", "min"))]
            cells += [run.get("updates"), run["command_seconds"]]
            text.append("| " + " | ".join([str(run["seed"]), *map(_cell, cells), run.get("error", "")]) + " |")
        return [*text, *(["", self.picture] if self.picture else [])]


ENVIRONMENTS = (
    EnvironmentRow(
        NAME="pendulum_v1", TITLE="Pendulum-v1", config="pendulum_v1.yaml", steps=5_000, seeds=5, starts=1000,
        goal=-150.0, published="-157 ± 89 after 20,000",
    ),
    EnvironmentRow(
        NAME="mountain_car", TITLE="MountainCarContinuous-v0", config="mountain_car.yaml", steps=15_000, seeds=5,
        starts=1000, goal=94.0, published="94.7 ± 1.1 after 50,000",
    ),
    EnvironmentRow(
        NAME="lunar_lander", TITLE="LunarLanderContinuous-v3", config="lunar_lander.yaml", steps=150_000, seeds=3,
        starts=100, goal=260.0, published="260 ± 65 after 500,000",
    ),
    EnvironmentRow(
        NAME="bipedal_walker", TITLE="BipedalWalker-v3", config="bipedal_walker.yaml", steps=250_000, seeds=3,
        starts=100, goal=300.0, published="298 ± 33 after 500,000; TQC 330",
        picture="![The walker's return over transitions](bipedal_walker.png)",
    ),
    EnvironmentRow(
        NAME="trpo", TITLE="inverted pendulum by TRPO", config="trpo.yaml", steps=200_000, seeds=5, starts=100,
        goal=1000.0,
    ),
    EnvironmentRow(
        NAME="bipedal_walker_trpo", TITLE="BipedalWalker-v3 by TRPO", config="bipedal_walker_trpo.yaml", steps=250_000,
        seeds=1, starts=100, goal=None,
    ),
)  # fmt: skip


def fresh_returns(run: RunDirectory, starts: int) -> dict[str, float] | None:
    """Mean, deviation and worst of the best checkpoint's returns from the fixed set of starts, and its transitions."""
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
    figures = {"mean": np.mean(returns), "std": np.std(returns), "min": np.min(returns)}
    return {name: float(value) for name, value in figures.items()} | {"env_steps": file.env_steps}


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"
