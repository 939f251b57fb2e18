"""Transitions until the pendulum is solved without the help of its mirror symmetry."""

from __future__ import annotations

from typing import Any

from benchmarks import outcomes
from benchmarks.options import Options
from benchmarks.table import Line
from benchmarks.training import dump, train

NAME = "no_mirror"
TITLE = "Without mirror symmetry"
IS_LONG = False

SETTINGS = ("learner.mirror=false", "learner.until=solved")
TIMEOUT = 600.0  # [s] of one training


def measure(options: Options) -> dict[str, Any]:
    """The defaults without mirrored transitions, seed by seed."""
    result: dict[str, Any] = {"settings": list(SETTINGS), "runs": []}
    for seed in options.seeds(options.form.seeds):
        run = train(options.directory, seed, name=f"no_mirror{seed}", timeout=TIMEOUT, settings=SETTINGS)
        options.say(dump(run))
        result["runs"].append(run)
        options.keep(result)
    return result


def lines(result: dict[str, Any]) -> list[Line]:
    """Transitions."""
    reached = outcomes.values(result["runs"], "transitions")
    goals = (outcomes.goal_all_within(reached, 2000), outcomes.goal_median(reached, 1000))
    return [outcomes.line("no_mirror.transitions", "the same without mirror images", result["runs"], reached, goals)]


def details(result: dict[str, Any]) -> list[str]:
    """Every run."""
    return [f"Defaults with `{' '.join(result['settings'])}`.", "", *outcomes.listing(result["runs"])]
