"""A robot with other names, another zero and another direction is driven as the policy was trained to drive."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from policies import SPECIFICATION, make_file
from sac_control.errors import ConfigError, StateError
from sac_control.observation import StateObserver
from sac_control.policy.controller import Controller
from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.robot_joints import RobotJoints
from sac_control.types import JointState

CART, POLE = SPECIFICATION.joints
PREFIXED = f"{CART}: robot1/{CART}, {POLE}: robot 1/pole-joint.2"


def joints(**settings: str) -> RobotJoints:
    one = RobotJoints(PolicyConfig.from_mapping(settings))
    one.check(SPECIFICATION)
    one.fit(SPECIFICATION)
    return one


def state(**values: tuple[float, float]) -> JointState:
    """A state by name: position and velocity."""
    position, velocity = np.array(list(values.values())).T
    return JointState(stamp=7, names=tuple(values), position=position, velocity=velocity, frame="base")


def seen(one: RobotJoints, given: JointState) -> dict[str, tuple[float, float]]:
    got = one.state(given)
    assert (got.stamp, got.frame) == (given.stamp, given.frame)
    return dict(zip(got.names, zip(got.position.tolist(), got.velocity.tolist(), strict=True), strict=True))


def test_robot_with_the_policys_joints_costs_nothing() -> None:
    one, given, command = joints(), state(**{CART: (1.0, 2.0), POLE: (3.0, 4.0)}), np.array([5.0])
    assert one.state(given) is given
    assert one.command(command) is command


def test_policy_sees_its_own_names_zero_and_direction() -> None:
    one = joints(joint_map=PREFIXED, joint_offset=f"{POLE}: 3, {CART}: 0.5", joint_sign=f"{POLE}: -1, {CART}: 1")
    given = state(**{"robot 1/pole-joint.2": (2.0, 4.0), "gripper": (9.0, 8.0), f"robot1/{CART}": (1.0, -2.0)})
    for _ in range(2):
        assert seen(one, given) == {POLE: (1.0, -4.0), "gripper": (9.0, 8.0), CART: (0.5, -2.0)}
    turned = state(**{f"robot1/{CART}": (1.0, -2.0), "robot 1/pole-joint.2": (2.0, 4.0)})
    assert seen(one, turned) == {CART: (0.5, -2.0), POLE: (1.0, -4.0)}


def test_offset_is_what_the_robot_says_where_the_policy_has_zero() -> None:
    for sign in (1, -1):
        one = joints(joint_offset=f"{POLE}: 3.14159", joint_sign=f"{POLE}: {sign}")
        assert seen(one, state(**{POLE: (3.14159, 0.0)})) == {POLE: (0.0, 0.0)}


def test_mapped_joint_is_not_taken_for_another_robots_of_the_same_name() -> None:
    """Two robots on one joint_states: the other one's has the policy's name."""
    one = joints(joint_map=f"{CART}: robot1/{CART}")
    found = seen(one, state(**{CART: (9.0, 9.0), f"robot1/{CART}": (1.0, 2.0), POLE: (3.0, 4.0)}))
    assert found[CART] == (1.0, 2.0)
    assert found[POLE] == (3.0, 4.0)
    assert len(found) == 3
    lonely = one.state(state(**{CART: (9.0, 9.0), POLE: (3.0, 4.0)}))
    with pytest.raises(StateError, match=f"joint '{CART}' is missing"):
        StateObserver(SPECIFICATION.observation).observe(lonely, np.zeros(5, np.float32))


def test_two_joints_may_have_changed_their_names() -> None:
    one = joints(joint_map=f"{CART}: {POLE}, {POLE}: {CART}")
    assert seen(one, state(**{CART: (1.0, 2.0), POLE: (3.0, 4.0)})) == {POLE: (1.0, 2.0), CART: (3.0, 4.0)}


@pytest.mark.parametrize("interface", ["effort", "velocity", "position"])
def test_command_takes_the_robots_direction_and_a_position_its_zero(interface: str) -> None:
    specification = dataclasses.replace(
        SPECIFICATION, actuated_joints=(POLE, CART), interface=(interface,) * 2, command_limit=(1.0, 1.0)
    )
    one = joints(joint_sign=f"{POLE}: -1", joint_offset=f"{POLE}: 3")
    one.fit(specification)
    expected = [-2.0, 5.0] if interface != "position" else [1.0, 5.0]
    assert one.command(np.array([2.0, 5.0])).tolist() == expected
    if interface == "position":  # the robot that is where it was told to be is where the policy wanted it
        assert seen(one, state(**{POLE: (1.0, 0.0)})) == {POLE: (2.0, 0.0)}


def test_state_with_missing_numbers_is_left_to_whoever_refuses_it() -> None:
    one = joints(joint_map=PREFIXED)
    broken = JointState(stamp=1, names=(f"robot1/{CART}", "b"), position=np.zeros(2), velocity=np.zeros(0))
    with pytest.raises(StateError, match=r"0 velocities|missing"):
        StateObserver((f"position({CART})",)).observe(one.state(broken), np.zeros(1, np.float32))


@pytest.mark.parametrize(
    ("setting", "value", "complaint"),
    [
        ("joint_map", "slider_to_crat: a", f"names joint 'slider_to_crat', .* did you mean {CART}"),
        ("joint_offset", "cart_to_pendulm: 1", f"names joint 'cart_to_pendulm', .* did you mean {POLE}"),
        ("joint_sign", f"robot1/{CART}: -1", f"names joint 'robot1/{CART}', .* did you mean {CART}"),
        ("joint_map", f"{CART}: a, {POLE}: a", "maps two joints to the same one"),
        ("joint_map", f"{CART}: a, {CART}: b", "twice"),
        ("joint_offset", f"{CART}: 1, {CART}: 1", "twice"),
        ("joint_sign", f"{CART}: 2", "expected 1 or -1"),
        ("joint_sign", f"{CART}: 0", "expected 1 or -1"),
        ("joint_offset", f"{CART}: nan", "expected a number"),
        ("joint_offset", f"{CART}: inf", "expected a number"),
        ("joint_offset", f"{CART}: up", "expected a number"),
        ("joint_offset", "3.14", "expected a joint, a colon and a value"),
        ("joint_map", CART, "expected a joint, a colon and a value"),
        ("joint_map", f"{CART}: a: b", "expected a joint, a colon and a value"),
    ],
)
def test_what_does_not_fit_the_policy_is_refused_before_the_start_and_at_install(
    setting: str, value: str, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=rf"policy\.{setting}.*{complaint}"):
        Controller(PolicyConfig.from_mapping({setting: value})).install(make_file())


@pytest.mark.parametrize("setting", ["joint_map", "joint_offset", "joint_sign"])
@pytest.mark.parametrize("simulated", [{"run_id": "0" * 32}, {"lockstep": True}])
def test_simulator_has_the_policys_joints_and_no_others(setting: str, simulated: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=rf"policy\.{setting} is set, but this node belongs to a training"):
        PolicyConfig.from_mapping({setting: f"{POLE}: 1", **simulated})


def test_pole_that_hangs_at_the_encoders_zero_is_seen_hanging() -> None:
    one = joints(joint_offset=f"{POLE}: {math.pi}")
    observation = np.zeros(5, np.float32)
    hanging = one.state(state(**{CART: (0.0, 0.0), POLE: (0.0, 0.0)}))
    StateObserver(SPECIFICATION.observation).observe(hanging, observation)
    assert observation[SPECIFICATION.observation.index(f"cos({POLE})")] == -1.0
