"""Joint state to observation, by named terms. One definition for simulator and policy, so that they cannot differ.

Terms are expressions, see expression/ and docs/expressions.md: ``position(cart) + 0.6*sin(pole)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sac_control.errors import ConfigError, StateError
from sac_control.expression import Expression, Rows, SignalLayout, compile, compile_row, mirror_sign, parse  # noqa: A004
from sac_control.types import Float32Array, FloatArray, JointState


class Observer:
    """Evaluates observation terms on signals of joints given in a fixed order.

    Args:
        terms: (o,) terms, e.g. ``("position(slider_to_cart)", "cos(cart_to_pendulum)")``, or what was made of them.
        joints: (n,) names of the joints in the order in which values will be given.
        actuated_joints: (a,) names of the driven joints, in the order of the actions.

    Attributes:
        size: number of terms.
        memory: control periods that they look back; 0: they read the newest row alone.
        reads: joints whose signals they read, by the kind of signal: position, velocity, effort or action.

    Raises:
        ConfigError: a term is no expression, or reads the action of a joint that is not driven.
        StateError: a term names a joint that is not among `joints`.
    """

    def __init__(
        self, terms: Sequence[str | Expression], joints: Sequence[str], actuated_joints: Sequence[str] = ()
    ) -> None:
        layout = SignalLayout(tuple(joints), tuple(actuated_joints))
        expressions = [parse(term, layout.joints) if isinstance(term, str) else term for term in terms]
        for expression in expressions:
            _check_presence(expression, layout.joints)
        self.size = len(expressions)
        self.memory = max((expression.memory for expression in expressions), default=0)
        self.reads = _merged(expressions)
        # One row is read faster than the first of several.
        make: Callable[[Expression, SignalLayout], Callable[[Any], float]] = compile if self.memory else compile_row
        self._terms = [make(expression, layout) for expression in expressions]
        self._refusal = next(filter(None, map(_refusal, expressions)), "")

    def observe(self, position: FloatArray, velocity: FloatArray, out: Float32Array) -> None:
        """Write the observation, (o,) float32, of positions and velocities, (n,) float64 each, into `out`.

        Raises:
            ConfigError: a term reads more than that: it takes `observe_rows`.
        """
        out[:] = self.values(position, velocity)

    def values(self, position: FloatArray, velocity: FloatArray) -> list[float]:
        """The same as (o,) numbers in double precision."""
        if self._refusal:
            raise ConfigError(self._refusal)
        row = position.tolist() + velocity.tolist()  # Python's floats are faster than numpy's
        return [term(row) for term in self._terms]

    def observe_rows(self, rows: Rows, out: Float32Array) -> None:
        """Write the observation, (o,) float32, of the last control periods into `out`.

        Args:
            rows: ``memory + 1`` or more, newest first, each as `expression.SignalLayout` has it.
            out: (o,) float32.
        """
        given = rows if self.memory else rows[0]
        out[:] = [term(given) for term in self._terms]


class StateObserver:
    """Observes whole joint states by name; remembers the order of names, which hardly ever changes.

    Args:
        terms: (o,) terms, or what was made of them.
        joints: names of the joints that they are about; see `expression.parse`. None: not known.

    Raises:
        ConfigError: a term is no expression, or reads more than a joint state holds.
    """

    def __init__(self, terms: Sequence[str | Expression], joints: Sequence[str] | None = None) -> None:
        # Read once, here: what else a joint state names must not decide what a term means.
        self._terms = [parse(term, joints) if isinstance(term, str) else term for term in terms]
        for term in self._terms:
            check_reads_joint_states(term)
        self._names: tuple[str, ...] | None = None
        self._observer: Observer | None = None

    def observe(self, state: JointState, out: Float32Array) -> None:
        """Write the observation of `state` into `out`, (o,) float32.

        Raises:
            StateError: a joint is missing, arrays and names differ in length, or an observed value is not finite.
        """
        out[:] = self.values(state)
        if not all(map(math.isfinite, out.tolist())):
            raise StateError(f"joint state holds a value that is not finite: observation {out.tolist()}")

    def values(self, state: JointState) -> list[float]:
        """The same as (o,) numbers in double precision, which need not be finite.

        Raises:
            StateError: a joint is missing, or arrays and names differ in length.
        """
        if self._observer is None or state.names != self._names:
            self._observer, self._names = Observer(self._terms, state.names), state.names
        if not len(state.position) == len(state.velocity) == len(state.names):
            raise StateError(
                f"joint state has {len(state.names)} names, {len(state.position)} positions and "
                f"{len(state.velocity)} velocities: expected the same number of each"
            )
        return self._observer.values(state.position, state.velocity)


def normalised(command: FloatArray, limit: FloatArray) -> Float32Array:
    """The action, (a,) float32 in [-1, 1], that `command`, (a,), is as a part of `limit`, (a,): what is remembered."""
    action: Float32Array = np.minimum(np.maximum(command / limit, -1.0), 1.0).astype(np.float32)
    return action


def check_reads_joint_states(expression: Expression) -> None:
    """See that `expression` reads nothing but positions and velocities of one moment, as a joint state holds them.

    Raises:
        ConfigError: it reads efforts or actions, or looks back.
    """
    if refusal := _refusal(expression):
        raise ConfigError(refusal)


def mirror_signs(terms: Sequence[str], joints: Sequence[str] | None = None) -> Float32Array:
    """By what each term is multiplied when all signals change their sign: (o,) float32, +1 or -1.

    Args:
        terms: (o,) terms.
        joints: names of the joints, where they are known; see `expression.parse`.

    Raises:
        ConfigError: a term is no expression, or adds up what keeps its sign and what changes it.
    """
    return np.array([mirror_sign(parse(term, joints)) for term in terms], dtype=np.float32)


def _check_presence(expression: Expression, joints: tuple[str, ...]) -> None:
    for kind, named in expression.signals.items():
        for joint in named:
            if kind != "action" and joint not in joints:
                raise StateError(
                    f"joint {joint!r} is missing from the joint state, which names {list(joints)}: "
                    "check the publisher of joint_states, or say in policy.joint_map what the robot calls it"
                )


def _merged(expressions: Sequence[Expression]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for expression in expressions:
        for kind, joints in expression.signals.items():
            found.setdefault(kind, {}).update(dict.fromkeys(joints))
    return {kind: tuple(joints) for kind, joints in found.items()}


def _refusal(expression: Expression) -> str:
    """Why a joint state alone does not give the value of `expression`; empty where it does."""
    beyond = [
        f"reads {kind}({joints[0]})" for kind, joints in expression.signals.items() if kind in ("effort", "action")
    ]
    if expression.memory:
        beyond.append(f"looks back {expression.memory} control periods")
    if not beyond:
        return ""
    return (
        f"expression {expression.text!r:.200} {' and '.join(beyond)}: expected positions and velocities of one moment "
        "alone, because it is judged by each joint state for itself"
    )
