"""Who tells people how a training goes: a table on a terminal, the learner itself elsewhere, or nobody."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping

from sac_control.cli.runner import Hear
from sac_control.training.progress import QUIET, RECORDS, STYLE


def can_draw_table(environment: Mapping[str, str]) -> bool:
    """Whether standard output is a terminal on which a table can be redrawn, by rich, which may be missing."""
    is_terminal = sys.stdout.isatty() and environment.get("TERM", "dumb") not in ("dumb", "unknown")
    return is_terminal and importlib.util.find_spec("rich") is not None


@contextlib.contextmanager
def voice(environment: dict[str, str], *, is_quiet: bool) -> Iterator[Hear | None]:
    """What hears the first node, None where it talks itself; tells the nodes of `environment` how to talk."""
    if is_quiet or not can_draw_table(environment):
        environment.pop(STYLE, None)
        if is_quiet:
            environment[STYLE] = QUIET
        yield None
        return
    from rich.console import Console

    from sac_control.cli.live_table import LiveTable

    environment[STYLE] = RECORDS
    table = LiveTable(Console(file=sys.stdout))
    try:
        yield table.hear
    finally:
        table.close()
