"""Limits of commands, joint by joint, out of what the settings say: one number, or one for each joint by name.

One number cannot limit newtons and newton metres alike: where several joints are driven, each is named.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sac_control import per_joint
from sac_control.errors import ConfigError
from sac_control.option import suggest
from sac_control.policy.policy_config import PolicyConfig
from sac_control.types import FloatArray, Specification

LIMITS = ("max_command", "command_limit", "max_command_rate")  # settings that have a number for each driven joint


def limits_of(config: PolicyConfig, name: str, joints: Sequence[str]) -> tuple[float, ...]:
    """The setting `name`, of `LIMITS`, for each of the driven `joints`, (a,); infinite where it says nothing.

    Raises:
        ConfigError: it names a joint that is not driven, or is one number for several.
    """
    value, where = getattr(config, name), f"policy.{name}"
    if isinstance(value, str):
        named = per_joint.parse_numbers(where, value)
        for joint in named:
            if joint not in joints:
                raise ConfigError(
                    f"{where} names joint {joint!r}, which the policy does not drive; {suggest(joint, joints)}"
                )
        return tuple(named.get(joint, 0.0) or math.inf for joint in joints)
    if value and len(joints) > 1:
        example = per_joint.format_numbers(dict.fromkeys(joints, value))
        raise ConfigError(
            f"{where} is {value:g}, but the policy drives {len(joints)} joints, whose units may differ: "
            f"name each, such as '{example}'"
        )
    return (value or math.inf,) * len(joints)


def command_limits(config: PolicyConfig, specification: Specification) -> FloatArray:
    """Largest commands, (a,) float64 [unit of the interface]: the policy's own, or less where the settings say so.

    Raises:
        ConfigError: see `limits_of`.
    """
    chosen = limits_of(config, "command_limit", specification.actuated_joints)
    limits: FloatArray = np.minimum(np.array(specification.command_limit), chosen)
    return limits


def command_rates(config: PolicyConfig, specification: Specification) -> FloatArray:
    """Largest change of each command per second, (a,) float64 [unit of the interface per second]; infinite for any.

    Raises:
        ConfigError: see `limits_of`.
    """
    return np.array(limits_of(config, "max_command_rate", specification.actuated_joints))
