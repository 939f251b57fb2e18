"""States that were not used (foreign, rejected, decimated), and the sentence that reports them. Knows no ROS."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sac_control.types import JointState

RECENT = 1.0  # [s] for which something that came is a reason why nothing moves
MOST_NAMES = 4  # that a sentence lists


class UnusedStates:
    """Takes note of them, and says what is wrong.

    Attributes:
        foreign: states that are for others: neither answered nor rejected.
        passed_over: states between two that are answered, where policy.decimation is set.
    """

    def __init__(self) -> None:
        self.foreign = self.passed_over = 0
        self._rejected_at = self._foreign_at = self._similar_at = -math.inf  # [s] steady time of the newest
        self._foreign = ""  # whose it was

    def reject(self, now: float) -> None:
        """A state was rejected; whoever rejected it knows why."""
        self._rejected_at = now

    def ignore(self, whose: str, now: float, *, is_similar: bool) -> None:
        """A state was foreign. One with joints that are similar to ours is reported rather than a gripper's."""
        self.foreign += 1
        self._foreign_at = now
        if is_similar:
            self._similar_at = now
        if is_similar or now - self._similar_at > RECENT:
            self._foreign = whose

    def explanation(self, now: float, state_age: float, rejected: int, last_rejection: str) -> str:
        """Why there is no usable state, or no row of them; empty where nothing that came explains it.

        Args:
            now: [s] steady time.
            state_age: time since the newest usable state [s].
            rejected: states that could not be used.
            last_rejection: why the newest of them could not.
        """
        if now - self._rejected_at < RECENT:
            return f"{rejected} rejected, the newest because {last_rejection}"
        if now - self._foreign_at >= RECENT or state_age < RECENT:
            return ""
        if now - self._similar_at > RECENT and state_age < math.inf:  # a gripper's, while ours have ended
            return "only states of other joints are received; those of the policy's have stopped"
        return self._foreign


def names_of(names: Sequence[str]) -> str:
    """Names for a sentence, not too many."""
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return (", ".join(names[:MOST_NAMES]) or "no joints") + more


def are_similar(names: Sequence[str], joints: Sequence[str]) -> bool:
    """Whether some of `names` are those of `joints` with a prefix, or something behind them."""
    return any(joint in name for joint in joints for name in names)


def missing_joints(state: JointState, joints: Sequence[str]) -> str:
    """What is to be done about a state that holds some of our `joints` only; empty where it holds all of them."""
    missing = [joint for joint in joints if joint not in state.names]
    if not missing:
        return ""
    present = [joint for joint in joints if joint in state.names]
    return (
        f"joint {names_of(missing)!r} is missing from the joint state, which holds {names_of(present)}: all joints of "
        "the policy must come in one message, from one joint_state_broadcaster; check its joints, their names and "
        "policy.joint_map"
    )
