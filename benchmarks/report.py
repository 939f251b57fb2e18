"""docs/benchmarks.md, from results.json alone: a table with all lines and their goals, and a section for each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.reasons import REASONS
from benchmarks.rows import ROWS, Row
from benchmarks.table import Goal, Line

_INTRODUCTION = """\
# Benchmarks

Written by `make bench` from `benchmarks/results.json`; do not edit. `make bench` measures everything (hours),
`make bench ARGS="--quick"` less of it in less than 10 minutes, `make bench ARGS="--rows solve,updates"` some rows only.

Each line is a median over runs, or over rounds in which contenders took turns, beside what the peers reached in the
same run on the same machine. A run that failed or was ended counts as one that never got there, in the median and in
the worst case; *never* is where that leaves no figure. Intervals hold the true median with 95 % probability: they are
order statistics (exact, whatever the distribution), and where there are too few values for that, their range with its
probability in brackets. Seeds count from 0 and were never used to choose a setting."""


def render(rows: Mapping[str, Any]) -> str:
    """The whole page.

    Args:
        rows: the records of results.json, by the name of their row.
    """
    measured = [(row, rows[row.NAME]) for row in ROWS if row.NAME in rows]
    text = [_INTRODUCTION, "", *_machines(measured), *_shortened(measured), "", "## The table", ""]
    text += ["| what | peers, same run | median | interval | worst | runs | goals |", "|---|---|---|---|---|---|---|"]
    open_goals: list[tuple[Line, Goal]] = []
    for row, record in measured:
        for line in _lines(row, record):
            text.append(_table_row(line))
            open_goals += [(line, goal) for goal in line.goals if not goal.met]
    text += ["", *_tally(measured), "", *_explain(open_goals)]
    for row, record in measured:
        text += ["", f"## {row.TITLE}", "", *_provenance(record), ""]
        if "result" in record:
            text += row.details(record["result"])
    missing = [row.NAME for row in ROWS if row.NAME not in rows]
    if missing:
        text += ["", "## Not measured yet", "", f"Rows {', '.join(missing)}."]
    return "\n".join(text) + "\n"


def plain(row: Row, record: Mapping[str, Any]) -> str:
    """The lines of one row as text, for people who watch."""
    texts = []
    for line in _lines(row, record):
        goals = "; ".join(_goal(goal) for goal in line.goals)
        texts.append(f"  {line.what}: {line.median} [{line.interval}], worst {line.worst}, {line.runs}. {goals}")
    return "\n".join(texts) or "  measured"


def _lines(row: Row, record: Mapping[str, Any]) -> list[Line]:
    if "result" not in record:
        return [Line(key=row.NAME, what=row.TITLE, median=f"not measured: {record['error']}")]
    return row.lines(record["result"])


def _table_row(line: Line) -> str:
    goals = "<br>".join(_goal(goal) for goal in line.goals) or "–"
    cells = (line.what, line.peers, line.median, line.interval, line.worst, line.runs, goals)
    return "| " + " | ".join(_escape(cell) for cell in cells) + " |"


def _escape(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ")


def _goal(goal: Goal) -> str:
    verdict = {True: "**met**", False: "**not met**", None: "cannot be told"}[goal.met]
    return f"{goal.text}: {verdict}" + (f" ({goal.reached})" if goal.reached else "")


def _tally(measured: Sequence[tuple[Row, Mapping[str, Any]]]) -> list[str]:
    goals = [goal for row, record in measured for line in _lines(row, record) for goal in line.goals]
    met, unknown = sum(goal.met is True for goal in goals), sum(goal.met is None for goal in goals)
    return [f"{met} of {len(goals)} goals are met, {len(goals) - met - unknown} are not, {unknown} cannot be told."]


def _explain(open_goals: Sequence[tuple[Line, Goal]]) -> list[str]:
    """Why goals are not met, line by line."""
    failed = {line.key: line for line, goal in open_goals if goal.met is False}
    if not failed:
        return []
    text = ["Where a goal is not met:", ""]
    for key, line in failed.items():
        text.append(f"- *{line.what}*: {REASONS.get(key, 'the reason is not known yet.')}")
    return text


def _machines(measured: Sequence[tuple[Row, Mapping[str, Any]]]) -> list[str]:
    """The machine, or each of them with the rows that it measured."""
    rows_of: dict[str, list[str]] = {}
    for row, record in measured:
        words = ", ".join(f"{key} {value}" for key, value in record["machine"].items())
        rows_of.setdefault(words, []).append(row.NAME)
    if len(rows_of) == 1:
        return [f"Machine: {next(iter(rows_of))}."]
    return [f"- Rows {', '.join(names)}: {words}." for words, names in rows_of.items()]


def _shortened(measured: Sequence[tuple[Row, Mapping[str, Any]]]) -> list[str]:
    """A warning where rows were measured for less than the whole time."""
    names = [f"{row.NAME} ({record['form']})" for row, record in measured if record["form"] != "full"]
    return ["", f"**Not in the full form, and so of little weight: {', '.join(names)}.**"] if names else []


def _provenance(record: Mapping[str, Any]) -> list[str]:
    text = (
        f"Measured {record['date']} at commit {record['commit']}, form {record['form']}, in {record['seconds']:.0f} s; "
        f"when it began, other processes kept {record['busy_cores']:.1f} cores busy."
    )
    if "error" in record:
        what = "Interrupted" if "result" in record else "Not measured"
        text += f" {what}: {record['error']}."
    return [text]
