"""Reads a file of plants: a name for each, and what of the robot differs from its description there."""

from __future__ import annotations

from pathlib import Path

from sac_control.errors import ConfigError
from sac_control.tasks.ranges_reader import VELOCITY, read_ranges
from sac_control.tasks.yaml_reader import Entry, read_yaml
from sac_control.types import Specification, is_name
from sac_control.variation.plants import Plant

_EXAMPLE = "plants, such as heavy: {mass: 2}"
_LONGEST_NAME = 100  # letters


def read_plants(path: Path, specification: Specification) -> list[Plant]:
    """The plants in a YAML file: ``heavy cart: {mass: {cart: 2}, latency: {commands: 1}}`` and so on.

    Raises:
        ConfigError: the file cannot be read or understood, or a robot with these joints has no such plants; file and
            line are told.
    """
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ConfigError(f"cannot read the plants in {path}: {reason}") from error
    content = read_yaml(text, path, "plants file", _EXAMPLE)
    plants = [_plant(name, entry, specification) for name, entry in content.mapping().items()]
    if not plants:
        content.refuse(f"has no plant: expected {_EXAMPLE}")
    return plants


def _plant(name: str, entry: Entry, specification: Specification) -> Plant:
    if not is_name(name) or len(name) > _LONGEST_NAME:
        entry.refuse(f"is not a name: expected at most {_LONGEST_NAME} letters that can be printed")
    entries = entry.mapping()
    ranges = read_ranges(entries, specification.joints, specification.actuated_joints)
    for each in ranges.ranges:
        if each.low != each.high:
            field = VELOCITY if each.quantity.field == "difference" else each.quantity.field
            entries[field].refuse(
                f"lets {each.quantity} be from {each.low:g} to {each.high:g}: expected one value, for it is one plant"
            )
    return Plant(name=name, variation={each.quantity: each.low for each in ranges.ranges})
