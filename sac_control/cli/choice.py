"""What people can choose, written once: a dataclass field, from which option and launch argument are made.

Knows no choice; options.py has them.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, get_type_hints

from sac_control.errors import ConfigError

T = TypeVar("T")

YES_NO = ("true", "false")


@dataclass(frozen=True, kw_only=True)
class _About:
    """What is known of a choice beside its name, type and default."""

    description: str
    unset: str  # what is taken where it is left out; empty: the default says it
    flag: str  # option of the command, where it is not the field's name
    letter: str  # its short form; empty: it has none
    metavar: str
    choices: tuple[str, ...]
    is_positional: bool
    is_for_launch: bool
    split: Callable[[str], list[str]]  # a launch argument, of which several may be given


def choice(
    description: str,
    *,
    default: Any = dataclasses.MISSING,
    unset: str = "",
    flag: str = "",
    letter: str = "",
    metavar: str = "",
    choices: tuple[str, ...] = (),
    is_positional: bool = False,
    is_for_launch: bool = True,
    split: Callable[[str], list[str]] = str.split,
) -> Any:
    """A dataclass field that the command and, unless `is_for_launch` is false, the launch file offer.

    A text, a whole number or a path is given as it stands, a sequence of texts one by one, at least one where it is
    positional (in a launch file in one text, which `split` takes apart), and a bool by an option that says the contrary
    of its default.
    """
    about = _About(
        description=description,
        unset=unset,
        flag=flag,
        letter=letter,
        metavar=metavar,
        choices=choices,
        is_positional=is_positional,
        is_for_launch=is_for_launch,
        split=split,
    )
    return dataclasses.field(default=default, metadata={"choice": about})


@dataclass(frozen=True, kw_only=True)
class Argument:
    """A launch argument; its value is text. One without a default must be given."""

    name: str
    help: str
    default: str | None = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One field of a dataclass of choices."""

    name: str
    kind: Any  # its type; None is no part of it
    default: Any  # dataclasses.MISSING where it must be given
    about: _About

    @property
    def option(self) -> str:
        """The option of the command, without the dashes."""
        return self.about.flag or self.name.replace("_", "-")

    @property
    def in_launch_words(self) -> str:
        """The launch argument that says what the option says."""
        contrary = str(not self.default).lower() if self.kind is bool else ""
        return f"{self.name}:={contrary}"

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        """Let the command take it."""
        about, default = self.about, self.default
        names = [self.name] if about.is_positional else [f"--{self.option}"]
        names += [f"-{about.letter}"] if about.letter else []
        more: dict[str, Any] = {} if about.is_positional else {"dest": self.name}
        if self.kind is bool:
            action = "store_false" if default else "store_true"
            parser.add_argument(*names, **more, action=action, help=about.description)
            return
        is_sequence = self.kind == Sequence[str]
        is_told = about.unset or not (is_sequence or default in (None, "", dataclasses.MISSING))
        told = f" (default: {about.unset or '%(default)s'})" if is_told else ""
        if is_sequence and about.is_positional:
            more["nargs"] = "+"
        elif is_sequence:
            more["action"] = "append"
            told = "; may be given many times"
        elif self.kind is not str:
            more["type"] = self.kind
        if about.choices:
            more["choices"] = about.choices
        else:
            more["metavar"] = about.metavar
        if default is not dataclasses.MISSING:
            more["default"] = list(default) if is_sequence else default
            more |= {"nargs": "?"} if about.is_positional else {}
        parser.add_argument(*names, **more, help=about.description + told)

    def launch_argument(self) -> Argument:
        """The launch argument."""
        about, default = self.about, self.default
        if self.kind is bool:
            text = f"false: {about.description}" if default else about.description
            return Argument(name=self.name, help=text, default=str(default).lower(), choices=YES_NO)
        text = about.description + (f"; empty: {about.unset}" if about.unset else "")
        if self.kind == Sequence[str]:
            return Argument(name=self.name, help=f"{text}, {about.metavar.lower()}; several are separated by spaces")
        if default is dataclasses.MISSING:
            return Argument(name=self.name, help=text, default=None)
        return Argument(
            name=self.name, help=text, default="" if default is None else str(default), choices=about.choices
        )

    def from_text(self, text: str) -> Any:
        """The value that a launch argument means.

        Raises:
            ConfigError: it is no number where one is expected.
        """
        if self.kind is bool:
            return text == "true"
        if self.kind == Sequence[str]:
            return tuple(self.about.split(text))
        if not text and self.default is None:
            return None
        try:
            return self.kind(text)
        except ValueError:
            raise ConfigError(f"{self.name} is {text!r}: expected a whole number") from None


def choices_of(cls: type) -> Iterator[Choice]:
    """The choices of a dataclass, its own before those of its bases."""
    hints, fields = get_type_hints(cls), {field.name: field for field in dataclasses.fields(cls)}
    for each in cls.__mro__:
        for name in inspect.get_annotations(each):
            if name in fields and "choice" in fields[name].metadata:
                field = fields.pop(name)
                yield Choice(
                    name=name,
                    kind=_without_none(hints[name]),
                    default=field.default,
                    about=field.metadata["choice"],
                )


def add_choices(parser: argparse.ArgumentParser, cls: type) -> None:
    """Let the command take all choices of a dataclass."""
    for each in choices_of(cls):
        each.add_to(parser)


def from_command(cls: Callable[..., T], given: argparse.Namespace) -> T:
    """The dataclass, of what a command line gave."""
    values = {each.name: getattr(given, each.name) for each in choices_of(cls)}  # type: ignore[arg-type]
    return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def launch_arguments(cls: type) -> tuple[Argument, ...]:
    """The launch arguments for a dataclass's choices."""
    return tuple(each.launch_argument() for each in choices_of(cls) if each.about.is_for_launch)


def from_launch(cls: Callable[..., T], values: Mapping[str, str]) -> T:
    """The dataclass, of the texts of all its launch arguments.

    Raises:
        ConfigError: a text is no number where one is expected.
    """
    given = {each.name: each.from_text(values[each.name]) for each in choices_of(cls) if each.about.is_for_launch}  # type: ignore[arg-type]
    return cls(**given)


def _without_none(kind: Any) -> Any:
    """``int | None`` to ``int``."""
    named = [each for each in getattr(kind, "__args__", ()) if each is not type(None)]
    return named[0] if type(None) in getattr(kind, "__args__", ()) else kind
