"""The text of a message type, with all that it consists of, from the files of a ROS installation."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from sac_control.errors import ConfigError

_FIELD = re.compile(r"^\s*([A-Za-z][\w/]*)(?:<=\d+)?(?:\[[^\]]*\])?\s+[A-Za-z]")
_SEPARATOR = "=" * 80
_NUMBERS = "byte char float32 float64 int8 uint8 int16 uint16 int32 uint32 int64 uint64"
_PRIMITIVES = {"bool", "string", "wstring", *_NUMBERS.split()}


def prefixes() -> tuple[Path, ...]:
    """Where ROS packages are looked for: as AMENT_PREFIX_PATH says, and where Python is."""
    named = filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep))
    return tuple(dict.fromkeys(map(Path, [*named, sys.prefix])))


def definition(name: str, places: Sequence[Path]) -> str:
    """The definition of ``package/msg/Type`` as bags hold it: its text, and then that of each type that it has.

    Raises:
        ConfigError: the file of a type is not found.
    """
    texts: dict[str, str] = {}
    wanted = [name]
    while wanted:
        each = wanted.pop(0)
        if each in texts:
            continue
        texts[each] = text = _file(each, ".msg", places).read_text()
        package = each.split("/")[0]
        wanted += [_full(field, package) for field in _fields(text)]
    first, *rest = texts.items()
    parts = [first[1], *(f"MSG: {each.replace('/msg/', '/')}\n{text}" for each, text in rest)]
    return f"\n{_SEPARATOR}\n".join(parts)


def type_hash(name: str, places: Sequence[Path]) -> str:
    """What ROS calls the version of a type, ``RIHS01_…``; empty where the installation does not say it."""
    try:
        description = json.loads(_file(name, ".json", places).read_text())
        hashes = {each["type_name"]: str(each["hash_string"]) for each in description["type_hashes"]}
    except (ConfigError, OSError, ValueError, KeyError, TypeError):
        return ""
    return hashes.get(name, "")


def _fields(text: str) -> list[str]:
    """Types of the fields that are messages themselves."""
    found = [match[1] for line in text.splitlines() if (match := _FIELD.match(line.split("#")[0] + " ")) is not None]
    return [each for each in found if each not in _PRIMITIVES]


def _full(name: str, package: str) -> str:
    owner, _, own = name.replace("/msg/", "/").rpartition("/")
    return f"{owner or package}/msg/{own}"


def _file(name: str, suffix: str, places: Sequence[Path]) -> Path:
    package, _, own = name.partition("/msg/")
    for place in places:
        path = place / "share" / package / "msg" / f"{own}{suffix}"
        if path.exists():
            return path
    raise ConfigError(f"the definition of message {name} is not found: source the ROS installation that has it")
