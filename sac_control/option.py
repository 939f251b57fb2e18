"""What a setting is: a field of a dataclass with a description and a range, checked when made. Knows no setting."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar, get_type_hints

from sac_control import per_joint
from sac_control.errors import ConfigError

PerJoint = float | str  # one number for all joints, or text that names each: "arm: 0.05, wheel: 3"
ConfigType = TypeVar("ConfigType", bound="Config")


@dataclass(frozen=True, kw_only=True)
class OptionInfo:
    """What is known of a setting beside its name, type and default."""

    description: str  # one line, with the unit in brackets
    low: float | None = None  # smallest allowed value, inclusive
    high: float | None = None  # largest allowed value, inclusive
    choices: tuple[str, ...] = ()  # allowed values of a text setting
    pattern: str = ""  # regular expression that a text setting matches; empty: any text
    form: str = ""  # the same in words
    is_verbatim: bool = False  # on a command line it is taken as it stands, not read as YAML

    def allowed(self) -> str:
        """The allowed values in words."""
        if self.form:
            return self.form
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.low is not None and self.high is not None:
            return f"from {self.low:g} to {self.high:g}"
        return f"at least {self.low:g}" if self.low is not None else "any value"


def option(
    default: Any,
    description: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    pattern: str = "",
    form: str = "",
    is_verbatim: bool = False,
) -> Any:
    """A dataclass field with its description and its allowed values."""
    info = OptionInfo(
        description=description,
        low=low,
        high=high,
        choices=choices,
        pattern=pattern,
        form=form,
        is_verbatim=is_verbatim,
    )
    return dataclasses.field(default=default, metadata={"option": info})


@dataclass(frozen=True, kw_only=True)
class Config:
    """Base of all configurations: checks types and ranges when made, so an object that exists is valid."""

    renamed: ClassVar[Mapping[str, str]] = {}  # names of today by those of before, which were numbers with default 0

    def __post_init__(self) -> None:
        for name, kind in self.types().items():
            value = self._checked(name, kind, getattr(self, name))
            object.__setattr__(self, name, value)

    @classmethod
    def types(cls) -> Mapping[str, Any]:
        """Name and type of each setting."""
        return _types(cls)  # type: ignore[arg-type]  # mypy takes the hash of an object for that of its class

    @classmethod
    def info(cls, name: str) -> OptionInfo:
        """Description and range of the setting `name`."""
        for field in dataclasses.fields(cls):
            if field.name == name:
                info: OptionInfo = field.metadata["option"]
                return info
        raise KeyError(name)

    @classmethod
    def section(cls) -> str:
        """Name of the node that these settings belong to: ``simulator`` for ``SimulatorConfig``."""
        return cls.__name__.removesuffix("Config").lower()

    @classmethod
    def from_mapping(cls: type[ConfigType], values: Mapping[str, Any]) -> ConfigType:
        """Make a configuration from names and values.

        A renamed setting that is 0 is passed over: complete configurations of before name all settings.

        Raises:
            ConfigError: a name is unknown (the nearest valid one is named) or was changed, or a value has a wrong type
                or range.
        """
        known = {}
        for name, value in values.items():
            if name in cls.types():
                known[name] = value
            elif name not in cls.renamed:
                raise ConfigError(f"{cls.section()}.{name} is not a known setting; {suggest(name, cls.types())}")
            elif value:
                raise ConfigError(f"{cls.section()}.{name} was renamed: write {cls.section()}.{cls.renamed[name]}")
        return cls(**known)

    @classmethod
    def names(cls) -> set[str]:
        """All names that `from_mapping` can know."""
        return {*cls.types(), *cls.renamed}

    def changed(self: ConfigType, values: Mapping[str, Any]) -> ConfigType:
        """A copy with other values by name; raises ConfigError as `from_mapping` does."""
        return self.from_mapping({**self.to_mapping(), **values})

    def to_mapping(self) -> dict[str, Any]:
        """All settings as plain values (tuples as lists)."""
        values = {name: getattr(self, name) for name in self.types()}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    def _checked(self, name: str, kind: Any, value: Any) -> Any:
        where, info = f"{self.section()}.{name}", self.info(name)
        if kind == tuple[int, ...]:
            if not isinstance(value, list | tuple) or not value:
                raise ConfigError(f"{where} is {value!r}: expected a list of whole numbers such as [64, 64]")
            return tuple(_checked_number(where, int, item, info) for item in value)
        if kind == PerJoint and isinstance(value, str) and ":" in value:
            per_joint.parse_numbers(where, value, low=info.low, high=info.high)
            return value
        if kind in (int, float, PerJoint):
            return _checked_number(where, int if kind is int else float, value, info)
        if not isinstance(value, kind):
            expected = {bool: "true or false", str: "text"}[kind]
            raise ConfigError(f"{where} is {value!r}: expected {expected}")
        is_foreign = info.choices and value not in info.choices
        if is_foreign or (info.pattern and re.fullmatch(info.pattern, value) is None):
            raise ConfigError(f"{where} is {value!r}: expected {info.allowed()}")
        return value


@functools.cache  # annotations are text, which is compiled anew each time: milliseconds for each object that is made
def _types(cls: type[Config]) -> Mapping[str, Any]:
    hints = get_type_hints(cls)
    return MappingProxyType({field.name: hints[field.name] for field in dataclasses.fields(cls)})


def suggest(name: str, valid: Iterable[str]) -> str:
    """A half-sentence that names the valid name nearest to `name`, or all of them where none is near."""
    valid = list(valid)
    near = difflib.get_close_matches(name, valid, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(valid)}"


def _checked_number(where: str, kind: type, value: Any, info: OptionInfo) -> int | float:
    expected = f"expected a {'whole ' if kind is int else ''}number, {info.allowed()}"
    if kind is float and isinstance(value, str):  # YAML 1.1 reads 1e-3 as text: it wants 1.0e-3
        try:
            value = float(value)
        except ValueError:
            raise ConfigError(f"{where} is {value!r}: {expected}") from None
    if isinstance(value, bool) or not isinstance(value, int if kind is int else int | float):
        raise ConfigError(f"{where} is {value!r}: {expected}")
    too_low = info.low is not None and value < info.low
    too_high = info.high is not None and value > info.high
    if too_low or too_high or not math.isfinite(value):
        raise ConfigError(f"{where} is {value!r}: {expected}")
    return kind(value)  # type: ignore[no-any-return]
