"""Trust Region Policy Optimisation: the pendulum, and the walker to be set beside Soft Actor-Critic's."""

from __future__ import annotations

from typing import Any

from benchmarks.options import Options
from benchmarks.rows.environments import Entry, entry_details, entry_lines, measure_entries
from benchmarks.table import Line

NAME = "trpo"
TITLE = "Trust Region Policy Optimisation"
IS_LONG = True

ENTRIES = (
    Entry(name="inverted pendulum, TRPO", config="trpo.yaml", steps=200_000, seeds=5, starts=100, goal=1000.0,
          published="–"),
    Entry(name="BipedalWalker-v3, TRPO", config="bipedal_walker_trpo.yaml", steps=250_000, seeds=1, starts=100,
          goal=None, published="–"),
)  # fmt: skip


def measure(options: Options) -> dict[str, Any]:
    """Each entry, seed by seed."""
    return measure_entries(ENTRIES, options)


def lines(result: dict[str, Any]) -> list[Line]:
    """One line for each entry."""
    return entry_lines(result)


def details(result: dict[str, Any]) -> list[str]:
    """Every run, and the walker's curves."""
    return [*entry_details(result), "", "![The walker's return over transitions](bipedal_walker.png)"]
