"""What a robot demands of a policy before it may run there: period, joints and effort limits. Knows no ROS."""

from __future__ import annotations

from sac_control.config import PolicyConfig
from sac_control.errors import ConfigError, PolicyFileError
from sac_control.types import Specification

TOLERANCE = 0.02  # share by which the control period may differ


def check_requirements(config: PolicyConfig, specification: Specification) -> None:
    """See that a policy is for the robot that the parameters describe; what they leave out is not looked at.

    Raises:
        PolicyFileError: it is for another one.
    """
    period = specification.control_period
    if config.control_period and abs(period - config.control_period) > TOLERANCE * config.control_period:
        raise PolicyFileError(
            f"policy has a control period of {period:g} s, policy.control_period is {config.control_period:g}: "
            "train with the robot's period, or let joint_states come at the policy's"
        )
    joints = tuple(config.joints.replace(",", " ").split())
    if joints and joints != specification.actuated_joints:
        raise PolicyFileError(
            f"policy drives the joints {list(specification.actuated_joints)}, policy.joints is {list(joints)}: "
            "commands would reach the wrong joints"
        )
    if config.max_effort and max(specification.command_limit) > config.max_effort:
        raise PolicyFileError(
            f"policy has limits {list(specification.command_limit)}, policy.max_effort is {config.max_effort:g}: "
            "train with limits that the robot has"
        )


def check_reach(config: PolicyConfig, discovery_range: str) -> None:
    """See that weights which others on the network may offer to a robot must be signed.

    Args:
        config: of the policy node.
        discovery_range: ROS_AUTOMATIC_DISCOVERY_RANGE of its process; empty is ROS's own default, the subnet.

    Raises:
        ConfigError: they need not be.
    """
    is_local = discovery_range in ("LOCALHOST", "OFF")
    if config.drives_robot and config.accept_weights and not config.require_signature and not is_local:
        raise ConfigError(
            "policy.accept_weights is set while other machines can reach the node: set policy.require_signature and "
            "policy.trusted_keys, or stay on this machine (no --network, ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST)"
        )
