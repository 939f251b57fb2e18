"""What leaves a real policy node that commands positions: where nothing may move, the robot stays where it is."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lifecycle_msgs.msg import State
from std_srvs.srv import Trigger

from policies import SPECIFICATION, make_file
from robots import BRIEF, PATIENT, Robot
from ros_world import RosWorld
from sac_control.nodes import topics
from sac_control.nodes.policy import PolicyNode
from sac_control.policy.safety import Mode

CART = SPECIFICATION.actuated_joints[0]
LIMIT = 2.0  # [m]
OFFSET = 1.0  # [m] what the robot says where the policy has zero
TARGET = OFFSET - LIMIT  # [m] of the robot, whose positive direction is the other one
SETTINGS: dict[str, object] = {
    **PATIENT,
    "state_timeout": BRIEF,
    "require_arm": True,
    "frozen_periods": 0,
    "joint_offset": f"{CART}: {OFFSET}",
    "joint_sign": f"{CART}: -1",
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[RosWorld, Robot, Any]]:
    """A node whose policy wants to be at its limit, and a robot at 0.1."""
    specification = dataclasses.replace(SPECIFICATION, interface=("position",), command_limit=(LIMIT,))
    file = make_file(specification=specification)
    *hidden, (weight, bias) = file.actor.layers
    layers = (*hidden, (np.zeros_like(weight), np.full_like(bias, 20.0)))
    path = tmp_path / "policy.safetensors"
    path.write_bytes(dataclasses.replace(file, actor=dataclasses.replace(file.actor, layers=layers)).to_bytes())
    with RosWorld(policy={"policy_file": str(path), **SETTINGS}) as ros:
        robot = Robot(ros)
        yield ros, robot, ros.add(PolicyNode)


def call(ros: RosWorld, robot: Robot, service: str) -> Any:
    client = ros.probe.create_client(Trigger, service)
    robot.until(client.service_is_ready, f"no service {service}")
    future = client.call_async(Trigger.Request())
    robot.until(future.done, f"no response from {service}")
    return future.result()


def until_commanded(robot: Robot, position: float) -> None:
    robot.until(
        lambda: robot.commands and robot.commands[-1][1] == pytest.approx(position, abs=1e-9),
        f"{position} is not commanded",
    )


def arm(ros: RosWorld, robot: Robot) -> None:
    """Arm, and go to 0.4 meanwhile."""
    robot.until_mode(Mode.ARMING, "waits for policy/arm")
    assert call(ros, robot, topics.POLICY_ARM).success
    until_commanded(robot, TARGET)
    robot.value, count = 0.4, len(robot.actions)
    robot.until(lambda: len(robot.actions) > count + 5, "no answers")


def has_commanded(robot: Robot, count: int) -> bool:
    return len(robot.commands) >= count


def stays(robot: Robot, position: float, since: int, more: int = 20) -> None:
    """Whether the same position is commanded wherever the robot is pushed; `since` is where in the row it begins."""
    for robot.value in (0.5, 0.7, 0.4):
        count = len(robot.commands)
        robot.until(functools.partial(has_commanded, robot, count + more), "nothing is commanded")
    np.testing.assert_allclose([command for _, command in robot.commands[since:]], position, atol=1e-9)


def first_after(robot: Robot, target: float) -> int:
    """Where in the row of commands the last one of `target` is, and one more."""
    return 1 + max(k for k, (_, command) in enumerate(robot.commands) if command == target)


def test_silence_holds_the_position_that_was_measured_last_until_armed_again(world: Any) -> None:
    ros, robot, _ = world
    until_commanded(robot, 0.1)
    arm(ros, robot)
    robot.is_silent = True
    robot.until_mode(Mode.HOLD, "no usable state")
    until_commanded(robot, 0.4)
    robot.is_silent, since = False, first_after(robot, TARGET)
    stays(robot, 0.4, since)
    arm(ros, robot)
    assert robot.commands[-1][1] == TARGET


def test_stop_holds_the_position_where_it_was_called(world: Any) -> None:
    ros, robot, _ = world
    arm(ros, robot)
    assert call(ros, robot, topics.POLICY_STOP).message == "stopped until policy/arm: the safe command is sent"
    until_commanded(robot, 0.4)
    stays(robot, 0.4, first_after(robot, TARGET))
    assert robot.statuses[-1].mode == Mode.LATCHED_FAULT
    assert robot.statuses[-1].command[0] == pytest.approx(OFFSET - 0.4), "in the policy's own coordinates"


def test_deactivation_commands_the_position_once_and_nothing_is_left_of_it_later(world: Any) -> None:
    ros, robot, node = world
    arm(ros, robot)
    node.trigger_deactivate()
    until_commanded(robot, 0.4)
    count, robot.value = len(robot.commands), 0.9
    robot.go_on_for(0.3)
    node._outlet.hold("the node ends")  # as at a shutdown
    robot.go_on_for(0.1)
    assert len(robot.commands) == count, "others may command the robot by now"
    node.trigger_activate()
    until_commanded(robot, 0.9)
    assert [command for _, command in robot.commands[count:]] == pytest.approx([0.9] * (len(robot.commands) - count))


def test_shutdown_of_an_armed_node_commands_the_position(world: Any) -> None:
    ros, robot, node = world
    arm(ros, robot)
    node.trigger_shutdown()
    until_commanded(robot, 0.4)
    count = len(robot.commands)
    robot.go_on_for(0.2)
    assert len(robot.commands) == count, "a node that was shut down answers no state"
    assert node._state_machine.current_state[0] == State.PRIMARY_STATE_FINALIZED


def test_without_a_measurement_nothing_is_commanded_and_the_node_says_why(world: Any) -> None:
    ros, robot, _ = world
    robot.is_silent = True
    response = call(ros, robot, topics.POLICY_STOP)
    assert response.success
    assert "no command is sent: the position that would be held was not measured" in response.message
    robot.go_on_for(0.2)
    assert not robot.commands
    robot.until_mode(Mode.LATCHED_FAULT, "stopped by policy/stop; no command is sent")
    robot.is_silent = False
    until_commanded(robot, 0.1)
