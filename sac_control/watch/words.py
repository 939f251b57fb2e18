"""Numbers as tables of Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sac_control.types import Phase
from sac_control.watch.run_files import RunFiles

MODES = ("inactive", "arming", "active", "hold", "latched fault")  # as PolicyAction.msg numbers them
REGIONS = ("unknown", "inside", "outside")
LEVELS = ("ok", "warning", "error", "stale")


def table(rows: Iterable[tuple[str, object]]) -> str:
    """Two columns; a row without a value is left out."""
    lines = [f"| {name} | {as_text(value)} |" for name, value in rows if value is not None and value != ""]
    return "\n".join(["| | |", "|---|---|", *lines]) if lines else ""


def as_text(value: object) -> str:
    """A number in few digits; text without what Markdown or HTML would read in it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "not known" if math.isnan(value) else f"{value:.4g}"
    return "".join(f"&#{ord(letter)};" if letter in "<>&|`*_[]{}\\!#" else letter for letter in str(value)).replace(
        "\n", " "
    )


def of(names: tuple[str, ...], number: Any) -> str:
    """The name of a number of a message."""
    return names[number] if isinstance(number, int) and 0 <= number < len(names) else f"{number}"


def phase(number: Any) -> str:
    """The name of a training's phase."""
    try:
        return Phase(number).name.lower()
    except ValueError:
        return str(number)


def training(path: Path, task: str, files: RunFiles, status: Mapping[str, Any], *, is_live: bool) -> str:
    """How a run is going, or went.

    Args:
        path: of the run.
        task: and algorithm.
        files: what it has written.
        status: what its learner said last; empty: nothing was heard.
        is_live: whether it is being written.
    """
    summary = {} if is_live else files.summary
    state = "ended" if not is_live else phase(status["phase"]) if status else "running"
    goal = "hardened" if summary.get("hardened") else "solved" if summary.get("solved") else ""
    title = f"### {as_text(path.name)}: {', '.join(filter(None, (goal, state)))}"
    plants = status.get("plants") or summary.get("plants")
    passed = status.get("plants_passed", summary.get("plants_passed"))
    evaluations = files.evaluations.columns.get("mean_return")
    best = path / "checkpoints" / "best"
    rows = [
        ("task", task),
        ("transitions", status.get("env_steps") or summary.get("env_steps") or _whole(files.newest("env_steps"))),
        ("episodes", len(files.episodes.columns.get("return", ()))),
        ("updates", status.get("updates") or summary.get("updates")),
        ("policy version", status.get("policy_version") or summary.get("policy_version")),
        ("mean return of 100", status.get("mean_return") or files.newest("mean_return")),
        ("last evaluation", evaluations[-1] if evaluations else None),
        ("plants passed", f"{passed} of {plants}" if plants else None),
        ("exam", _exam(files.exam)),
        ("best checkpoint", str(best.readlink()) if best.is_symlink() else None),
        (
            "transitions per second",
            (status.get("steps_per_second") or files.newest("steps_per_second")) if is_live else None,
        ),
        ("temperature α", files.newest("alpha")),
        ("lines left out of its tables", files.damaged or None),
    ]
    return f"{title}\n\n{table(rows)}"


def policy_table(policy: Mapping[str, Any], action: Mapping[str, Any]) -> str:
    """How the policy node is doing."""
    number = action.get("mode", policy.get("mode"))
    region = action.get("region", policy.get("region"))
    return table(
        [
            ("mode", None if number is None else of(MODES, number)),
            ("cause", policy.get("cause")),
            ("policy version", action.get("version", policy.get("policy_version"))),
            ("run", policy.get("run")),
            ("region of training", None if region is None else of(REGIONS, region)),
            ("hot swaps", policy.get("swaps")),
            ("newest offer", policy.get("offered_verdict")),
            ("states refused", policy.get("rejected_states") or None),
            ("weights refused", policy.get("rejected_weights") or None),
        ]
    )


def diagnostics_table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """What each node says of its health."""
    return table((name, f"{of(LEVELS, each['level'])}: {each['message']}") for name, each in sorted(found.items()))


def _exam(found: Mapping[str, Any]) -> str | None:
    if not found:
        return None
    worst = found.get("worst")
    name = f", worst: {worst['plant']}" if isinstance(worst, dict) and worst.get("plant") else ""
    return f"{'passed' if found.get('is_passed') else 'not passed'}{name}"


def _whole(value: float | None) -> int | None:
    return None if value is None or math.isnan(value) else int(value)
