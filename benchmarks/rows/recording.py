"""How much slower a training is that is recorded in a bag."""

from __future__ import annotations

import importlib.util
from typing import Any

from benchmarks import slow_down
from benchmarks.options import NotAvailableError, Options
from benchmarks.table import Line
from benchmarks.training import dump, train
from sac_control.bags.bag_reader import PACKAGES
from sac_control.store.run_directory import RunDirectory
from sac_control.store.table import read_columns

NAME = "recording"
TITLE = "Recording a training"
IS_LONG = False

FIRST, LAST = 500, 2_000  # transitions between which time is taken: updates have long begun
SETTINGS = ("learner.until=steps", "learner.evaluation_every=0")
TIMEOUT = 300.0  # [s] of one training
_KIND = "recorded"
_WHAT = "slow-down of a training by `--bag`"


def measure(options: Options) -> dict[str, Any]:
    """Trainings of equal length with and without a bag, by turns.

    Raises:
        NotAvailableError: a package that bags need is not installed.
    """
    if any(importlib.util.find_spec(name) is None for name in PACKAGES):
        raise NotAvailableError(f"{' and '.join(PACKAGES.values())}, which bags need, are not installed")

    def rate(kind: str, number: int) -> float:
        return _rate(options, f"{kind}{number}", options.first_seed + number, is_recorded=kind == _KIND)

    result: dict[str, Any] = {}
    slow_down.measure_pairs(options, result, count=options.form.record_pairs, kind=_KIND, rate=rate)
    return result


def lines(result: dict[str, Any]) -> list[Line]:
    """The slow-down."""
    return [slow_down.line(NAME, _WHAT, result["pairs"])]


def details(result: dict[str, Any]) -> list[str]:
    """Every pair."""
    return [
        f"`sac_control train --max-steps {LAST}` with `{'`, `'.join(SETTINGS)}`, with and without `--bag`, by turns;",
        f"both of a pair have the same seed. Transitions per second from the {FIRST}th to the {LAST:,}th.",
        "",
        *slow_down.listing(_KIND, result["pairs"]),
    ]


def _rate(options: Options, name: str, seed: int, *, is_recorded: bool) -> float:
    """Transitions per second of one training, by its own clock.

    Raises:
        NotAvailableError: it did not get there.
    """
    outcome = train(
        options.directory,
        seed,
        name=name,
        timeout=TIMEOUT,
        settings=SETTINGS,
        max_steps=LAST,
        is_recorded=is_recorded,
    )
    if "error" in outcome:
        raise NotAvailableError(f"a training failed: {dump(outcome)}")
    columns = read_columns(RunDirectory(options.directory / "runs" / name).metrics)
    rows = [row for row in zip(columns["env_steps"], columns["wall_time"], strict=True) if row[0] >= FIRST]
    (first, begun), (last, ended) = rows[0], rows[-1]
    return (last - first) / (ended - begun)
