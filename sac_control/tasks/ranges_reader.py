"""Reads ranges of what may vary, from a task file or from the text of a setting."""

from __future__ import annotations

from pathlib import Path

import yaml

from sac_control.errors import ConfigError
from sac_control.option import suggest
from sac_control.tasks.yaml_reader import Entry, compose
from sac_control.types import Specification
from sac_control.variation.fields import FIELDS, Of, Quantity, targets
from sac_control.variation.ranges import Range, Ranges

VELOCITY = "velocity"  # how velocities are measured: as a difference of positions, or by themselves
_WAYS = {"difference": 1.0, "measured": 0.0}
_KEYS = (*(name for name in FIELDS if name != "difference"), VELOCITY)
_DIFFERENT_UNITS = (Of.HINGE, Of.POSITION, Of.SIGNAL, Of.WIRE)  # one range for all of them would mean little


def read_ranges(entries: dict[str, Entry], joints: tuple[str, ...], driven: tuple[str, ...]) -> Ranges:
    """The ranges that keys with values give: ``mass: [0.5, 2]``, ``friction: {slider: [0, 10]}``, ``latency: …``.

    Raises:
        ConfigError: a key, joint or value is not one that a robot with these joints has; file and line are told.
    """
    ranges: list[Range] = []
    for name, entry in entries.items():
        if name not in _KEYS:
            entry.refuse(f"cannot vary; {suggest(name, _KEYS)}")
        if name == VELOCITY:
            way = _WAYS[entry.choice(_WAYS)]
            ranges.append(Range(quantity=Quantity("difference"), low=way, high=way))
            continue
        for of, each in _by_target(name, entry, joints, driven).items():
            low, high = _bounds(each)
            for bound in (low, high):
                if not FIELDS[name].allows(bound):
                    each.refuse(f"reaches {bound:g}: expected {FIELDS[name].allowed} [{FIELDS[name].unit}]")
            ranges.append(Range(quantity=Quantity(name, of), low=low, high=high))
    return Ranges(tuple(ranges))


def ranges_of_setting(text: str, setting: str, specification: Specification) -> Ranges:
    """The ranges that a setting gives as YAML in one line, such as ``{mass: [0.5, 2], latency: {commands: [0, 2]}}``.

    Args:
        text: its value.
        setting: its name, for complaints.
        specification: of the task.

    Raises:
        ConfigError: it is not YAML, or as `read_ranges` does.
    """
    try:
        node = compose(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{setting} is {text!r:.200}, which is not YAML: {' '.join(str(error).split())}") from None
    if node is None:
        return Ranges()
    entries = Entry(node, Path(setting), "setting").mapping()
    return read_ranges(entries, specification.joints, specification.actuated_joints)


def _by_target(name: str, entry: Entry, joints: tuple[str, ...], driven: tuple[str, ...]) -> dict[str, Entry]:
    """What each joint, signal or wire is given."""
    known = targets(name, joints, driven, joints)
    if isinstance(entry.node, yaml.MappingNode) and any(known):
        return entry.mapping(known)
    if FIELDS[name].of in _DIFFERENT_UNITS or (any(known) and not FIELDS[name].is_factor):
        entry.refuse(
            f"is one range: expected one of each {FIELDS[name].of.value}, such as {{{known[-1]}: [low, high]}}"
        )
    return dict.fromkeys(known, entry)


def _bounds(entry: Entry) -> tuple[float, float]:
    """Of ``[low, high]`` or of one number."""
    if isinstance(entry.node, yaml.ScalarNode):
        value = entry.number()
        return value, value
    bounds = [item.number() for item in entry.sequence()]
    if len(bounds) != 2 or bounds[0] > bounds[1]:
        entry.refuse(f"is {bounds}: expected [low, high] with low at most high, or a number")
    return bounds[0], bounds[1]
