"""Limits that may be set while a policy runs: stricter at any time, looser only while nothing moves. Knows no ROS."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from sac_control import per_joint
from sac_control.errors import ConfigError
from sac_control.policy.envelope import Envelope
from sac_control.policy.joint_limits import LIMITS, limits_of
from sac_control.policy.policy_config import PolicyConfig
from sac_control.types import Specification

LIVE = ("command_limit", "max_command_rate", "envelope", "ramp_s", "state_timeout")  # all others stay as they began


def changed(
    config: PolicyConfig,
    values: Mapping[str, Any],
    *,
    is_active: bool,
    control_period: float = 0.0,
    specification: Specification | None = None,
) -> PolicyConfig:
    """`config` with `values`, of the settings in `LIVE`.

    Args:
        config: what is in force.
        values: new values by name.
        is_active: something may move now, so that no limit may become looser.
        control_period: of the policy [s], by which the default timeout goes; 0: not known.
        specification: of the policy, whose joints and limits these are; None: not known.

    Raises:
        ConfigError: a setting is not live; a value is wrong, beyond policy or robot, or looser while active.
    """
    for name in values:
        if name not in LIVE:
            raise ConfigError(f"policy.{name} is read-only: set it where the node is started")
    new = dataclasses.replace(config, **values)
    joints = specification.actuated_joints if specification is not None else _named(new)
    own = specification.command_limit if specification is not None else (math.inf,) * len(joints)
    _check_ceiling(new, joints, own)
    if complaint := new.timeout_complaint(control_period):
        raise ConfigError(complaint)
    old_envelope, envelope = Envelope(config.envelope), Envelope(new.envelope)
    if not is_active:
        return new
    old_limit, limit = (tuple(map(min, limits_of(each, "command_limit", joints), own)) for each in (config, new))
    old_rate, rate = (limits_of(each, "max_command_rate", joints) for each in (config, new))
    looser = {
        "command_limit": _is_any_larger(limit, old_limit),
        "max_command_rate": _is_any_larger(rate, old_rate),
        "envelope": not envelope.is_within(old_envelope),
        "ramp_s": new.ramp_s < config.ramp_s,
        "state_timeout": new.timeout(control_period) > config.timeout(control_period),
    }
    for name in values:
        if looser[name]:
            raise ConfigError(
                f"policy.{name} may only get stricter than {getattr(config, name)!r} while the policy is active: "
                "call policy/stop or deactivate the node first"
            )
    return new


def _check_ceiling(config: PolicyConfig, joints: tuple[str, ...], own: tuple[float, ...]) -> None:
    """Refuse limits above the policy's or the robot's."""
    limits = limits_of(config, "command_limit", joints)
    ceilings = {"policy.max_command": limits_of(config, "max_command", joints), "the policy's own limit": own}
    for name, ceiling in ceilings.items():
        for joint, limit, most in zip(joints, limits, ceiling, strict=True):
            if most < limit < math.inf:
                whose = f" for joint {joint!r}" if len(joints) > 1 else ""
                raise ConfigError(f"policy.command_limit is {limit:g}{whose}: {name} is {most:g}, choose less, or 0")
    limits_of(config, "max_command_rate", joints)  # names joints that are driven, and each of several


def _named(config: PolicyConfig) -> tuple[str, ...]:
    """Joints that the limits name, before a policy tells its own; one without a name where they name none."""
    texts = [value for name in LIMITS if isinstance(value := getattr(config, name), str)]
    names = {joint: None for text in texts for joint in per_joint.parse_numbers("policy", text)}
    return tuple(names) or ("",)


def _is_any_larger(new: tuple[float, ...], old: tuple[float, ...]) -> bool:
    return any(value > before for value, before in zip(new, old, strict=True))
