"""Transitions until the pendulum is solved by variants of the algorithm, in one process without ROS."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks import outcomes, words
from benchmarks.intervals import median, median_interval
from benchmarks.machine import ROOT
from benchmarks.options import Options
from benchmarks.processes import ProcessError, clean_environment, run
from benchmarks.table import Line
from benchmarks.variants import VARIANTS

NAME = "variants"
TITLE = "Variants of the algorithm"
IS_LONG = True

SECONDS_PER_STEP = 0.2  # [s] far more than a transition takes, with all its updates
FIRST_SEED = 100  # above the options' own: these trainings differ from those of the other rows


def measure(options: Options) -> dict[str, Any]:
    """Every variant with every seed, one training per core at a time: transitions are counted, not seconds."""
    form = options.form
    jobs = [
        (name, FIRST_SEED + seed) for seed in options.seeds(form.variant_seeds) for name in VARIANTS
    ]  # seed by seed, so that an interrupted run has something of each variant
    result: dict[str, Any] = {
        "max_steps": form.variant_steps,
        "variants": {name: {"settings": settings, "runs": []} for name, settings in VARIANTS.items()},
    }

    def train(job: tuple[str, int]) -> tuple[str, dict[str, Any]]:
        name, seed = job
        return name, _train(options, name, seed)

    with ThreadPoolExecutor(max_workers=max(1, len(options.cores) // 2)) as pool:  # evaluations take the other half
        for place, (name, outcome) in enumerate(pool.map(train, jobs)):
            result["variants"][name]["runs"].append(outcome)
            options.say(f"{place + 1} of {len(jobs)}: {name}, {outcome}")
            options.keep(result)
    return result


def _train(options: Options, name: str, seed: int) -> dict[str, Any]:
    place = list(VARIANTS).index(name)
    command = [sys.executable, "-m", "benchmarks.workers.train_once", "--settings", json.dumps(VARIANTS[name])]
    command += ["--run-directory", str(options.directory / f"variant{place}-{seed}")]
    command += ["--seed", str(seed), "--max-steps", str(options.form.variant_steps)]
    environment = clean_environment(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    timeout = 120.0 + SECONDS_PER_STEP * options.form.variant_steps
    done = run(command, timeout=timeout, directory=ROOT, environment=environment)
    outcome: dict[str, Any] = {"seed": seed, "solved": False, "transitions": None}
    try:
        outcome |= done.answer
    except ProcessError as error:
        outcome["error"] = str(error)
    return outcome


def lines(result: dict[str, Any]) -> list[Line]:
    """None: the variants have a table of their own."""
    return []


def details(result: dict[str, Any]) -> list[str]:
    """The variants, one by one."""
    text = [
        "The parts of the three nodes in one process without ROS, trained until solved or for "
        f"{result['max_steps']:,} transitions, with other seeds than the table above.",
        "",
        "| variant | settings | median | interval | worst | runs |",
        "|---|---|---|---|---|---|",
    ]
    for name, variant in result["variants"].items():
        runs = variant["runs"]
        settings = ", ".join(f"{key}: {value}" for key, value in variant["settings"].items()) or "–"
        faults = sorted({run["error"] for run in runs if "error" in run})
        if runs and len(faults) and all("error" in run for run in runs):
            text.append(f"| {name} | {settings} | not available: {faults[0]} | | | |")
        elif runs:
            reached = outcomes.values(runs, "transitions")
            cells = [words.number(median(reached)), words.interval(median_interval(reached))]
            cells += [words.number(max(reached)), outcomes.count_solved(runs) + (f"; {faults[0]}" if faults else "")]
            text.append(f"| {name} | {settings} | " + " | ".join(cells) + " |")
    return text
