"""Limits of several driven joints are given by name: newtons and newton metres are not the same number."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from policies import SPECIFICATION, make_file
from sac_control.errors import ConfigError, PolicyFileError
from sac_control.policy.controller import Controller
from sac_control.policy.joint_limits import LIMITS, command_limits, command_rates
from sac_control.policy.limits import Limiter
from sac_control.policy.live_limits import changed
from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.requirements import check_requirements

CART, POLE = SPECIFICATION.joints
BOTH = dataclasses.replace(
    SPECIFICATION, actuated_joints=(CART, POLE), interface=("effort", "effort"), command_limit=(100.0, 0.5)
)


def config(**values: Any) -> PolicyConfig:
    return PolicyConfig.from_mapping(values)


@pytest.mark.parametrize("value", [20, 20.0, "20", f"{CART}: 20", f" {CART} :2e1"])
@pytest.mark.parametrize("name", LIMITS)
def test_limit_of_one_driven_joint_is_a_number_or_has_its_name(name: str, value: Any) -> None:
    one = config(**{name: value}) if name != "max_command" else config(max_command=100, command_limit=value)
    check_requirements(one, SPECIFICATION)
    if name != "max_command_rate":
        assert command_limits(one, SPECIFICATION).tolist() == [20.0]
    else:
        assert command_rates(one, SPECIFICATION).tolist() == [20.0]


@pytest.mark.parametrize("name", LIMITS)
def test_one_number_for_several_driven_joints_is_refused_in_words(name: str) -> None:
    with pytest.raises(
        ConfigError, match=rf"policy\.{name} is 200, but .* name each, such as '{CART}: 200, {POLE}: 200'"
    ):
        check_requirements(config(**{name: 200.0}), BOTH)
    check_requirements(config(**{name: f"{CART}: 200, {POLE}: 200"}), BOTH)


@pytest.mark.parametrize("name", LIMITS)
def test_limit_of_a_joint_that_is_not_driven_names_the_nearest(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"policy\.{name} names joint 'slider_to_crat', .* did you mean {CART}\?"):
        Controller(config(**{name: "slider_to_crat: 200"})).install(make_file())


@pytest.mark.parametrize(
    "text",
    ["a: 1, a: 2", "a:", ": 1", "a: -1", "a: nan", "a: inf", "a: 1e10", "a: 1,", "a: 1; b: 2", "a: b: 1", "a\nb: 1"],
)
@pytest.mark.parametrize("name", LIMITS)
def test_text_that_is_no_limit_by_name_is_refused(name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=rf"^policy\.{name} "):
        config(**{name: text})


def test_names_may_hold_slashes_hyphens_dots_and_blanks() -> None:
    joints = ("robot1/left-arm", "left arm.2")
    specification = dataclasses.replace(BOTH, joints=(*joints, CART, POLE), actuated_joints=joints)
    limits = config(command_limit="robot1/left-arm: 5, left arm.2: 0.1", joints="robot1/left-arm, left arm.2")
    check_requirements(limits, specification)
    assert command_limits(limits, specification).tolist() == [5.0, 0.1]


def test_each_joint_keeps_its_own_limit_where_none_is_named() -> None:
    assert command_limits(config(command_limit=f"{POLE}: 0.1"), BOTH).tolist() == [100.0, 0.1]
    assert command_limits(config(command_limit=f"{CART}: 10, {POLE}: 0"), BOTH).tolist() == [10.0, 0.5]
    assert command_limits(config(), BOTH).tolist() == [100.0, 0.5]
    assert command_rates(config(max_command_rate=f"{POLE}: 2"), BOTH).tolist() == [np.inf, 2.0]


def test_command_of_each_joint_stays_within_its_limit_and_its_rate() -> None:
    limiter = Limiter(np.array([100.0, 0.5]), np.array([np.inf, 2.0]))
    assert limiter.limit(np.array([90.0, 0.4]), elapsed=0.1) == pytest.approx([90.0, 0.2])
    assert limiter.limit(np.array([-90.0, 0.4]), elapsed=0.1) == pytest.approx([-90.0, 0.4])
    assert limiter.limit(np.array([-200.0, 0.9]), elapsed=0.1, authority=0.5) == pytest.approx([-50.0, 0.25])


def test_robot_that_lacks_the_limit_of_any_joint_refuses_the_policy() -> None:
    check_requirements(config(max_command=f"{CART}: 100, {POLE}: 0.5"), BOTH)
    for limits, joint in ((f"{CART}: 99, {POLE}: 0.5", CART), (f"{CART}: 100, {POLE}: 0.4", POLE)):
        with pytest.raises(PolicyFileError, match=rf"for joint '{joint}', policy\.max_command is "):
            check_requirements(config(max_command=limits), BOTH)


def change(values: dict[str, Any], *, is_active: bool = True) -> PolicyConfig:
    old = config(
        command_limit=f"{CART}: 50, {POLE}: 0.2",
        max_command_rate=f"{CART}: 500",
        max_command=f"{CART}: 100, {POLE}: 0.5",
    )
    return changed(old, values, is_active=is_active, specification=BOTH)


@pytest.mark.parametrize(
    ("name", "stricter", "looser"),
    [
        ("command_limit", f"{CART}: 40, {POLE}: 0.2", f"{CART}: 40, {POLE}: 0.21"),
        ("command_limit", f"{POLE}: 0.1, {CART}: 50", f"{POLE}: 0.1"),  # the cart's own is 100
        ("max_command_rate", f"{CART}: 400, {POLE}: 1", f"{POLE}: 1"),
        ("max_command_rate", f"{CART}: 500", f"{CART}: 501"),
    ],
)
def test_no_joint_gets_a_looser_limit_while_active_however_strict_the_others(
    name: str, stricter: str, looser: str
) -> None:
    assert getattr(change({name: stricter}), name) == stricter
    with pytest.raises(ConfigError, match="may only get stricter"):
        change({name: looser})
    assert getattr(change({name: looser}, is_active=False), name) == looser


@pytest.mark.parametrize("is_active", [True, False])
def test_no_joint_gets_a_limit_beyond_its_own_or_the_robots(is_active: bool) -> None:
    with pytest.raises(ConfigError, match=rf"0\.6 for joint '{POLE}': policy\.max_command is 0\.5"):
        change({"command_limit": f"{CART}: 50, {POLE}: 0.6"}, is_active=is_active)
    with pytest.raises(ConfigError, match=rf"0\.6 for joint '{POLE}': the policy's own limit is 0\.5"):
        changed(PolicyConfig(), {"command_limit": f"{POLE}: 0.6"}, is_active=is_active, specification=BOTH)
    with pytest.raises(ConfigError, match="name each"):
        change({"command_limit": 0.1}, is_active=is_active)
