"""Limits that may be set while a policy runs: stricter at any time, looser only while nothing moves. Knows no ROS."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from sac_control.config import PolicyConfig
from sac_control.errors import ConfigError
from sac_control.policy.envelope import Envelope

LIVE = ("effort_limit", "max_effort_rate", "envelope", "ramp_s", "state_timeout")  # all others stay as they began


def changed(
    config: PolicyConfig,
    values: Mapping[str, Any],
    *,
    is_active: bool,
    control_period: float = 0.0,
    own_limits: tuple[float, ...] = (),
) -> PolicyConfig:
    """`config` with `values`, of the settings in `LIVE`.

    Args:
        config: what is in force.
        values: new values by name.
        is_active: something may move now, so that no limit may become looser.
        control_period: of the policy [s], by which the default timeout goes; 0: not known.
        own_limits: effort limits of the policy [N or N m]; empty: not known.

    Raises:
        ConfigError: a setting is not live; a value is wrong, beyond policy or robot, or looser while active.
    """
    for name in values:
        if name not in LIVE:
            raise ConfigError(f"policy.{name} is read-only: set it where the node is started")
    new = dataclasses.replace(config, **values)
    _check_ceiling(new, own_limits)
    old_envelope, envelope = Envelope(config.envelope), Envelope(new.envelope)
    if not is_active:
        return new
    looser = {
        "effort_limit": _or_any(new.effort_limit) > _or_any(min([config.effort_limit or math.inf, *own_limits])),
        "max_effort_rate": _or_any(new.max_effort_rate) > _or_any(config.max_effort_rate),
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


def _check_ceiling(config: PolicyConfig, own_limits: tuple[float, ...]) -> None:
    """No limit is set that means nothing, because the robot or the policy has a lower one."""
    ceilings = {"policy.max_effort": config.max_effort, "the policy's own limit": max(own_limits, default=0.0)}
    for name, ceiling in ceilings.items():
        if ceiling and config.effort_limit > ceiling:
            raise ConfigError(
                f"policy.effort_limit is {config.effort_limit:g}: {name} is {ceiling:g}, choose less, or 0"
            )


def _or_any(limit: float) -> float:
    """A limit of 0 is none."""
    return limit or math.inf
