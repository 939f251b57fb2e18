"""The safe command: effort 0, velocity 0, and the position that was measured when the fault began. Knows no ROS.

The action of an environment without joints is 0 then: the middle of what it takes.

Such a position is held until the policy is armed again. One that followed the measurements would let an arm sink: it
lags behind its command under its own weight.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sac_control.types import FloatArray, JointState, Specification


class SafeCommand:
    """What is commanded where nothing may move, in the policy's joints and units.

    Args:
        joints: (a,) names of the joints that are driven.
        interfaces: (a,) of INTERFACES.

    Attributes:
        is_position: (a,) whether a joint is driven by position.
        needs_position: whether one is, so that states must be measured.
        is_known: whether every such joint was measured; without any there is nothing to know.
    """

    def __init__(self, joints: Sequence[str] = (), interfaces: Sequence[str] = ()) -> None:
        self._joints = tuple(joints)
        self.is_position = [interface == "position" for interface in interfaces]
        self.needs_position = any(self.is_position)
        self._unknown: FloatArray = np.where(self.is_position, math.nan, 0.0)
        self.forget()

    @classmethod
    def of(cls, specification: Specification) -> SafeCommand:
        """That of a policy for `specification`."""
        return cls(specification.actuated_joints, specification.interface)

    def forget(self) -> None:
        """Hold nothing that was measured so far: the robot may be moved by others from now on."""
        self._measured: JointState | None = None  # newest usable state
        self._held = None if self.needs_position else self._unknown
        self.is_known = not self.needs_position

    def measure(self, state: JointState) -> None:
        """A usable state came, with all joints that are driven by position."""
        self._measured, self.is_known = state, True

    def let_go(self) -> None:
        """No fault is left, or nobody was commanded: the next one begins where the robot is then."""
        if self.needs_position:
            self._held = None

    def hold(self) -> FloatArray:
        """The safe command, (a,) float64, the same until `let_go`; NaN for a position that was never measured."""
        if self._held is not None:
            return self._held
        state = self._measured
        if state is None:
            return self._unknown
        measured = [
            state.position[state.names.index(joint)] if is_position else 0.0
            for joint, is_position in zip(self._joints, self.is_position, strict=True)
        ]
        self._held = np.array(measured, np.float64)
        return self._held


def joints_to_measure(specification: Specification) -> tuple[str, ...]:
    """Joints that every state must hold, each once: those that are observed, and those that are driven by position."""
    if not specification.has_joints:
        return ()
    driven = zip(specification.actuated_joints, specification.interface, strict=True)
    return tuple(
        dict.fromkeys((*specification.joints, *(joint for joint, interface in driven if interface == "position")))
    )
