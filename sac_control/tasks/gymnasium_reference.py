"""How an environment of Gymnasium is named: ``gymnasium/LunarLander-v3,continuous=true,gravity=-5``.

What follows the prefix is what `gymnasium.make` takes: an id, before which the module may be named that registers it
(``gymnasium/their_module:Their-v0``), then keyword arguments, whose values are YAML. Here nothing of that is looked up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from sac_control.errors import ConfigError

PREFIX = "gymnasium/"
_CHOSEN_ELSEWHERE = {  # arguments of `gymnasium.make` that are no arguments of an environment
    "render_mode": "--gui opens a window",
    "max_episode_steps": "it is set by --set simulator.max_episode_steps=…",
    "disable_env_checker": "nothing is checked here",
    "id": "it stands before the first comma",
}
Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class GymnasiumReference:
    """An environment of Gymnasium, as people name it."""

    id: str  # as `gymnasium.make` takes it
    arguments: Mapping[str, Scalar]  # keyword arguments
    written: tuple[str, ...] = ()  # the same as they are written, ``KEY=VALUE``, in the order of their names

    @property
    def text(self) -> str:
        """The reference."""
        return ",".join((f"{PREFIX}{self.id}", *self.written))

    @property
    def names_module(self) -> bool:
        """Whether a module is to be imported, which runs what is in it."""
        return ":" in self.id


def is_gymnasium(reference: str) -> bool:
    """Whether `reference` means an environment of Gymnasium."""
    return reference.startswith(PREFIX)


def parse_reference(text: str) -> GymnasiumReference:
    """What `text`, which begins with ``gymnasium/``, names.

    Raises:
        ConfigError: it names nothing, or an argument cannot be read.
    """
    name, *parts = (part.strip() for part in text.removeprefix(PREFIX).split(","))
    if not name:
        raise ConfigError(f"task {text!r} names no environment: expected one such as {PREFIX}Pendulum-v1")
    written: dict[str, str] = {}
    for part in parts:
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not (equals and value and key.isidentifier()):
            raise ConfigError(f"{part!r} in task {text!r} is no argument: expected KEY=VALUE, such as gravity=-5")
        if key in written:
            raise ConfigError(f"task {text!r} has {key} twice: expected once")
        if key in _CHOSEN_ELSEWHERE:
            raise ConfigError(f"{key} in task {text!r} is no argument of an environment: {_CHOSEN_ELSEWHERE[key]}")
        written[key] = value
    written = dict(sorted(written.items()))
    return GymnasiumReference(
        id=name,
        arguments={key: _scalar(value, text) for key, value in written.items()},
        written=tuple(f"{key}={value}" for key, value in written.items()),
    )


def _scalar(text: str, reference: str) -> Scalar:
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError):
        value = ...
    if not isinstance(value, str | int | float | None):
        raise ConfigError(f"{text!r} in task {reference!r} is no value: expected a number, true, false or text")
    if isinstance(value, str):
        try:
            return float(value)  # YAML takes 1e-3 for text
        except ValueError:
            return value
    return value
