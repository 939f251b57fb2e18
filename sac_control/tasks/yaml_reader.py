"""Reads a YAML file strictly: every complaint names the file, the line, what was got and what was expected."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import yaml

from sac_control.errors import ConfigError
from sac_control.option import suggest

_WHOLE = ("task file", "setting", "plants file")  # their keys have no other in front
# libyaml, which reads parameters for ROS, too: fifteen times as fast as PyYAML alone, and each process reads files.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DEEPEST = 100  # levels of lists and mappings: each takes a part of the stack, whose end libyaml's binding does not see
_A_TASK = "a task; sac_control new-task ROBOT.urdf writes a first one"


class Entry:
    """A value of a YAML file with the place where it stands.

    Args:
        node: of the file.
        file: its path, for complaints.
        key: of the value, for complaints.
    """

    def __init__(self, node: yaml.Node, file: Path, key: str) -> None:
        self.node, self.file, self.key = node, file, key

    def refuse(self, complaint: str) -> NoReturn:
        """Raise a ConfigError that names file, line and key."""
        raise ConfigError(f"{self.file}, line {self.node.start_mark.line + 1}: {self.key} {complaint}")

    def mapping(self, known: Iterable[str] | None = None, required: Iterable[str] = ()) -> dict[str, Entry]:
        """Its keys and values; every key is one of `known`, where that is given, and all of `required` are there."""
        if not isinstance(self.node, yaml.MappingNode):
            self.refuse(f"is {self.shown}: expected keys with values")
        entries: dict[str, Entry] = {}
        for key, value in self.node.value:
            place = Entry(key, self.file, f"{self.key} key")
            name = place.text()
            if name in entries:
                place.refuse(f"{name!r} is given twice: expected once")
            if known is not None and name not in known:
                place.refuse(f"{name!r} is not known; {suggest(name, known)}")
            entries[name] = Entry(value, self.file, name if self.key in _WHOLE else f"{self.key}.{name}")
        missing = [name for name in required if name not in entries]
        if missing:
            self.refuse(f"has no {missing[0]}: expected {', '.join(required)}")
        return entries

    def sequence(self) -> list[Entry]:
        """Its items."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.refuse(f"is {self.shown}: expected a list such as [a, b]")
        return [Entry(item, self.file, f"{self.key}[{index}]") for index, item in enumerate(self.node.value)]

    def text(self) -> str:
        """A text, which must not be empty. Numbers are texts, too."""
        if not isinstance(self.node, yaml.ScalarNode) or not self.node.value.strip():
            self.refuse(f"is {self.shown}: expected text")
        return str(self.node.value).strip()

    def number(self, *, above: float = -math.inf) -> float:
        """A finite number greater than `above`."""
        text = self.node.value if isinstance(self.node, yaml.ScalarNode) else ""
        expected = "a number" if above == -math.inf else f"a number greater than {above:g}"
        try:
            value = float(text)
        except ValueError:
            self.refuse(f"is {self.shown}: expected {expected}")
        if not math.isfinite(value) or not value > above:
            self.refuse(f"is {self.shown}: expected {expected}")
        return value

    def whole_number(self) -> int:
        """A whole number greater than 0."""
        value = self.number(above=0)
        if value != int(value):
            self.refuse(f"is {self.shown}: expected a whole number")
        return int(value)

    def truth(self) -> bool:
        """True or false."""
        text = self.node.value if isinstance(self.node, yaml.ScalarNode) else None
        if text not in ("true", "false"):
            self.refuse(f"is {self.shown}: expected true or false")
        return bool(text == "true")

    def choice(self, names: Iterable[str]) -> str:
        """One of `names`."""
        text = self.text()
        if text not in names:
            self.refuse(f"is {text!r}, which is not known; {suggest(text, names)}")
        return text

    @property
    def shown(self) -> str:
        """The value as complaints show it."""
        if isinstance(self.node, yaml.ScalarNode):
            return repr(self.node.value)
        return "a list" if isinstance(self.node, yaml.SequenceNode) else "keys with values"


def compose(text: str) -> yaml.Node | None:
    """The nodes of a YAML text; None: it is empty.

    Where `LOADER` finds a fault, PyYAML's own parser tells of it: it shows the place.

    Raises:
        yaml.YAMLError: it is not YAML, or nested more than `DEEPEST` levels deep.
    """
    if _is_deeper(text, DEEPEST):
        raise yaml.YAMLError(f"it is nested more than {DEEPEST} levels deep")
    try:
        return yaml.compose(text, LOADER)
    except yaml.YAMLError:
        return yaml.compose(text, yaml.SafeLoader)


def _is_deeper(text: str, levels: int) -> bool:
    depth = 0
    with contextlib.suppress(yaml.YAMLError):  # whoever composes it says so
        for event in yaml.parse(text, LOADER):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > levels:
                return True
    return False


def read_yaml(text: str, file: Path, kind: str = "task file", expected: str = _A_TASK) -> Entry:
    """The whole content of a file of that kind.

    Raises:
        ConfigError: it is not YAML, or empty.
    """
    try:
        node = compose(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{file} is not YAML: {' '.join(str(error).split())}") from None
    if node is None:
        raise ConfigError(f"{file} is empty: expected {expected}")
    return Entry(node, file, kind)
