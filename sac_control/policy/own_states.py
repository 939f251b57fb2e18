"""Which joint states, or observations, are for us: of the simulator of our run, or of a robot. Knows no ROS."""

from __future__ import annotations

from collections.abc import Callable

from sac_control.identity import describe_run, frame_id, is_of_a_run, parts_of_frame
from sac_control.policy.admission import Admission
from sac_control.policy.unused_states import UnusedStates, are_similar, names_of
from sac_control.types import JointState, Signals, Specification


class OwnStates:
    """Tells ours from foreign ones, which are counted and reported.

    Args:
        run_id: the run whose simulator sends them; empty: a robot does.
        admission: knows our joints, and is told of states of another run.
        unused: takes note of states that are for others.
        clock: steady clock [s].
    """

    def __init__(self, run_id: str, admission: Admission, unused: UnusedStates, clock: Callable[[], float]) -> None:
        self._run_id, self._admission, self._unused, self._clock = run_id, admission, unused, clock
        self._frame = ""  # that states must have; empty: any but one of a run
        self._hash = ""
        self._joints: tuple[str, ...] = ()

    def fit(self, specification: Specification, specification_hash: str) -> None:
        """Ours are those of `specification` from now on."""
        self._hash, self._joints = specification_hash, specification.joints
        self._frame = frame_id(self._run_id, specification_hash)

    def include(self, state: Signals) -> bool:
        """Whether `state` is one of ours."""
        names = state.names if isinstance(state, JointState) else ()
        if state.frame != self._frame and (self._frame or is_of_a_run(state.frame)):
            foreign, is_similar = self._stranger(state), True
            self._admission.last_rejection = foreign
        elif self._admission.concerns(state):
            return True
        elif not (names and self._joints):
            foreign, is_similar = f"{_topic(state)} came, which the policy does not read", True
        else:
            foreign = (
                f"joint_states hold {names_of(names)}, none of the policy's joints {names_of(self._joints)}: let "
                "joint_state_broadcaster publish these, or set policy.joint_map"
            )
            is_similar = are_similar(names, self._joints)
        self._unused.ignore(foreign, self._clock(), is_similar=is_similar)
        return False

    def _stranger(self, state: Signals) -> str:
        """Whose a state with another frame is."""
        topic, (run_id, specification_hash) = _topic(state), parts_of_frame(state.frame)
        if run_id != self._run_id:
            whose = describe_run(run_id) if specification_hash else "no run"
            return f"{topic} are of {whose}, this node belongs to {describe_run(self._run_id)}"
        return (
            f"{topic} are of specification {specification_hash[:12]}, the policy has {self._hash[:12]}: joints, "
            "observation, limits or control period differ"
        )


def _topic(state: Signals) -> str:
    return "joint_states" if isinstance(state, JointState) else "observations"
