"""Names of the physics engines, ours and those of other packages. Loads none of them."""

from __future__ import annotations

import importlib.util
from importlib.metadata import EntryPoint

from sac_control import plug_ins
from sac_control.errors import ConfigError
from sac_control.option import suggest

GROUP = "sac_control.worlds"  # of entry points
OURS = ("pybullet", "mujoco")  # each simulates with the package of its name


def engine_entries() -> dict[str, EntryPoint]:
    """The entry point of each engine, by its name."""
    return plug_ins.offered(GROUP)


def check_engine(name: str) -> None:
    """See that there is an engine of that name, installed or not.

    Raises:
        ConfigError: there is none; the nearest name is told.
    """
    names = sorted(engine_entries())
    if name not in names:
        raise ConfigError(f"engine {name!r} is not known; {suggest(name, names)}")


def is_installed(engine: str) -> bool:
    """Whether the package that it simulates with is there: looked up, not imported; of others' worlds it is."""
    return engine not in OURS or importlib.util.find_spec(engine) is not None
