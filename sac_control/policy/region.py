"""The region of joint states that a policy has seen in training. Outside of it nobody knows what the policy does.

For each joint: the interval that holds all but the most extreme positions and velocities. Angles of a joint that turns
for ever are compared as directions: whole turns do not count.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sac_control.errors import PolicyFileError, StateError
from sac_control.types import JointState

TURN = 2.0 * math.pi  # [rad]


@dataclass(frozen=True, kw_only=True, slots=True)
class JointRegion:
    """The intervals of one joint."""

    position: tuple[float, float]  # [m or rad] lowest and highest; of a continuous joint at most one turn apart
    velocity: tuple[float, float]  # [m/s or rad/s] lowest and highest
    is_continuous: bool = False  # it turns for ever

    def holds_position(self, value: float) -> bool:
        """Whether the position `value` [m or rad] lies inside; NaN does not."""
        low, high = self.position
        if self.is_continuous and math.isfinite(value):
            return (value - low) % TURN <= high - low
        return low <= value <= high


@dataclass(frozen=True, kw_only=True)
class Region:
    """The intervals of all joints that a policy observes."""

    joints: Mapping[str, JointRegion]  # by name
    states: int  # that it was made of

    def violation(self, state: JointState) -> str:
        """What of `state` lies outside, in words; nothing where all of it is inside.

        Raises:
            StateError: a joint is missing.
        """
        for name, joint in self.joints.items():
            if name not in state.names:
                raise StateError(f"joint {name!r} is missing from the joint state, which names {list(state.names)}")
            k = state.names.index(name)
            position, velocity = float(state.position[k]), float(state.velocity[k])
            if not joint.holds_position(position):
                return _outside(f"position({name})", position, joint.position)
            if not joint.velocity[0] <= velocity <= joint.velocity[1]:
                return _outside(f"velocity({name})", velocity, joint.velocity)
        return ""

    def to_mapping(self) -> dict[str, Any]:
        """Plain values for the header of a policy file."""
        joints = {
            name: {
                "position": list(joint.position),
                "velocity": list(joint.velocity),
                "continuous": joint.is_continuous,
            }
            for name, joint in self.joints.items()
        }
        return {"states": self.states, "joints": joints}

    @classmethod
    def from_mapping(cls, mapping: Any, joints: tuple[str, ...]) -> Region | None:
        """The region of a policy with `joints`; None for none.

        Raises:
            PolicyFileError: it is not one, or of other joints.
        """
        if mapping is None:
            return None
        if not isinstance(mapping, Mapping) or set(mapping) != {"states", "joints"}:
            raise PolicyFileError(f"region is {mapping!r:.100}, expected the number of states and the joints")
        states, found = mapping["states"], mapping["joints"]
        if type(states) is not int or not 0 < states < 2**64:
            raise PolicyFileError(f"region is made of {states!r:.100} states, expected a positive whole number")
        if not isinstance(found, Mapping) or tuple(found) != joints:
            raise PolicyFileError(f"region has joints {found!r:.100}, expected {list(joints)}")
        return cls(joints={name: _joint(name, found[name]) for name in joints}, states=states)


def _outside(term: str, value: float, interval: tuple[float, float]) -> str:
    low, high = interval
    return f"{term} is {value:.4g}, outside the training range from {low:.4g} to {high:.4g}"


def _joint(name: str, mapping: Any) -> JointRegion:
    if not isinstance(mapping, Mapping) or set(mapping) != {"position", "velocity", "continuous"}:
        raise PolicyFileError(f"region of joint {name!r} is {mapping!r:.100}: expected position, velocity, continuous")
    if type(mapping["continuous"]) is not bool:
        raise PolicyFileError(f"region of joint {name!r} has continuous {mapping['continuous']!r:.100}: true or false")
    intervals = []
    for key in ("position", "velocity"):
        interval = mapping[key]
        is_pair = isinstance(interval, list) and len(interval) == 2 and all(type(each) is float for each in interval)
        if not is_pair or not -math.inf < interval[0] <= interval[1] < math.inf:
            raise PolicyFileError(f"region of joint {name!r} has {key} {interval!r:.100}: two numbers in rising order")
        intervals.append((interval[0], interval[1]))
    return JointRegion(position=intervals[0], velocity=intervals[1], is_continuous=mapping["continuous"])
