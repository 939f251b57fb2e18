"""Exams of trainings by the command, and what they say of plants. Knows nothing of rows."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.processes import ProcessError, clean_environment, run
from benchmarks.training import dump

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


def kept(outcome: dict[str, Any], engine: str) -> int:
    """Plants in `engine` on which every episode was kept; 0 where nothing was examined."""
    return sum(each["kept"] == outcome["exam"]["episodes"] for each in _on_plants(outcome, engine))


def missed(outcome: dict[str, Any], engine: str) -> str:
    """The other plants in `engine`, each with the episodes kept on it, as text; empty where nothing was examined."""
    plants = _on_plants(outcome, engine)
    others = [each for each in plants if each["kept"] < outcome["exam"]["episodes"]]
    return ", ".join(f"{each['plant']} ({each['kept']})" for each in others) or ("none" if plants else "")


def told(outcome: dict[str, Any], engines: Sequence[str]) -> str:
    """A training and its exam in two lines, for people who watch."""
    training = dump({key: value for key, value in outcome.items() if key != "exam"})
    return f"{training}\n  kept in {', '.join(f'{engine}: {kept(outcome, engine)} of {PLANTS}' for engine in engines)}"


def count_hardened(runs: Sequence[dict[str, Any]]) -> str:
    """How many runs were hardened: `9 of 10 hardened`."""
    return f"{sum(bool(run.get('hardened')) for run in runs)} of {len(runs)} hardened"


def _on_plants(outcome: dict[str, Any], engine: str) -> list[dict[str, Any]]:
    return [each for each in (outcome["exam"] or {}).get("on_plants", ()) if each["engine"] == engine]
