"""Observes what one joint state alone does not hold: efforts, actions, and what was a while ago. Knows no ROS."""

from __future__ import annotations

import math

import numpy as np

from sac_control.errors import StateError
from sac_control.expression import Arrival, SignalLayout, SignalMemory
from sac_control.observation import Observer, normalised
from sac_control.policy import freshness
from sac_control.types import Float32Array, FloatArray, JointState, Specification


class RowObserver:
    """Keeps the signals of the last control periods, by the stamps of states.

    Where a simulation is observed, the first state, and each after a gap in the stamps, begins an episode: the robot
    has stood there before, without an action, as in `envs.env.Env`. A real robot has not: there the memory fills.

    Args:
        specification: of the policy.
        is_simulated: whether states are those of the simulator of a run.

    Attributes:
        filling: that the memory does not reach back far enough yet, in words; empty where it does.
    """

    def __init__(self, specification: Specification, *, is_simulated: bool) -> None:
        joints, driven = specification.joints, specification.actuated_joints
        self._observer = Observer(specification.observation, joints, driven)
        self._joints, self._observed = joints, frozenset(joints)
        self._period = specification.control_period
        self._limit: FloatArray = np.array(specification.command_limit)
        self._still = [0.0] * len(driven)
        self._is_simulated = is_simulated
        self._with_effort = self._observer.reads.get("effort", ())
        self._depth = self._observer.memory + 1
        self._memory = SignalMemory(self._observer.memory, SignalLayout(joints, driven))
        self._names: tuple[str, ...] = ()  # of the newest state, which hardly ever change
        self._places: list[int] = []  # of the joints among them
        self.filling = ""

    @classmethod
    def where_needed(cls, specification: Specification, *, is_simulated: bool) -> RowObserver | None:
        """One for a policy that needs it; None where a joint state holds all that is observed."""
        observer = cls(specification, is_simulated=is_simulated)
        is_needed = observer._observer.memory or {"effort", "action"} & observer._observer.reads.keys()
        return observer if is_needed else None

    def clear(self) -> None:
        """Forget all."""
        self._memory.clear()

    def observe(self, state: JointState, command: FloatArray | None, out: Float32Array) -> None:
        """Write the observation of `state`, (o,) float32, into `out`; it means little while the memory is `filling`.

        Args:
            state: the newest, with all joints of the specification.
            command: (a,) float64, what was commanded since the state before; None: nothing yet.
            out: (o,) float32.

        Raises:
            StateError: arrays and names differ in length, an effort that is read is missing, or an observed value is
                not finite.
        """
        memory, row = self._memory, self._row(state, command)
        arrival = memory.push_at(row, state.stamp, self._period)
        if self._is_simulated and arrival in (Arrival.FIRST, Arrival.GAP):
            memory.start(row, state.stamp)
        count = len(memory.rows)
        if count < self._depth:
            self.filling = f"observation history is filling, {count} of {self._depth} periods"
            self._observer.observe_rows(memory.rows + memory.rows[-1:] * (self._depth - count), out)
        else:
            self.filling = ""
            self._observer.observe_rows(memory.rows, out)
        if not all(map(math.isfinite, out.tolist())):
            raise StateError(f"joint state holds a value that is not finite: observation {out.tolist()}")

    def _row(self, state: JointState, command: FloatArray | None) -> list[float]:
        """What was measured and done in the control period that ended with `state`; see `expression.SignalLayout`."""
        if state.names != self._names:
            self._names, self._places = state.names, [state.names.index(joint) for joint in self._joints]
        count, places = len(state.names), self._places
        if not len(state.position) == len(state.velocity) == count or len(state.effort) not in (0, count):
            raise StateError(
                f"joint state has {count} names, {len(state.position)} positions, {len(state.velocity)} velocities and "
                f"{len(state.effort)} efforts: expected the same number of each"
            )
        freshness.check_finite(state, self._observed)
        efforts = state.effort.tolist() or [math.nan] * count
        for joint in self._with_effort:
            if not math.isfinite(effort := efforts[state.names.index(joint)]):
                raise StateError(
                    f"joint state has {effort} as effort of joint {joint!r}, which the policy observes: let the robot "
                    "measure it, and joint_state_broadcaster publish it"
                )
        rows = (state.position.tolist(), state.velocity.tolist(), efforts)
        actions = self._still if command is None else normalised(command, self._limit).tolist()
        return [*(values[place] for values in rows for place in places), *actions]
