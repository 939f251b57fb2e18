"""The verb report: all that a run has left behind, on one page that can be kept or sent."""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sac_control.cli.aftermath import draw
from sac_control.cli.options import ReportOptions
from sac_control.cli.plot import find_run
from sac_control.errors import ConfigError, RunError, SacControlError
from sac_control.policy.policy_file import PolicyFile
from sac_control.store import atomic, page
from sac_control.store.run_directory import RunDirectory
from sac_control.store.table import read_columns

_ENDING = ".html"
_VERDICT = ("task", "solved", "hardened", "solved_at_step", "solved_after_seconds", "hardened_at_step", "plants_passed")
_EFFORT = ("env_steps", "updates", "wall_seconds", "seed")
_SWAPS = ("policy_version", "policy_lag_mean", "swap_gap_median", "swap_gap_max", "rollbacks", "restorations")
_WORDS = {
    "solved_at_step": "solved after transitions",
    "solved_after_seconds": "solved after [s]",
    "hardened_at_step": "hardened after transitions",
    "plants_passed": "plants passed in training",
    "env_steps": "transitions",
    "wall_seconds": "time [s]",
    "policy_version": "policies published and swapped in",
    "policy_lag_mean": "versions behind when a transition was taken, mean",
    "swap_gap_median": "longest piece of a swap's check between two ticks [s], median",
    "swap_gap_max": "longest piece of a swap's check between two ticks [s], of all swaps",
    "rollbacks": "rollbacks of updates that diverged",
    "restorations": "solutions that were lost and taken back",
}
_Section = tuple[str, str]


def report(options: ReportOptions) -> int:
    """Write the page; returns the exit code."""
    run = find_run(options.run, options.runs_dir)
    output = options.output or run.report
    if output.suffix.lower() != _ENDING:
        raise ConfigError(f"--output is {str(output)!r}: expected a file that ends with {_ENDING}")
    now = datetime.now(timezone.utc)
    text = page.page(run.name, f"report of {now:%Y-%m-%d %H:%M} UTC, by sac_control", list(sections(run)))
    try:
        atomic.write_text(output, text)
    except OSError as error:
        raise RunError(f"cannot write {output}: {error.strerror}; --output FILE writes elsewhere") from error
    print(os.path.relpath(output))
    return 0


def sections(run: RunDirectory) -> Iterator[_Section]:
    """Heading and HTML of each part; what is missing or damaged is said in its place."""
    summary, complaint = _read_json(run.summary)
    yield "Result", _result(summary, complaint)
    yield "Video of the best policy", _video(run)
    yield "Learning curve", _curve(run)
    yield "Evaluations in training", _evaluations(run)
    yield "Evaluation through nodes", _evaluation(run)
    yield "Exam", _exam(run)
    yield "Policy", _policy(run)
    if summary:
        yield "Hot swaps", page.values(_chosen(summary, _SWAPS))
        yield "Versions", page.values(summary.get("versions") or {})
    yield "Configuration", _configuration(run)


def _result(summary: Mapping[str, Any], complaint: str) -> str:
    if complaint:
        return page.paragraph(complaint)
    if not summary:
        return page.paragraph("This training has not ended, or ended without a summary.")
    return page.values({**_chosen(summary, _VERDICT), **_chosen(summary, _EFFORT)})


def _video(run: RunDirectory) -> str:
    if not run.video.exists():
        return page.paragraph(
            "None was made: sac_control train makes one of a policy that was evaluated.", is_note=True
        )
    return page.picture(run.video, "The robot under the best policy, with time, version and command")


def _curve(run: RunDirectory) -> str:
    with tempfile.TemporaryDirectory() as folder:  # drawn anew: that of the run may be of an earlier day
        picture = Path(folder, "curve.png")
        try:
            draw(run, picture)
        except RunError as error:
            print(f"warning: no curve: {error}", file=sys.stderr)
            return page.paragraph(f"No curve: {error}", is_note=True)
        return page.picture(picture, "Returns, losses, what else the algorithm tells, and updates per transition")


def _evaluations(run: RunDirectory) -> str:
    try:
        columns = read_columns(run.evaluations)
    except RunError as error:
        return page.paragraph(f"None: {error}", is_note=True)
    if not columns:
        return page.paragraph("None yet.", is_note=True)
    headings = {
        "env_steps": "transitions",
        "policy_version": "policy version",
        "mean_return": "mean return",
        "min_return": "worst",
        "solved_episodes": "episodes solved",
        "episodes": "of",
        "plants_passed": "plants passed",
        "plants_tried": "tried",
    }
    names = [name for name in headings if name in columns]
    rows = list(zip(*(map(_plain, columns[name]) for name in names), strict=True))
    return page.table([headings[name] for name in names], rows)


def _evaluation(run: RunDirectory) -> str:
    found, complaint = _read_json(run.evaluation)
    if complaint:
        return page.paragraph(complaint)
    if not found:
        return page.paragraph(f"None yet: sac_control evaluate {run.name}", is_note=True)
    low_high = found.get("interquartile_interval") or ("–", "–")
    content = {
        "date": found.get("date"),
        "policy version": ", ".join(map(str, found.get("policy_versions", []))),
        "episodes": found.get("episodes"),
        "mean return": found.get("mean_return"),
        "interquartile mean": found.get("interquartile_mean"),
        "its 95 % interval": " to ".join(f"{each:g}" if isinstance(each, float) else str(each) for each in low_high),
        "worst": found.get("min_return"),
    }
    chatter = found.get("chatter") or {}
    content |= {f"chatter of {joint}, RMS of changes per period": value for joint, value in chatter.items()}
    return page.values(content)


def _exam(run: RunDirectory) -> str:
    found, complaint = _read_json(run.exam)
    if complaint:
        return page.paragraph(complaint)
    if not found:
        return page.paragraph(f"None held yet: sac_control exam {run.name}", is_note=True)
    worst = found.get("worst") or {}
    plants = found.get("on_plants") or []
    passed = sum(each.get("kept", 0) >= found.get("needed", math.inf) for each in plants)
    content = {
        "passed": found.get("is_passed"),
        "date": found.get("date"),
        "policy version": found.get("policy_version"),
        "plants passed": f"{passed} of {len(plants)}, in {' and '.join(found.get('engines', []))}",
        "worst": f"{worst.get('plant')} in {worst.get('engine')}, {worst.get('kept')} of {found.get('episodes')} kept",
    }
    drawn = run.exam_picture.exists()
    return page.values(content) + (page.picture(run.exam_picture, "Episodes kept on each plant") if drawn else "")


def _policy(run: RunDirectory) -> str:
    try:
        path = run.policy_file()
        file = PolicyFile.read(path)
    except SacControlError as error:
        return page.paragraph(str(error), is_note=True)
    return page.values(
        {
            "file": os.path.relpath(path, run.path),
            "version": file.policy_version,
            "of transitions": file.env_steps,
            "SHA-256 of its content": file.digest.hex(),
            "signed": bool(file.signature),
            "run id": file.run_id,
            "control period [s]": file.specification.control_period,
            "joints": ", ".join(file.specification.joints),
            "observation": ", ".join(file.specification.observation),
            "hidden layers": ", ".join(map(str, file.actor.hidden_sizes)),
        }
    )


def _configuration(run: RunDirectory) -> str:
    try:
        return page.text_block("config.yaml, every setting of every node", run.config.read_text())
    except (OSError, UnicodeDecodeError) as error:
        return page.paragraph(f"{run.config} cannot be read: {error}")


def _read_json(path: Path) -> tuple[dict[str, Any], str]:
    """The content of a file, empty where there is none, and what is wrong with it."""
    if not path.exists():
        return {}, ""
    try:
        content = json.loads(path.read_text())
        is_object = isinstance(content, dict)
    except (OSError, ValueError) as error:
        return {}, f"{path.name} is damaged: {error}"
    return (content, "") if is_object else ({}, f"{path.name} is damaged: it is not an object")


def _chosen(content: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, object]:
    return {_WORDS.get(name, name.replace("_", " ")): content.get(name) for name in names if name in content}


def _plain(value: float) -> object:
    if math.isnan(value):
        return None
    return int(value) if value.is_integer() and abs(value) < 1e9 else value
