"""Algorithms by name, found through the entry-point group ``sac_control.algorithms``.

An entry point names the settings of an algorithm, a class that derives from `algorithm.AlgorithmConfig`.
"""

from __future__ import annotations

import inspect
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from sac_control.algorithms.algorithm import AlgorithmConfig
from sac_control.errors import ConfigError
from sac_control.option import suggest

GROUP = "sac_control.algorithms"
DEFAULT = "sac"


@cache
def _entries() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def algorithms() -> list[str]:
    """Names of all that are registered, whether what they need is installed or not."""
    return sorted(_entries())


@cache
def settings_of(algorithm: str) -> type[AlgorithmConfig]:
    """The class of settings of `algorithm`.

    Raises:
        ConfigError: there is none of that name (the nearest is told), or its package is broken.
    """
    if algorithm not in _entries():
        raise ConfigError(f"learner.algorithm {algorithm!r} is not known; {suggest(algorithm, algorithms())}")
    entry = _entries()[algorithm]
    package = entry.dist.name if entry.dist else entry.value
    try:
        settings = entry.load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"algorithm {algorithm!r} of the package {package} cannot be loaded: {error}") from None
    if not (isinstance(settings, type) and issubclass(settings, AlgorithmConfig)) or inspect.isabstract(settings):
        lacks = ", ".join(sorted(getattr(settings, "__abstractmethods__", ())))
        raise ConfigError(
            f"algorithm {algorithm!r} of the package {package} is {settings!r:.80}: expected a class that derives from "
            f"sac_control.algorithms.algorithm.AlgorithmConfig{f' and has {lacks}, too' if lacks else ''}"
        )
    return settings


def owners_of(setting: str) -> list[str]:
    """Names of the algorithms that have `setting`."""
    return [name for name in algorithms() if setting in known_settings().get(name, ())]


@cache
def known_settings() -> dict[str, tuple[str, ...]]:
    """Names of the settings of each algorithm. A broken package has none: whoever asks for it is told."""
    known = {}
    for name in algorithms():
        try:
            known[name] = tuple(settings_of(name).types())
        except ConfigError:
            continue
    return known
