"""On the wire: a robot with a prefix, another zero, another direction and a controller of another name is driven."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from std_msgs.msg import Float64MultiArray

from policies import SPECIFICATION, make_file
from robots import PATIENT, Robot
from ros_world import RosWorld
from sac_control.cli.node_description import NodeDescription
from sac_control.cli.options import DeploymentOptions
from sac_control.cli.plan import plan_deployment
from sac_control.cli.runner import node_environment
from sac_control.errors import ConfigError
from sac_control.nodes import messages, topics
from sac_control.nodes.policy import PolicyNode
from sac_control.policy import shadow_process
from sac_control.types import JointState

CART, POLE = SPECIFICATION.joints
PREFIX = "robot1/"
OFFSET = 3.0  # [rad]
SETTINGS = {
    "joint_map": f"{CART}: {PREFIX}{CART}, {POLE}: {PREFIX}{POLE}",
    "joint_offset": f"{POLE}: {OFFSET}",
    "joint_sign": f"{CART}: -1",
    "frozen_periods": 0,  # these encoders stand still to the last bit
}


class PrefixedRobot(Robot):
    """Its cart counts the other way, its pole from elsewhere; another robot's joints of the policy's names are there.

    What the policy must see is what an ordinary robot of the same `value` says.
    """

    def send(self, age: float = 0.0) -> None:
        """One more state."""
        cart, pole = self.value, 0.5 * self.value
        state = JointState(
            stamp=time.time_ns(),
            names=(CART, f"{PREFIX}{POLE}", POLE, f"{PREFIX}{CART}"),
            position=np.array([9.0, pole + OFFSET, 9.0, -cart]),
            velocity=np.array([9.0, 2.0 * pole, 9.0, -2.0 * cart]),
        )
        self._states.publish(messages.state_to_msg(state))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(make_file().to_bytes())
    return path


def has_moved(heard: list[Any]) -> bool:
    return bool(heard) and any(heard[-1].command)


def pair_of(heard: list[Any]) -> tuple[float, list[float]]:
    """Normalised action and command of the newest answer."""
    return heard[-1].action[0], list(heard[-1].command)


def test_prefixed_joints_with_their_own_zero_and_direction_get_the_commands_that_the_policy_means(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadow_process, "PATIENCE", 60.0)  # that a slow one is switched off is promised elsewhere
    answers = []
    for robot_type, settings in ((Robot, {}), (PrefixedRobot, SETTINGS)):
        with RosWorld(policy={"policy_file": str(path), "shadow_policy_file": str(path), **PATIENT, **settings}) as ros:
            robot = robot_type(ros)
            shadow = ros.hear(topics.SHADOW_ACTION)
            ros.add(PolicyNode)
            robot.until_moved()
            robot.until(functools.partial(has_moved, shadow), "the shadow policy says nothing")
            answers.append((pair_of(robot.actions), pair_of(shadow), robot.commands[-1][1]))
    (plain, plain_shadow, plain_command), (mapped, mapped_shadow, mapped_command) = answers
    assert mapped == plain, "policy/action is in the policy's joints"
    assert mapped_shadow == plain_shadow == plain
    assert mapped_command == -plain_command, "the command that leaves is in the robot's"


def test_controller_of_another_name_is_reached_by_remapping_in_any_namespace(path: Path) -> None:
    """With the command line that a plan gives its processes."""
    node = NodeDescription(
        executable="policy",
        namespace="/robot1",
        parameters={"policy_file": str(path), **PATIENT, **SETTINGS},
        remappings=(
            ("effort_controller/commands", "/robot1/cart_controller/commands"),
            ("joint_states", "/joint_states"),
        ),
    )
    with RosWorld() as ros:
        robot = PrefixedRobot(ros)
        heard: list[float] = []
        ros.probe.create_subscription(
            Float64MultiArray, "/robot1/cart_controller/commands", lambda msg: heard.extend(msg.data), 10
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "sac_control.nodes.policy", *node.arguments()],
            env=node_environment(os.environ, domain=ros.probe.context.get_domain_id(), log_directory=None),
        )
        try:
            robot.until(lambda: any(heard), "no command reaches the controller")
        finally:
            process.kill()
            process.wait()
        assert not robot.commands


@pytest.mark.parametrize(
    "setting",
    [
        f"joint_map={CART}: {PREFIX}{CART}, cart_to_pendulm: x",
        "joint_offset=cart_to_pendulm: 3.14",
        "joint_sign=cart_to_pendulm: -1",
        "command_limit=slider_to_crat: 20",
    ],
)
def test_deployment_is_refused_before_the_start_where_a_joint_is_not_the_policys(path: Path, setting: str) -> None:
    with pytest.raises(ConfigError, match="did you mean"):
        plan_deployment(DeploymentOptions(policy=str(path), settings=[f"policy.{setting}"]))


def test_deployment_hands_the_joints_on_to_the_node(path: Path) -> None:
    settings = [f"policy.{name}={value}" for name, value in SETTINGS.items()] + [f"policy.command_limit={CART}: 20"]
    (node,) = plan_deployment(DeploymentOptions(policy=str(path), settings=settings))
    assert {name: node.parameters[name] for name in SETTINGS} == SETTINGS
    assert node.parameters["command_limit"] == f"{CART}: 20"
