"""Joint state to observation, by named terms. One definition for simulator and policy, so that they cannot differ.

A term is ``function(joint)``; the functions are ``position``, ``velocity``, ``cos`` and ``sin`` (of the position).
Joints can be added up inside, functions outside: ``position(cart) + 0.6*sin(pole) + 0.3*sin(pole + second_pole)``.
Blanks stand as shown and nowhere else, because the hash of a specification is that of its text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np

from sac_control.errors import ConfigError, StateError
from sac_control.types import Float32Array, FloatArray, JointState

_SUMMAND = re.compile(r" ([+-]) (?:([0-9]+(?:\.[0-9]+)?)\*)?(\w+)\(([^()]+)\)")  # sign, coefficient, function, joints
_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "position": float,
    "velocity": float,
    "cos": math.cos,
    "sin": math.sin,
}
_EVEN = ("cos",)  # keeps its sign where the joint state is mirrored; all others change it

Evaluator = Callable[[list[float]], float]  # of (2n,) numbers: all positions, then all velocities


class Observer:
    """Evaluates observation terms on joint positions and velocities given in a fixed order.

    Args:
        terms: (o,) terms, e.g. ``("position(slider_to_cart)", "cos(cart_to_pendulum)")``.
        joints: (n,) names of the joints in the order in which values will be given.

    Raises:
        ConfigError: a term is not written as said at the top of this file, or names an unknown function.
        StateError: a term names a joint that is not among `joints`.
    """

    def __init__(self, terms: Sequence[str], joints: Sequence[str]) -> None:
        self.size = len(terms)
        self._terms = [_sum([summand.evaluator(joints) for summand in _parse(term)]) for term in terms]

    def observe(self, position: FloatArray, velocity: FloatArray, out: Float32Array) -> None:
        """Write the observation, (o,) float32, of positions and velocities, (n,) float64 each, into `out`.

        All of it is NaN where it would hold the cosine or sine of an infinite angle.
        """
        values = position.tolist() + velocity.tolist()  # Python's floats are faster than numpy's
        try:
            out[:] = [term(values) for term in self._terms]
        except ValueError:  # by math.cos or math.sin
            out[:] = math.nan


def mirror_signs(terms: Sequence[str]) -> Float32Array:
    """By what each term is multiplied when all positions and velocities change their sign: (o,) float32, +1 or -1.

    Raises:
        ConfigError: a term is not known, or adds up what keeps its sign and what changes it.
    """
    return np.array([_mirror_sign(term) for term in terms], dtype=np.float32)


def _mirror_sign(term: str) -> int:
    signs = {1 if summand.function in _EVEN else -1 for summand in _parse(term)}
    if len(signs) > 1:
        raise ConfigError(
            f"observation term {term!r} has no mirror image: it adds up cosines, which keep their sign, "
            "and others, which change it"
        )
    return signs.pop()


@dataclass(frozen=True, slots=True)
class _Summand:
    """A function of a sum of joints, times a number."""

    coefficient: float
    function: str  # one of _FUNCTIONS
    joints: tuple[str, ...]

    def evaluator(self, joints: Sequence[str]) -> Evaluator:
        """How to calculate this where `joints` are the names of the joints, (n,), in the order of the values."""
        offset = len(joints) if self.function == "velocity" else 0
        argument = _sum([itemgetter(offset + _place(joint, joints)) for joint in self.joints])
        coefficient, function = self.coefficient, _FUNCTIONS[self.function]
        if coefficient != 1.0:
            return lambda values: coefficient * function(argument(values))
        return argument if function is float else lambda values: function(argument(values))


def _parse(term: str) -> list[_Summand]:
    text = f" + {term}"
    found = list(_SUMMAND.finditer(text))
    if "".join(match[0] for match in found) != text or not all(match[3] in _FUNCTIONS for match in found):
        raise ConfigError(
            f"observation term {term!r} is not known: expected function(joint) with one of {', '.join(_FUNCTIONS)}, "
            "or a sum such as 'position(a) - 0.5*sin(a + b)'"
        )
    return [_Summand(float(f"{match[1]}{match[2] or 1}"), match[3], tuple(match[4].split(" + "))) for match in found]


def _place(joint: str, joints: Sequence[str]) -> int:
    if joint not in joints:
        raise StateError(
            f"joint {joint!r} is missing from the joint state, which names {list(joints)}: "
            "check the publisher of joint_states, or say in policy.joint_map what the robot calls it"
        )
    return list(joints).index(joint)


def _sum(evaluators: list[Evaluator]) -> Evaluator:
    if len(evaluators) == 1:
        return evaluators[0]
    return lambda values: sum(evaluator(values) for evaluator in evaluators)


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
