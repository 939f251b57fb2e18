"""Joints whose measurement stands still while they should move: frozen encoders, or blocked joints. Knows no ROS."""

from __future__ import annotations

import numpy as np

from sac_control.policy.safe_command import joints_to_measure
from sac_control.types import FloatArray, JointState, Specification


class FrozenJoints:
    """Counts, per joint, periods over which neither position nor velocity changed by a bit although it was pushed.

    What moves is measured differently each time, unless its encoder has coarse steps and it hardly moves: therefore
    only periods count in which the motor pushes all the time, one way, and with more than friction can hold. A push is
    an effort, a velocity that is commanded, or the way that is left to a position that is. A joint that is driven is
    judged by its own push, one that is not by the strongest of all, if that is an effort: a cart at a steady velocity
    leaves the pole on it at rest.

    Args:
        periods: this many in a row are an objection; 0: none ever is.
        share: of its limit that a push must reach.
    """

    def __init__(self, periods: int, share: float) -> None:
        self._periods, self._share = periods, share
        self.is_used = periods > 0
        self._last: JointState | None = None
        self._names: tuple[str, ...] = ()  # of that state
        self._joints: list[tuple[str, int, int]] = []  # name, place in a state, place in the command or -1
        self._wanted: tuple[tuple[str, int], ...] = ()  # name, place in the command or -1
        self._is_effort: list[bool] = []  # of each driven joint
        self._positions: tuple[tuple[int, str], ...] = ()  # place in the command and name of joints driven by position
        self._targets: list[tuple[int, int]] = []  # of these, place in the command and in a state
        self._counts: list[int] = []  # of each joint
        self._pushes: list[int] = []  # which way each joint was pushed last; 0: not enough

    def fit(self, specification: Specification, limit: FloatArray) -> None:
        """Watch the joints of `specification`, whose commands are limited to `limit`, (a,) [unit of the interface]."""
        driven = specification.actuated_joints
        observed = joints_to_measure(specification)
        self._wanted = tuple((joint, driven.index(joint) if joint in driven else -1) for joint in observed)
        self._is_effort = [interface == "effort" for interface in specification.interface]
        self._positions = tuple(
            (k, joint) for k, joint in enumerate(driven) if specification.interface[k] == "position"
        )
        self._names = ()
        self.set_limit(limit)

    def set_limit(self, limit: FloatArray) -> None:
        """Judge by other limits, (a,), from now on."""
        self._least: list[float] = (self._share * np.asarray(limit, np.float64)).tolist()

    def objection(self, state: JointState, command: FloatArray) -> str:
        """What speaks against `state`; empty where nothing does.

        Args:
            state: the newest one, with all joints of the specification.
            command: (a,) float64, what was commanded between the state before and this one.
        """
        last, self._last = self._last, state
        if last is None or state.names != self._names:
            self._find(state.names)
            return ""
        pushes = command.tolist()
        for driven, place in self._targets:
            pushes[driven] -= float(last.position[place])
        strongest = _strongest(pushes, self._least)
        if strongest == 0:  # as mostly
            if any(self._pushes):
                self._forget()
            return ""
        if not self._is_effort[abs(strongest) - 1]:
            strongest = 0
        before, measured = _numbers(last), _numbers(state)
        for k, (name, place, driven) in enumerate(self._joints):
            push = strongest if driven < 0 else _push(driven, pushes[driven], self._least[driven])
            goes_on = push and push == self._pushes[k] and measured[place] == before[place]
            self._pushes[k] = push
            self._counts[k] = self._counts[k] + 1 if goes_on else 0
            if self._counts[k] >= self._periods:
                return self._sentence(name, measured[place])
        return ""

    def _find(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._joints = [(joint, names.index(joint), driven) for joint, driven in self._wanted]
        self._targets = [(driven, names.index(joint)) for driven, joint in self._positions]
        self._forget()

    def _forget(self) -> None:
        self._counts, self._pushes = [0] * len(self._joints), [0] * len(self._joints)

    def _sentence(self, joint: str, measured: tuple[float, float]) -> str:
        return (
            f"joint {joint!r} has had position {measured[0]:.6g} and velocity {measured[1]:.6g} for {self._periods} "
            f"control periods under {self._share:.0%} of the command limit or more: its encoder is frozen, or it is "
            "blocked"
        )


def _numbers(state: JointState) -> list[tuple[float, float]]:
    """Position and velocity of each joint."""
    return list(zip(state.position.tolist(), state.velocity.tolist(), strict=True))


def _push(place: int, push: float, least: float) -> int:
    """Which joint is pushed, and which way, as one number; 0 where that is less than `least`."""
    if push >= least:
        return place + 1
    return -place - 1 if -push >= least else 0


def _strongest(pushes: list[float], least: list[float]) -> int:
    if len(pushes) == 1:
        return _push(0, pushes[0], least[0])
    shares = [abs(push) / limit for push, limit in zip(pushes, least, strict=True)]
    place = shares.index(max(shares))
    return _push(place, pushes[place], least[place])
