"""Algorithms by name, found through the entry-point group ``sac_control.algorithms``.

An entry point names the settings of an algorithm, a class that derives from `algorithm.AlgorithmConfig`.
"""

from __future__ import annotations

import inspect
from functools import cache

from sac_control import plug_ins
from sac_control.algorithms.algorithm import AlgorithmConfig
from sac_control.errors import ConfigError
from sac_control.option import suggest

GROUP = "sac_control.algorithms"
DEFAULT = "sac"


def algorithms() -> list[str]:
    """Names of all that are registered, whether what they need is installed or not."""
    return sorted(plug_ins.offered(GROUP))


@cache
def settings_of(algorithm: str) -> type[AlgorithmConfig]:
    """The class of settings of `algorithm`.

    Raises:
        ConfigError: there is none of that name (the nearest is told), or its package is broken.
    """
    if algorithm not in plug_ins.offered(GROUP):
        raise ConfigError(f"learner.algorithm {algorithm!r} is not known; {suggest(algorithm, algorithms())}")
    settings = plug_ins.load("algorithm", GROUP, algorithm)
    if not (isinstance(settings, type) and issubclass(settings, AlgorithmConfig)) or inspect.isabstract(settings):
        expected = "a class that derives from sac_control.algorithms.algorithm.AlgorithmConfig"
        lacks = sorted(getattr(settings, "__abstractmethods__", ()))
        plug_ins.refuse("algorithm", GROUP, algorithm, settings, expected, lacks)
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
