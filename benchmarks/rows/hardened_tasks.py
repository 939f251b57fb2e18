"""What the trainings of other tasks come to on plants that they never met: swing-up, double pendulum, users' robots."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import words
from benchmarks.exams import PLANTS, count_hardened, examine, kept, missed, told
from benchmarks.intervals import median, median_interval
from benchmarks.machine import ROOT
from benchmarks.options import Options
from benchmarks.table import Goal, Line
from benchmarks.training import train

NAME = "hardened_tasks"
TITLE = "Hardening: other tasks"
IS_LONG = True


@dataclass(frozen=True, kw_only=True)
class Case:
    """A task and how it is trained."""

    name: str
    config: str = ""  # in config/; none: the defaults
    task: str = ""  # file in the repository; none: the configuration names it
    home: str = "pybullet"  # engine in which it is trained
    away: str = "mujoco"  # engine in which it is examined, too; none: it has no other
    seeds: int = 3  # of which no more than a form has

    @property
    def engines(self) -> tuple[str, ...]:
        """Those in which it is examined, that of the training first."""
        return (self.home, self.away) if self.away else (self.home,)


CASES = (
    Case(name="swing-up", config="swingup.yaml", seeds=5),
    Case(name="double pendulum", config="double_pendulum.yaml"),
    Case(name="Furuta pendulum", task="test/robots/furuta_balance.yaml", home="mujoco", away="pybullet"),
    Case(name="acrobot", task="test/robots/acrobot_balance.yaml", home="mujoco", away=""),
    Case(name="cart driven by velocity", task="test/robots/velocity_cart.yaml", home="mujoco", away="pybullet"),
)
FIRST_SEED = 2_740  # no setting was chosen on these
LEAST = 19  # plants kept that are aimed at, by every seed
WHOLE = 100_000  # transitions, with which a form lets trainings take as many as they are set to
TIMEOUT = 1_800.0  # [s] of one training


def measure(options: Options) -> dict[str, Any]:
    """Train until hardened, then examine in both engines, task by task."""
    steps = options.form.task_steps
    result: dict[str, Any] = {"tasks": {}}
    for case in CASES:
        runs = result["tasks"][case.name] = []
        for seed in options.seeds(min(case.seeds, options.form.task_seeds)):
            seed += FIRST_SEED
            name = f"{case.name.replace(' ', '_')}{seed}"
            run = train(
                options.directory,
                seed,
                name=name,
                timeout=TIMEOUT,
                config=case.config,
                task=str(ROOT / case.task) if case.task else "",
                max_steps=None if steps >= WHOLE else steps,
            )
            run["exam"] = examine(options.directory, name, engines=case.engines) if run["solved"] else None
            options.say(f"{case.name} {told(run, case.engines)}")
            runs.append(run)
            options.keep(result)
    return result


def lines(result: dict[str, Any]) -> list[Line]:
    """One line for each task and engine."""
    return [_line(case, engine, result["tasks"][case.name]) for case, engine in _examined(result)]


def _examined(result: dict[str, Any]) -> list[tuple[Case, str]]:
    """Those that were measured, each with an engine."""
    cases = [case for case in CASES if result["tasks"].get(case.name)]
    return [(case, engine) for case in cases for engine in case.engines]


def _line(case: Case, engine: str, runs: list[dict[str, Any]]) -> Line:
    plants = [kept(run, engine) for run in runs]
    goal = Goal(text=f"every seed at least {LEAST}", met=min(plants) >= LEAST, reached=f"lowest {min(plants)}")
    return Line(
        key=f"hardened.{case.name}.{engine}",
        what=f"{case.name}: plants of {PLANTS} kept in all 20 episodes, in {engine}"
        + (", where it was trained" if engine == case.home else ""),
        median=words.number(median(plants)),
        interval=words.interval(median_interval(plants)),
        worst=words.number(min(plants)),
        runs=count_hardened(runs),
        goals=(goal,),
    )


def details(result: dict[str, Any]) -> list[str]:
    """How it was asked, and every run."""
    text = [
        "`sac_control train --config config/swingup.yaml`, likewise double_pendulum.yaml, and, with the defaults,",
        "`sac_control train --task test/robots/…`, each with `--seed SEED`; then `sac_control exam RUN`. Seeds from",
        f"{FIRST_SEED} on were not used to choose anything. A plant counts as kept if all of its 20 episodes are:",
        "standing for the last seconds, as `kept` and `kept_for` of the task file say; the swing-up within 0.2 rad for",
        "the last 5 s, from hanging starts. The plants lie at the bounds of `exam` in the task file.",
    ]
    for case, runs in ((case, result["tasks"].get(case.name)) for case in CASES):
        if not runs:
            continue
        engines = case.engines
        text += [
            "",
            f"**{case.name}**",
            "",
            f"| seed | solved at | hardened at | seconds | {_columns(engines)} | fault |",
        ]
        text.append("|---|---|---|---|" + "---|---|" * len(engines) + "---|")
        text += [f"| {' | '.join(_cells(run, engines))} |" for run in runs]
    return text


def _columns(engines: Sequence[str]) -> str:
    return " | ".join(f"plants in {engine} | not kept in {engine} (episodes kept)" for engine in engines)


def _cells(run: dict[str, Any], engines: Sequence[str]) -> list[str]:
    seconds = run.get("hardened_seconds", math.nan)
    figures = [cell for engine in engines for cell in (str(kept(run, engine)), missed(run, engine))]
    return [
        str(run["seed"]),
        str(run["transitions"] or "never"),
        str(run.get("hardened_at_step") or "never"),
        "" if math.isnan(seconds) else f"{seconds:.0f}",
        *figures,
        run.get("error", "") or (run["exam"] or {}).get("error", ""),
    ]
