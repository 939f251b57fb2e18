"""Reads the exam of a task file."""

from __future__ import annotations

from sac_control.tasks.exam import ExamContent
from sac_control.tasks.expression_reader import read_expression
from sac_control.tasks.ranges_reader import read_ranges
from sac_control.tasks.yaml_reader import Entry


def read_exam(entry: Entry, joints: tuple[str, ...], driven: tuple[str, ...], duration: float) -> ExamContent | None:
    """The exam that `entry` says; None where it names nothing that varies.

    Args:
        entry: a mapping.
        joints, driven: names.
        duration: of an episode [s].

    Raises:
        ConfigError: something in it cannot be understood; file and line are told.
    """
    entries = entry.mapping()
    kept, kept_for = entries.pop("kept", None), entries.pop("kept_for", None)
    if (kept is None) != (kept_for is None):
        entry.refuse("has one of kept and kept_for: expected both, such as kept: abs(pole) < 0.2 and kept_for: 5 [s]")
    ranges = read_ranges(entries, joints, driven)
    if not ranges:
        return None
    seconds = 0.0 if kept_for is None else kept_for.number(above=0.0)
    if seconds > duration:
        entry.refuse(f"has kept_for of {seconds:g} s: expected at most an episode, which lasts {duration:g} s")
    condition = None if kept is None else read_expression(kept, joints, driven)
    return ExamContent(ranges=ranges, kept=condition, kept_for=seconds)
