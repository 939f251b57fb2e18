"""Which joint states, or observations, are rejected, and where nothing may move. Knows nothing of commands."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sac_control.errors import StateError
from sac_control.observation import StateObserver
from sac_control.policy import freshness
from sac_control.policy.envelope import Envelope
from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.row_observer import RowObserver
from sac_control.policy.safe_command import joints_to_measure
from sac_control.policy.unused_states import missing_joints
from sac_control.types import Action, Float32Array, JointState, Signals, Specification


class Admission:
    """Observes states that can be used, and counts those that cannot. An observation, which is one, is taken as it is.

    Args:
        config: says what is checked.
        wall_clock: time [ns] with which stamps are compared: of the system, or simulated where use_sim_time is set.

    Attributes:
        observation: (o,) float32, of the state last admitted; invalid after one that was rejected.
        filling: that the policy looks back further than states have come, in words; empty where it does not.
        stamp: [ns] of the state answered last; None before one was. Whoever answers sets it.
        rejected_states: states that could not be used.
        last_rejection: why the newest of them could not.
    """

    def __init__(self, config: PolicyConfig, wall_clock: Callable[[], int]) -> None:
        self._wall_clock = wall_clock
        self._is_simulated = not config.drives_robot
        self.set(config)
        self.observation: Float32Array = np.zeros(0, np.float32)
        self.filling = ""
        self.stamp: int | None = None
        self.rejected_states = 0
        self.last_rejection = ""
        self._has_joints = True  # those of the policy, or nobody yet knows
        self._joints: frozenset[str] = frozenset()
        self._names: tuple[str, ...] | None = None  # of a state that holds all of them
        self._observer = StateObserver([])
        self._rows: RowObserver | None = None  # in its place where a state alone is not all that is observed

    def set(self, config: PolicyConfig) -> None:
        """Check by other settings from now on."""
        self._check_stamps = config.check_stamps and config.drives_robot
        self._envelope = Envelope(config.envelope) if config.envelope.strip() else None

    def fit(self, specification: Specification) -> None:
        """Observe what a policy for `specification` sees.

        Raises:
            ConfigError: the envelope names what its joints do not have. Nothing changed.
        """
        if self._envelope is not None:
            self._envelope.check(specification.joints)
        self._has_joints = specification.has_joints
        self._joints, self._names = frozenset(joints_to_measure(specification)), None
        self._rows = None
        if self._has_joints:
            self._rows = RowObserver.where_needed(specification, is_simulated=self._is_simulated)
        if self._has_joints and self._rows is None:
            self._observer = StateObserver(specification.observation, specification.joints)
        self.observation = np.zeros(len(specification.observation), np.float32)

    def begin_anew(self) -> None:
        """Let any state be the first one."""
        self.stamp = None
        if self._rows is not None:
            self._rows.clear()

    def concerns(self, state: Signals) -> bool:
        """Whether `state` holds one of our joints, or is an observation where we have none; the rest is for others."""
        if not isinstance(state, JointState):
            return not self._has_joints
        if not self._has_joints:
            return False
        return state.names == self._names or not self._joints.isdisjoint(state.names) or not self._joints

    def admit(self, state: Signals, timeout: float, last: Action | None = None, *, is_fresh: bool) -> str:
        """Observe `state`; what speaks against moving anything from there, empty where nothing does.

        Args:
            state: any that concerns us.
            timeout: [s] by which its stamp may differ from the time.
            last: what was commanded since the state before; None: nothing yet.
            is_fresh: whether the state before is still to be trusted: then this one must be newer.

        Raises:
            StateError: it is rejected, which counts as no message.
        """
        try:
            if self.stamp is not None and state.stamp <= self.stamp:
                freshness.check_order(state.stamp, self.stamp, is_fresh=is_fresh)
            if self._check_stamps:
                freshness.check_age(state.stamp, timeout, self._wall_clock())
            if not isinstance(state, JointState):
                self._take(state.values)
                return ""
            if state.names != self._names:
                self._check_names(state)
            if self._rows is None:
                self._observer.observe(state, self.observation)
                freshness.check_finite(state, self._joints)
            else:
                self._rows.observe(state, None if last is None else last.command, self.observation)
                self.filling = self._rows.filling
            return self._envelope.violation(state) if self._envelope is not None else ""
        except StateError as error:
            self.rejected_states += 1
            self.last_rejection = str(error)
            raise

    def _take(self, values: Float32Array) -> None:
        """An observation, (o,) float32, as it is."""
        if values.shape != self.observation.shape or not np.isfinite(values).all():
            raise StateError(
                f"observation has {len(values)} numbers, {values.tolist()!s:.100}: expected {len(self.observation)} "
                "finite ones"
            )
        self.observation[:] = values

    def _check_names(self, state: JointState) -> None:
        if complaint := missing_joints(state, sorted(self._joints)):
            raise StateError(complaint)
        self._names = state.names
