"""Joint state to observation, by named terms. One definition for simulator and policy, so that they cannot differ.

Terms are expressions, see expression/ and docs/expressions.md: ``position(cart) + 0.6*sin(pole)``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sac_control.errors import ConfigError, StateError
from sac_control.expression import Expression, Rows, SignalLayout, compile, compile_row, mirror_sign, parse  # noqa: A004
from sac_control.types import Float32Array, FloatArray, JointState


class Observer:
    """Evaluates observation terms on signals of joints given in a fixed order.

    Args:
        terms: (o,) terms, e.g. ``("position(slider_to_cart)", "cos(cart_to_pendulum)")``.
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

    def __init__(self, terms: Sequence[str], joints: Sequence[str], actuated_joints: Sequence[str] = ()) -> None:
        layout = SignalLayout(tuple(joints), tuple(actuated_joints))
        expressions = [parse(term, layout.joints) for term in terms]
        for expression in expressions:
            _check_joints(expression, layout.joints)
        self.size = len(expressions)
        self.memory = max((expression.memory for expression in expressions), default=0)
        self.reads = _merged(expressions)
        # One row is read faster than the first of several.
        make = compile if self.memory else compile_row
        self._terms = [make(expression, layout) for expression in expressions]
        self._refusal = _refusal(expressions)

    def observe(self, position: FloatArray, velocity: FloatArray, out: Float32Array) -> None:
        """Write the observation, (o,) float32, of positions and velocities, (n,) float64 each, into `out`.

        Raises:
            ConfigError: a term reads more than positions and velocities of one moment: it takes `observe_rows`.
        """
        if self._refusal:
            raise ConfigError(self._refusal)
        values = position.tolist() + velocity.tolist()  # Python's floats are faster than numpy's
        out[:] = [term(values) for term in self._terms]

    def observe_rows(self, rows: Rows, out: Float32Array) -> None:
        """Write the observation, (o,) float32, of the last control periods into `out`.

        Args:
            rows: ``memory + 1`` or more, newest first, each as `expression.SignalLayout` has it.
            out: (o,) float32.
        """
        given = rows if self.memory else rows[0]
        out[:] = [term(given) for term in self._terms]  # type: ignore[arg-type]


def mirror_signs(terms: Sequence[str], joints: Sequence[str] | None = None) -> Float32Array:
    """By what each term is multiplied when all signals change their sign: (o,) float32, +1 or -1.

    Args:
        terms: (o,) terms.
        joints: names of the joints, where they are known; see `expression.parse`.

    Raises:
        ConfigError: a term is no expression, or adds up what keeps its sign and what changes it.
    """
    return np.array([mirror_sign(parse(term, joints)) for term in terms], dtype=np.float32)


def _check_joints(expression: Expression, joints: tuple[str, ...]) -> None:
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


def _refusal(expressions: Sequence[Expression]) -> str:
    """Why positions and velocities of one moment are not enough; empty where they are."""
    for expression in expressions:
        beyond = [kind for kind in expression.signals if kind not in ("position", "velocity")]
        if expression.memory or beyond:
            what = f"looks back {expression.memory} control periods" if expression.memory else f"reads {beyond[0]}"
            return (
                f"term {expression.text!r:.200} {what}: expected terms of positions and velocities of one moment, "
                "because nothing else is known here"
            )
    return ""


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
