"""The rows of the table, in its order. A row is a module, described by the protocol `Row`."""

from __future__ import annotations

from typing import Any, Protocol

from benchmarks.options import Options
from benchmarks.rows import (
    hardened_realtime,
    hardened_tasks,
    hardening,
    latency,
    no_mirror,
    other_tasks,
    realtime,
    recording,
    reduced_precision,
    solve,
    stability,
    updates,
    variants,
    watching,
    worlds,
)
from benchmarks.rows.environments import ENVIRONMENTS
from benchmarks.table import Line


class Row(Protocol):
    """What each module of this folder has."""

    NAME: str  # by which it is chosen, and its place in results.json
    TITLE: str  # of its section in the report
    IS_LONG: bool  # whether `--quick` leaves it out unless it is asked for

    def measure(self, options: Options) -> dict[str, Any]:
        """Measure; the figures as plain values.

        Raises:
            NotAvailableError: something that it needs is missing.
        """

    def lines(self, result: dict[str, Any]) -> list[Line]:
        """The lines of the table that these figures make."""

    def details(self, result: dict[str, Any]) -> list[str]:
        """Its section of the report, in lines of Markdown."""


ROWS: tuple[Row, ...] = (
    solve,
    no_mirror,
    realtime,
    hardening,
    hardened_realtime,
    hardened_tasks,
    stability,
    updates,
    reduced_precision,
    latency,
    watching,
    recording,
    other_tasks,
    *ENVIRONMENTS,
    variants,
    worlds,
)
