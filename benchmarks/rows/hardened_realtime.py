"""Robot time until a policy is hardened, learning in real time on a robot that is not as described."""

from __future__ import annotations

import math
from typing import Any

from benchmarks import words
from benchmarks.exams import count_hardened, examine, kept, missed, told
from benchmarks.intervals import median, median_interval
from benchmarks.options import Options
from benchmarks.rows.realtime import CONFIG, START_AND_END
from benchmarks.table import Goal, Line
from benchmarks.training import train
from sac_control.tasks.catalogue import make_task

NAME = "hardened_realtime"
TITLE = "Hardening in real time"
IS_LONG = True

FIRST_SEED = 2_460  # no setting was chosen on these
# Of every episode, from the first on: the robot is never the one of the description.
PLANT = (
    "{mass: [0.75, 1.25], latency: {commands: 1}, noise: {slider_to_cart: 0.001, velocity(slider_to_cart): 0.01, "
    "cart_to_pendulum: 0.002, velocity(cart_to_pendulum): 0.02}}"
)
SETTINGS = (f"simulator.randomise={PLANT}", "simulator.randomise_when=always")
LIMIT = 480.0  # [s] robot time after which a training ends
GOAL = 240.0  # [s]
ENGINES = ("pybullet", "mujoco")


def measure(options: Options) -> dict[str, Any]:
    """Train in real time, then examine, seed by seed."""
    period = make_task("inverted_pendulum").specification.control_period
    limit = min(LIMIT, 4.0 * options.form.realtime_seconds)
    result: dict[str, Any] = {"limit_seconds": limit, "runs": []}
    for seed in options.seeds(options.form.realtime_seeds):
        seed += FIRST_SEED
        name = f"hardened_realtime{seed}"
        run = train(
            options.directory,
            seed,
            name=name,
            timeout=2.0 * limit + START_AND_END,
            config=CONFIG,
            settings=SETTINGS,
            max_steps=math.ceil(limit / period),
        )
        run["solved_robot_seconds"] = run["transitions"] * period if run["solved"] else None
        run["hardened_robot_seconds"] = run["hardened_at_step"] * period if run.get("hardened") else None
        run["exam"] = examine(options.directory, name) if run["solved"] else None
        options.say(told(run, ENGINES))
        result["runs"].append(run)
        options.keep(result)
    return result


def lines(result: dict[str, Any]) -> list[Line]:
    """Robot time."""
    runs = result["runs"]
    seconds = [run["hardened_robot_seconds"] or math.inf for run in runs]
    middle = words.number(median(seconds), 1, "s")
    return [
        Line(
            key="hardened_realtime.robot_seconds",
            what="robot time to hardened at 60 Hz; masses ±25 %, commands late by a period, noise, from the first on",
            median=middle,
            interval=words.interval(median_interval(seconds), 1),
            worst=words.number(max(seconds), 1, "s"),
            runs=count_hardened(runs),
            goals=(Goal(text=f"median at most {GOAL:g} s", met=median(seconds) <= GOAL, reached=middle),),
        )
    ]


def details(result: dict[str, Any]) -> list[str]:
    """How it was asked, and every run."""
    text = [
        f"`config/{CONFIG}` and `simulator.randomise={PLANT}`, `simulator.randomise_when=always`: masses are drawn",
        "for each episode, and commands come a whole period late, beside what the three processes take. The gate is",
        "that of the task, with plants from half to twice the mass and up to three periods of latency, in faster than",
        "real time while the robot goes on. Robot time is that of all transitions until the policy was taken that",
        f"passed it. Seeds from {FIRST_SEED} on were not used to choose anything. Runs end after",
        f"{result['limit_seconds']:.0f} s of it.",
        "",
        "| seed | solved [s] | hardened [s] | transitions | command [s] | plants in pybullet | in mujoco |"
        " not kept in mujoco (episodes kept) | fault |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    return text + [f"| {' | '.join(_cells(run))} |" for run in result["runs"]]


def _cells(run: dict[str, Any]) -> list[str]:
    times = (run["solved_robot_seconds"], run["hardened_robot_seconds"])
    return [
        str(run["seed"]),
        *("never" if seconds is None else f"{seconds:.1f}" for seconds in times),
        str(run.get("hardened_at_step") or "never"),
        f"{run['command_seconds']:.0f}",
        *(str(kept(run, engine)) for engine in ENGINES),
        missed(run, "mujoco"),
        run.get("error", "") or (run["exam"] or {}).get("error", ""),
    ]
