"""Exams of trainings by the command, and what they say of plants. Knows nothing of rows."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.processes import ProcessError, clean_environment, run

PLANTS = 20  # of an exam
TIMEOUT = 900.0  # [s] of one exam


def examine(directory: Path, name: str, *, engines: Sequence[str] = (), with_hour: bool = False) -> dict[str, Any]:
    """What `sac_control exam` says of the run `name` in `directory`/runs, or under `error` why it says nothing.

    Args:
        directory: where `runs/` is.
        name: of the run.
        engines: in which it is examined; none: those of its task.
        with_hour: ask for an hour, too.
    """
    command = [sys.executable, "-m", "sac_control", "exam", name, "--json", *(["--hour"] if with_hour else [])]
    command += [argument for engine in engines for argument in ("--engine", engine)]
    done = run(command, timeout=TIMEOUT, directory=directory, environment=clean_environment())
    try:
        found = done.answer
    except ProcessError as error:
        return {"error": str(error)}
    keys = ("on_plants", "pushes", "motion", "hours", "needed", "episodes", "seconds")
    return {key: found[key] for key in keys}


def kept(outcome: dict[str, Any], engine: str, *, is_passed: bool = False) -> int:
    """Plants in `engine` on which every episode was kept, or as many as pass; 0 where nothing was examined."""
    return sum(each["kept"] >= _needed(outcome, is_passed) for each in _on_plants(outcome, engine))


def missed(outcome: dict[str, Any], engine: str, *, is_passed: bool = False) -> str:
    """The other plants in `engine`, each with the episodes kept on it, as text."""
    others = [each for each in _on_plants(outcome, engine) if each["kept"] < _needed(outcome, is_passed)]
    return ", ".join(f"{each['plant']} ({each['kept']})" for each in others) or "none"


def _on_plants(outcome: dict[str, Any], engine: str) -> list[dict[str, Any]]:
    return [each for each in (outcome["exam"] or {}).get("on_plants", ()) if each["engine"] == engine]


def _needed(outcome: dict[str, Any], is_passed: bool) -> int:
    return int(outcome["exam"]["needed" if is_passed else "episodes"])
