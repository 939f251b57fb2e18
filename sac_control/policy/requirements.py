"""What a robot demands of a policy before it may run there: period, joints and limits of commands. Knows no ROS."""

from __future__ import annotations

from sac_control.errors import ConfigError, PolicyFileError
from sac_control.policy.joint_limits import LIMITS, limits_of
from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.robot_joints import RobotJoints
from sac_control.types import Specification, unit_of

TOLERANCE = 0.02  # share by which the control period may differ


def check_requirements(config: PolicyConfig, specification: Specification) -> None:
    """See that a policy is for the robot that the parameters describe; what they leave out is not looked at.

    Raises:
        PolicyFileError: it is for another one.
        ConfigError: a limit, a name, an offset or a sign is not of its joints.
    """
    if config.drives_robot and not specification.has_joints:
        raise PolicyFileError(
            f"policy is for {specification.task}, which has no joints, so it can move no robot: sac_control evaluate "
            "runs it in its environment"
        )
    period = specification.control_period
    if config.control_period and abs(period - config.control_period) > TOLERANCE * config.control_period:
        raise PolicyFileError(
            f"policy has a control period of {period:g} s, policy.control_period is {config.control_period:g}: "
            "train with the robot's period, or let joint_states come at the policy's"
        )
    if complaint := config.timeout_complaint(period):
        raise PolicyFileError(complaint)
    driven = specification.actuated_joints
    if config.joints.strip() and driven not in (_names(config.joints, ","), _names(config.joints, None)):
        raise PolicyFileError(
            f"policy drives the joints {list(driven)}, policy.joints is {config.joints!r:.100}: "
            "commands would reach the wrong joints"
        )
    most_allowed = limits_of(config, "max_command", driven)
    for joint, interface, own, most in zip(
        driven, specification.interface, specification.command_limit, most_allowed, strict=True
    ):
        if own > most:
            raise PolicyFileError(
                f"policy has a limit of {own:g} {unit_of(interface)} for joint {joint!r}, policy.max_command is "
                f"{most:g}: train with limits that the robot has"
            )
    for name in LIMITS:
        limits_of(config, name, driven)  # names joints that are driven, and each of several
    RobotJoints(config).check(specification)


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


def _names(text: str, separator: str | None) -> tuple[str, ...]:
    """Names with `separator` between them, or blanks where it is None: a name may hold blanks if commas separate."""
    return tuple(name.strip() for name in text.split(separator))
