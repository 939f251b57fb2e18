"""Whether a robot stands where its policy was trained to act: outside of that region nothing arms.

Once the policy is armed the region stops nothing: that is the envelope's job. It sees what a policy is told, not what
is so: where an encoder has its zero at the wrong place, a pole that hangs down looks like one that stands.
"""

from __future__ import annotations

import enum

from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.region import Region
from sac_control.types import JointState

_NOT_KNOWN = "the policy file holds no region of training states"


class Place(enum.IntEnum):
    """Where a state lies; the values are those of PolicyAction.msg and PolicyStatus.msg."""

    UNKNOWN = 0  # the policy file holds no region, or no robot is driven
    INSIDE = 1
    OUTSIDE = 2


class ArmingRegion:
    """Judges joint states, in the policy's names and numbers.

    Args:
        config: says whether a robot is driven, and whether it may be without a region.

    Attributes:
        is_used: whether anything is judged; in a simulation it is not.
        place: where the newest state lies.
        verdict: which joint lies outside, and where, or that the region is not known; empty inside.
    """

    def __init__(self, config: PolicyConfig) -> None:
        self.is_used = config.drives_robot
        self._is_needed = not config.accept_without_region
        self._region: Region | None = None
        self.place, self.verdict = Place.UNKNOWN, ""

    def fit(self, file: PolicyFile) -> None:
        """Judge by the region of `file` from now on."""
        self._region = file.region
        self.place, self.verdict = Place.UNKNOWN, "" if file.region is not None or not self.is_used else _NOT_KNOWN

    def judge(self, state: JointState) -> None:
        """Say where `state` lies, which has all of the policy's joints."""
        if self._region is not None:
            self.verdict = self._region.violation(state)
            self.place = Place.OUTSIDE if self.verdict else Place.INSIDE

    @property
    def objection(self) -> str:
        """Why nothing may arm where the newest state lies, empty where nothing speaks against it."""
        if self.place is Place.OUTSIDE:
            return f"{self.verdict}: arming is rejected"
        if self.verdict and self._is_needed:
            return f"{self.verdict}: retrain, or set policy.accept_without_region to arm it anyway"
        return ""

    @property
    def reservation(self) -> str:
        """What is not known of a policy that may be armed all the same; empty where all is."""
        return _NOT_KNOWN if self.is_used and self._region is None else ""
