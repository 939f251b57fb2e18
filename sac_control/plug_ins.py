"""What packages, ours and others, offer by name through entry points. Knows no task, no world and no algorithm."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, NoReturn

from sac_control.errors import ConfigError


@cache
def offered(group: str) -> dict[str, EntryPoint]:
    """What is offered in a group of entry points, by name. Loads nothing."""
    return {entry.name: entry for entry in _all().select(group=group)}


@cache  # of each package that is installed a file is looked for, which takes longer than all else here
def _all() -> Any:
    return entry_points()


def load(what: str, group: str, name: str) -> Any:
    """What the entry point `name` of `group` names, which is offered.

    Args:
        what: its kind, for complaints, such as task.
        group: of entry points.
        name: of one of them.

    Raises:
        ConfigError: it cannot be loaded; its cause is the error of the import.
    """
    entry = offered(group)[name]
    try:
        return entry.load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"{_called(what, group, name)} cannot be loaded: {error}") from error


def refuse(what: str, group: str, name: str, thing: object, expected: str, lacks: Sequence[str]) -> NoReturn:
    """Complain that what `load` gave is not what was expected, and what it lacks.

    Raises:
        ConfigError: always.
    """
    missing = f"; it lacks {', '.join(lacks)}" if lacks else ""
    raise ConfigError(f"{_called(what, group, name)} is {thing!r:.80}: expected {expected}{missing}")


def _called(what: str, group: str, name: str) -> str:
    entry = offered(group)[name]
    return f"{what} {name!r} of the package {entry.dist.name if entry.dist else entry.value}"
