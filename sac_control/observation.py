"""Joint state to observation, by named terms. One definition for simulator and policy, so that they cannot differ.

A term is ``function(joint)``; the functions are ``position``, ``velocity``, ``cos`` and ``sin`` (of the position).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from sac_control.errors import ConfigError, StateError
from sac_control.types import Float32Array, FloatArray, JointState

_TERM = re.compile(r"(?P<function>\w+)\((?P<joint>[^()]+)\)")
_FUNCTIONS: dict[str, Callable[[float, float], float]] = {
    "position": lambda position, velocity: position,
    "velocity": lambda position, velocity: velocity,
    "cos": lambda position, velocity: math.cos(position) if math.isfinite(position) else math.nan,
    "sin": lambda position, velocity: math.sin(position) if math.isfinite(position) else math.nan,
}


class Observer:
    """Evaluates observation terms on joint positions and velocities given in a fixed order.

    Args:
        terms: (o,) terms, e.g. ``("position(slider_to_cart)", "cos(cart_to_pendulum)")``.
        joints: (n,) names of the joints in the order in which values will be given.

    Raises:
        ConfigError: a term is not of the form ``function(joint)`` or names an unknown function.
        StateError: a term names a joint that is not among `joints`.
    """

    def __init__(self, terms: Sequence[str], joints: Sequence[str]) -> None:
        self.size = len(terms)
        self._terms = [self._parse(term, joints) for term in terms]

    @staticmethod
    def _parse(term: str, joints: Sequence[str]) -> tuple[Callable[[float, float], float], int]:
        match = _TERM.fullmatch(term)
        if match is None or match["function"] not in _FUNCTIONS:
            raise ConfigError(
                f"observation term {term!r} is not known: expected function(joint) with one of {', '.join(_FUNCTIONS)}"
            )
        if match["joint"] not in joints:
            raise StateError(
                f"joint {match['joint']!r} is missing from the joint state, which names {list(joints)}: "
                "check the publisher of joint_states or rename the joint there"
            )
        return _FUNCTIONS[match["function"]], list(joints).index(match["joint"])

    def observe(self, position: FloatArray, velocity: FloatArray, out: Float32Array) -> None:
        """Write the observation, (o,) float32, of positions and velocities, (n,) float64 each, into `out`."""
        positions, velocities = position.tolist(), velocity.tolist()  # Python's floats are faster than numpy's
        for k, (function, index) in enumerate(self._terms):
            out[k] = function(positions[index], velocities[index])


class StateObserver:
    """Observes whole joint states by name; remembers the order of names, which hardly ever changes."""

    def __init__(self, terms: Sequence[str]) -> None:
        self._terms = tuple(terms)
        self._names: tuple[str, ...] | None = None
        self._observer: Observer | None = None

    def observe(self, state: JointState, out: Float32Array) -> None:
        """Write the observation of `state` into `out`, (o,) float32.

        Raises:
            StateError: a joint is missing, arrays and names differ in length, or an observed value is not finite.
        """
        if self._observer is None or state.names != self._names:
            self._observer, self._names = Observer(self._terms, state.names), state.names
        if not len(state.position) == len(state.velocity) == len(state.names):
            raise StateError(
                f"joint state has {len(state.names)} names, {len(state.position)} positions and "
                f"{len(state.velocity)} velocities: expected the same number of each"
            )
        self._observer.observe(state.position, state.velocity, out)
        if not all(map(math.isfinite, out.tolist())):
            raise StateError(f"joint state holds a value that is not finite: observation {out.tolist()}")
