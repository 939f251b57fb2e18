"""What an exam found, as a table for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from sac_control.exam import measures
from sac_control.exam.findings import Findings
from sac_control.policy.exam_verdict import together
from sac_control.types import unit_of

_PUSH_UNITS = {"m": "N s", "rad": "N m s"}  # of an impulse on a joint whose position has that unit


def as_text(found: Findings) -> str:
    """Rows of plants and of what else was measured, a column for each engine, and the verdict."""
    rows = [("episodes kept on the plant", *found.engines), *_plants(found), *_pushes(found), *_motion(found)]
    rows += _hours(found)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]
    return "\n".join([*lines, *_notes(found), in_one_line(found)])


def in_one_line(found: Findings) -> str:
    """Whether it was passed, and if not, why."""
    verdict = found.verdict
    count = f"{verdict.passed} of {verdict.judged} plants, in {together(found.engines)}"
    text = (
        f"{'passed' if found.is_passed else 'failed'}: {count}, kept in at least {found.needed} of {found.episodes} "
        f"episodes; worst: {verdict.worst}, {verdict.worst_kept}"
    )
    fallen = sum(not hour.is_kept for hour in found.hours)
    hours = f"; {len(found.hours) - fallen} of {len(found.hours)} hours kept" if found.hours else ""
    return f"{text}{hours}; {found.seconds:.0f} s"


def _plants(found: Findings) -> Iterator[tuple[str, ...]]:
    for plant in found.plants:
        cells = (found.of_plant(plant, engine) for engine in found.engines)
        yield plant, *("-" if cell is None else f"{cell.kept} of {found.episodes}" for cell in cells)
    counts = []
    for engine in found.engines:
        here = [each for each in found.on_plants if each.engine == engine]
        counts.append(f"{sum(each.kept == found.episodes for each in here)} of {len(here)}")
    yield "plants on which all were kept", *counts


def _pushes(found: Findings) -> Iterator[tuple[str, ...]]:
    for joint in dict.fromkeys(push.joint for push in found.pushes):
        largest = [push.largest for push in found.pushes if push.joint == joint]
        cells = (f"{'≥ ' if value >= measures.LARGEST_PUSH else ''}{value:.3g}" for value in largest)
        yield f"largest push on {joint} survived [{_push_unit(found.units.get(joint))}]", *cells


def _motion(found: Findings) -> Iterator[tuple[str, ...]]:
    names, limits = found.specification.actuated_joints, found.specification.command_limit
    driven = zip(names, found.specification.interface, strict=True)
    units = [unit_of(interface, found.units.get(joint)) for joint, interface in driven]
    for joint in found.specification.joints:
        yield (
            f"RMS of position({joint}) [{_unit(found, joint)}]",
            *(_number(each.position.get(joint)) for each in found.motion),
        )
    for joint, unit, limit in zip(names, units, limits, strict=True):
        yield f"RMS of command({joint}) [{unit}]", *(_number(each.command.get(joint)) for each in found.motion)
        label = f"RMS of its change per period [{unit}], limit {limit:g}"
        yield label, *(_number(each.command_change.get(joint)) for each in found.motion)


def _hours(found: Findings) -> Iterator[tuple[str, ...]]:
    if not found.hours:
        return
    of = {engine: [hour for hour in found.hours if hour.engine == engine] for engine in found.engines}
    yield "hours of robot time kept", *(f"{sum(hour.is_kept for hour in of[e])} of {len(of[e])}" for e in found.engines)
    yield "shortest [s]", *(f"{min(hour.seconds for hour in of[engine]):.0f}" for engine in found.engines)
    for joint in found.specification.joints:
        largest = (max(hour.largest[joint] for hour in of[engine]) for engine in found.engines)
        yield f"largest |{joint}| after a minute [{_unit(found, joint)}]", *map(_number, largest)


def _notes(found: Findings) -> Iterator[str]:
    lasted = min(each.episodes for each in found.motion)
    yield (
        f"RMS: last {measures.CHATTER_PERIODS} periods of {lasted} episodes that lasted, measured with noise of "
        f"{measures.POSITION_NOISE:g} m or rad and {measures.VELOCITY_NOISE:g} per second"
    )
    for each in found.skipped:
        yield f"-: {each.plant}: {each.reason}"
    if found.missing_engines:
        yield f"not examined in {', '.join(found.missing_engines)}, not installed here"


def _unit(found: Findings, joint: str) -> str:
    return unit_of("position", found.units.get(joint))


def _push_unit(position_unit: str | None) -> str:
    return " or ".join(_PUSH_UNITS.values()) if position_unit is None else _PUSH_UNITS[position_unit]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
