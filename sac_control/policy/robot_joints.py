"""The joints of a robot as a policy knows them: other names, another zero, another positive direction. Knows no ROS.

    policy's position = sign * (robot's position - offset)        robot's effort   = sign * policy's effort
    policy's velocity = sign * robot's velocity                   robot's velocity = sign * policy's velocity
                                                                  robot's position = sign * policy's position + offset

So the offset is what the robot says where the policy has zero. Everything else, the envelope, the region and all that
is told about states and commands, is in the policy's names and numbers: only `joint_states` and the commands that leave
are the robot's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from sac_control import per_joint
from sac_control.errors import ConfigError
from sac_control.option import suggest
from sac_control.policy.policy_config import PolicyConfig
from sac_control.types import FloatArray, JointState, Specification

HIDDEN = " (another joint)"  # behind the name of one that has the name of a mapped one by chance


class RobotJoints:
    """Converts states of the robot to the policy's joints, and commands back. Without settings, both pass unchanged.

    Args:
        config: names, offsets and signs, by the policy's joints.
    """

    def __init__(self, config: PolicyConfig) -> None:
        self._robot_names = per_joint.parse_texts("policy.joint_map", config.joint_map, "'cart: robot1/cart'")
        self._offsets = per_joint.parse_numbers("policy.joint_offset", config.joint_offset)
        self._signs = per_joint.parse_numbers("policy.joint_sign", config.joint_sign)
        self._policy_names = {robot: policy for policy, robot in self._robot_names.items()}
        if len(self._policy_names) < len(self._robot_names):
            raise ConfigError(
                f"policy.joint_map maps two joints to the same one of the robot: {config.joint_map!r:.200}"
            )
        self.is_identity = not (self._robot_names or self._offsets or self._signs)
        self._heard: tuple[str, ...] = ()  # names of the newest state, which hardly ever change; and what follows:
        self._names: tuple[str, ...] = ()  # what the policy calls them
        self._offset: FloatArray = np.zeros(0)  # (n,) [m or rad]
        self._sign: FloatArray = np.zeros(0)  # (n,)
        self._command_sign: FloatArray = np.zeros(0)  # (a,)
        self._command_offset: FloatArray = np.zeros(0)  # (a,) [m or rad]

    def check(self, specification: Specification) -> None:
        """See that every joint that is named is one of the policy's.

        Raises:
            ConfigError: one is not; the nearest is named. Or two of the policy's would be one of the robot's.
        """
        settings: dict[str, Mapping[str, object]] = {
            "joint_map": self._robot_names,
            "joint_offset": self._offsets,
            "joint_sign": self._signs,
        }
        for setting, named in settings.items():
            for joint in named:
                if joint not in known_joints(specification):
                    raise ConfigError(
                        f"policy.{setting} names joint {joint!r}, which the policy does not have; "
                        f"{suggest(joint, known_joints(specification))}"
                    )

    def state(self, state: JointState) -> JointState:
        """A joint state of the robot as the policy knows it; shares its arrays where they are the same."""
        if self.is_identity:
            return state
        if state.names != self._heard:
            self._listen(state.names)
        count = len(self._names)
        if not len(state.position) == len(state.velocity) == count:  # refused by whoever observes it
            position, velocity, effort = state.position, state.velocity, state.effort
        else:
            position, velocity = self._sign * (state.position - self._offset), self._sign * state.velocity
            effort = self._sign * state.effort if len(state.effort) == count else state.effort
        return JointState(
            stamp=state.stamp,
            names=self._names,
            position=position,
            velocity=velocity,
            effort=effort,
            frame=state.frame,
        )

    def fit(self, specification: Specification) -> None:
        """Convert commands of a policy for `specification` from now on."""
        joints, interfaces = specification.actuated_joints, specification.interface
        self._command_sign = np.array([self._signs.get(joint, 1.0) for joint in joints])
        self._command_offset = np.array(
            [
                self._offsets.get(joint, 0.0) if interface == "position" else 0.0
                for joint, interface in zip(joints, interfaces, strict=True)
            ]
        )

    def command(self, command: FloatArray) -> FloatArray:
        """What the robot must be told, (a,) float64, where the policy commands `command`, (a,) float64."""
        return command if self.is_identity else self._command_sign * command + self._command_offset

    def _listen(self, names: tuple[str, ...]) -> None:
        self._heard = names
        self._names = tuple(map(self._policy_name, names))
        self._offset = np.array([self._offsets.get(name, 0.0) for name in self._names])
        self._sign = np.array([self._signs.get(name, 1.0) for name in self._names])

    def _policy_name(self, robot_name: str) -> str:
        """What the policy calls a joint of the robot. A joint that is mapped hides others of the policy's name."""
        if robot_name in self._policy_names:
            return self._policy_names[robot_name]
        return robot_name + HIDDEN if robot_name in self._robot_names else robot_name


def known_joints(specification: Specification) -> Iterable[str]:
    """Names of the joints that a policy observes or drives, each once."""
    return dict.fromkeys((*specification.joints, *specification.actuated_joints))
