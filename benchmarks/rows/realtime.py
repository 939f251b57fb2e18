"""Robot time until the pendulum is solved when the physics waits for nobody, at 60 Hz."""

from __future__ import annotations

import math
from typing import Any

from benchmarks import outcomes
from benchmarks.options import Options
from benchmarks.table import Line
from benchmarks.training import dump, train
from sac_control.tasks.catalogue import make_task

NAME = "realtime"
TITLE = "Learning in real time"
IS_LONG = False

CONFIG = "realtime.yaml"
SETTINGS = ("learner.until=solved",)
START_AND_END = 60.0  # [s] for the processes to start and to end


def measure(options: Options) -> dict[str, Any]:
    """`config/realtime.yaml`, seed by seed, in real time."""
    period = make_task("inverted_pendulum").specification.control_period
    limit = options.form.realtime_seconds
    result: dict[str, Any] = {"control_period": period, "limit_seconds": limit, "runs": []}
    for seed in options.seeds(options.form.realtime_seeds):
        run = train(
            options.directory,
            seed,
            name=f"realtime{seed}",
            timeout=2.0 * limit + START_AND_END,
            config=CONFIG,
            settings=SETTINGS,
            max_steps=math.ceil(limit / period),
        )
        run["robot_seconds"] = run["transitions"] * period if run["solved"] else None
        options.say(dump(run))
        result["runs"].append(run)
        options.keep(result)
    return result


def lines(result: dict[str, Any]) -> list[Line]:
    """Robot time."""
    reached = outcomes.values(result["runs"], "robot_seconds")
    goals = (outcomes.goal_median(reached, 30, 1, "s"), outcomes.goal_all_within(reached, 90, "s"))
    return [
        outcomes.line(
            "realtime.robot_seconds",
            "robot time to solved, in real time at 60 Hz",
            result["runs"],
            reached,
            goals,
            digits=1,
            unit="s",
            peers="none publishes it",
        )
    ]


def details(result: dict[str, Any]) -> list[str]:
    """Every run."""
    return [
        f"`config/{CONFIG}`: the physics follows the clock and holds the last command. Robot time is that of the",
        f"transitions which the policy that solved it had seen, {1000.0 * result['control_period']:.1f} ms each.",
        f"Runs end after {result['limit_seconds']:.0f} s of it.",
        "",
        *outcomes.listing(result["runs"]),
    ]
