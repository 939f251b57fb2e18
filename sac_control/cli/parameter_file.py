"""ROS parameter files, read by the rules of ROS (rcl_yaml_param_parser, rclpy). Knows no setting and no node."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sac_control.errors import ConfigError
from sac_control.tasks.yaml_reader import LOADER, compose

_KEY = "ros__parameters"
_NULL = "tag:yaml.org,2002:null"
_NAME = re.compile(r"(/(\*\*?|[A-Za-z_][A-Za-z0-9_]*))+")


@dataclass(frozen=True, kw_only=True)
class Section:
    """What a file says for one node, or for all whose names fit."""

    name: str  # from the root, such as /robot/learner; * stands for one name, ** for any number of names
    line: int  # in the file, from 1
    parameters: Mapping[str, Any]  # names below names are joined by dots

    def is_for(self, node: str) -> bool:
        """Whether it is for the node of the full name `node`."""
        return re.fullmatch(self.name.replace("/*", r"(/\w+)"), node) is not None  # "/**" becomes "(/\w+)*"

    @property
    def is_for_many(self) -> bool:
        """Whether the last of its names stands for any."""
        return self.name.endswith("*")


def read_sections(path: Path) -> tuple[Section, ...]:
    """All sections in the order of the file, by which a later one is stronger.

    Raises:
        ConfigError: the file cannot be read, is no ROS parameter file, or says something twice.
    """
    try:
        text = path.read_text()
        root = compose(text)
        aliases = [event for event in yaml.parse(text, LOADER) if isinstance(event, yaml.AliasEvent)]
    except (OSError, ValueError, yaml.YAMLError) as error:  # ValueError: not UTF-8
        raise ConfigError(f"cannot read configuration {path}: {error}") from error
    if aliases:
        raise ConfigError(f"{path}: ROS takes no aliases: write the value out instead of *{aliases[0].anchor}")
    if root is None or (isinstance(root, yaml.ScalarNode) and root.tag == _NULL):
        return ()
    try:
        sections = tuple(_sections(root, ""))
    except ConfigError as error:
        raise ConfigError(f"{path}, {error}") from error
    except (ValueError, yaml.YAMLError) as error:  # ValueError: a date such as 2026-99-99
        raise ConfigError(f"cannot read configuration {path}: {error}") from error
    first: dict[str, int] = {}
    for section in sections:
        if section.name in first:
            raise ConfigError(
                f"{path}, line {section.line}: the node {section.name} is defined twice, first in line "
                f"{first[section.name]}: put all of its settings in one place"
            )
        first[section.name] = section.line
    return sections


def _sections(node: yaml.Node, name: str, line: int = 1) -> Iterator[Section]:
    """The sections below the name in a line, "" for the whole file."""
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(f"line {line}: expected node names with {_KEY} below each")
    entries = _entries(node)
    for key, (at, value) in entries.items():
        is_mapping, is_empty = isinstance(value, yaml.MappingNode), value.tag == _NULL
        if key == _KEY and name and len(entries) == 1:
            full = name if name.startswith("/") else f"/{name}"
            if _NAME.fullmatch(full) is None:
                raise ConfigError(f"line {line}: {name!r} is not a node name, nor a pattern with * and **")
            if not is_mapping and not is_empty:
                raise ConfigError(f"line {at}: section {name!r} is {_plain(value)!r}: expected keys with values")
            yield Section(name=full, line=line, parameters=_parameters(value))
        elif key == _KEY or not is_mapping:
            raise ConfigError(
                f"line {at}: below {name or key!r} exactly the key {_KEY} is expected, with the settings below it, "
                "or names of nodes"
            )
        elif name and "/" in key:
            raise ConfigError(
                f"line {at}: ROS misreads a name with / below another one: write {key!r} below {name!r} as one name, "
                "or nest each part"
            )
        else:
            yield from _sections(value, f"{name.removesuffix('/')}/{key}" if name else key, at)


def _parameters(node: yaml.Node) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, line, value in _leaves(node, ""):
        if name in found:
            raise ConfigError(f"line {line}: {name!r} is defined twice: leave one of the two out")
        found[name] = _plain(value)
    return found


def _leaves(node: yaml.Node, prefix: str) -> Iterator[tuple[str, int, yaml.Node]]:
    """Each parameter with its line."""
    if isinstance(node, yaml.MappingNode):
        for key, (line, value) in _entries(node).items():
            name = f"{prefix}.{key}" if prefix else key
            if isinstance(value, yaml.MappingNode):
                yield from _leaves(value, name)
            else:
                yield name, line, value


def _entries(node: yaml.MappingNode) -> dict[str, tuple[int, yaml.Node]]:
    """Keys, as they are spelled, with line and value."""
    entries: dict[str, tuple[int, yaml.Node]] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise ConfigError(f"line {line}: expected a name before the colon")
        if key.value in entries:
            raise ConfigError(
                f"line {line}: {key.value!r} is defined twice, first in line {entries[key.value][0]}: "
                "put all that is below it in one place"
            )
        entries[key.value] = line, value
    return entries


def _plain(node: yaml.Node) -> Any:
    return yaml.constructor.SafeConstructor().construct_object(node, deep=True)  # type: ignore[no-untyped-call]
