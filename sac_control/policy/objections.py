"""Objections to moving anything from a usable state, collected from the checks that raise them. Knows no ROS."""

from __future__ import annotations

from collections.abc import Callable

from sac_control.policy.arming_region import ArmingRegion
from sac_control.policy.frozen_joints import FrozenJoints
from sac_control.policy.period_watch import PeriodWatch
from sac_control.policy.safety import Mode, Safety
from sac_control.types import FloatArray, JointState, Signals


class Objections:
    """Asks each judge of states, in the order in which they are told.

    Args:
        safety: knows whether something moves.
        frozen: judges joints that stand still.
        period: judges the rate of states.
        arming_region: judges where the robot stands.
        hold: takes a fault that holds the safe command and does not latch it.

    Attributes:
        is_used: whether any of the judges is.
    """

    def __init__(
        self,
        safety: Safety,
        frozen: FrozenJoints,
        period: PeriodWatch,
        arming_region: ArmingRegion,
        hold: Callable[[str], None],
    ) -> None:
        self._safety, self._hold = safety, hold
        self._frozen, self._period, self._arming_region = frozen, period, arming_region
        self.is_used = frozen.is_used or period.is_used or arming_region.is_used
        self._of_period = ""  # against the rate of states

    def judge(
        self,
        state: Signals,
        now: float,
        command: FloatArray,
        objection: str,
        filling: str = "",
        *,
        is_stale: bool,
    ) -> str:
        """What speaks against moving anything from `state`; empty where nothing does.

        Args:
            state: one that can be used.
            now: [s] steady time at which it came.
            command: (a,) float64, what was commanded last.
            objection: what the envelope says.
            filling: what is said of a memory of observations that has a gap.
            is_stale: whether the state before is longer ago than the timeout.
        """
        if self._frozen.is_used and isinstance(state, JointState):
            objection = self._frozen.objection(state, command) or objection
        if self._period.is_used:
            objection = self._judge_period(state.stamp, now, is_stale, objection)
        if filling:
            if self._safety.mode is Mode.ACTIVE and not objection:
                self._hold(filling)
            objection = objection or filling
        if self._arming_region.is_used and isinstance(state, JointState):
            self._arming_region.judge(state)
            if self._safety.mode is not Mode.ACTIVE:  # once armed, the envelope alone stops it
                objection = objection or self._arming_region.objection
        return objection

    def to_arming(self) -> str:
        """What the newest state has against arming; empty where nothing does."""
        return self._of_period or self._arming_region.objection

    def _judge_period(self, stamp: int, now: float, is_stale: bool, objection: str) -> str:
        """What speaks against moving anything, the rate of states included, which is held and does not latch."""
        is_active = self._safety.mode is Mode.ACTIVE
        fault = self._of_period = self._period.judge(stamp, now, is_stale=is_stale, is_active=is_active)
        if fault and is_active and not objection:
            self._hold(fault)
        return objection or fault
