"""docs/hardware.md keeps its word: its example, followed to the letter, with a stand-in for the controller manager."""

from __future__ import annotations

import math
import re
import shlex
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml
from rclpy.qos import qos_profile_system_default
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import Trigger

from policies import SPECIFICATION, make_file
from robots import BRIEF, PATIENCE, PATIENT
from ros_world import RosWorld
from sac_control.cli.launch_arguments import DEPLOY
from sac_control.cli.options import DeploymentOptions
from sac_control.cli.plan import plan_deployment
from sac_control.nodes import topics
from sac_control.nodes.policy import PolicyNode
from sac_control.policy.safety import Mode

GUIDE = (Path(__file__).parent.parent / "docs" / "hardware.md").read_text()


def settings() -> list[str]:
    """What the guide's `sac_control deploy` sets."""
    found = re.search(r"```\n(sac_control deploy .*?)```", GUIDE, re.DOTALL)
    assert found is not None
    words = shlex.split(found[1].replace("\\\n", " "))
    assert words[:3] == ["sac_control", "deploy", "FILE"]
    assert words[3::2] == ["--set"] * len(words[4::2])
    return words[4::2]


def controllers() -> dict[str, Any]:
    """The guide's parameter file of the controller manager."""
    found = re.search(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    assert found is not None
    content: dict[str, Any] = yaml.safe_load(found[1])
    return content


@pytest.fixture
def policy_path(tmp_path: Path) -> Path:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(make_file().to_bytes())
    return path


def test_example_configuration_is_for_the_policy() -> None:
    content = controllers()
    assert tuple(content["effort_controller"]["ros__parameters"]["joints"]) == SPECIFICATION.actuated_joints
    assert content["effort_controller"]["ros__parameters"]["interface_name"] == "effort"
    assert tuple(content["joint_state_broadcaster"]["ros__parameters"]["joints"]) == SPECIFICATION.joints
    rate = content["controller_manager"]["ros__parameters"]["update_rate"]
    assert 1.0 / rate == pytest.approx(SPECIFICATION.control_period, rel=0.02)


def test_example_description_has_the_interfaces_that_the_controllers_claim() -> None:
    found = re.search(r"```xml\n(.*?)```", GUIDE, re.DOTALL)
    assert found is not None
    joints = ElementTree.fromstring(found[1]).findall("joint")
    commanded = {
        joint.get("name"): [each.get("name") for each in joint.findall("command_interface")] for joint in joints
    }
    content = controllers()
    interface = content["effort_controller"]["ros__parameters"]["interface_name"]
    driven = content["effort_controller"]["ros__parameters"]["joints"]
    assert commanded == {name: [interface] if name in driven else [] for name in SPECIFICATION.joints}
    for joint in joints:
        measured = {each.get("name") for each in joint.findall("state_interface")}
        assert measured == set(content["joint_state_broadcaster"]["ros__parameters"]["interfaces"])
    limits = joints[0].findall("command_interface/param")
    assert {param.get("name"): float(param.text or "nan") for param in limits} == {
        "min": -SPECIFICATION.command_limit[0],
        "max": SPECIFICATION.command_limit[0],
    }


def test_launch_file_takes_the_settings_of_the_guide_as_the_command_does(policy_path: Path) -> None:
    values = {argument.name: argument.default or "" for argument in DEPLOY.arguments}
    values |= {"policy": str(policy_path), "settings": " ".join(settings())}
    commanded = plan_deployment(DeploymentOptions(policy=str(policy_path), settings=settings()))
    assert DEPLOY.plan(values).nodes == commanded.nodes
    assert " < position(slider_to_cart) < " in commanded.nodes[0].parameters["envelope"]


class ControllerManager:
    """joint_state_broadcaster and a forward_command_controller as nodes of their own, and a person who calls services.

    Both take rclcpp::SystemDefaultsQoS, the first for joint_states, the second for ~/commands.
    """

    def __init__(self, ros: RosWorld) -> None:
        self._ros = ros
        self.commands: list[float] = []
        self.statuses = ros.hear(topics.POLICY_STATUS)
        self.is_broadcasting = True
        self.slider = 0.1  # [m]
        self._due = 0.0
        self._broadcaster, self._controller = ros.peer("joint_state_broadcaster"), ros.peer("effort_controller")
        self._states = self._broadcaster.create_publisher(JointState, "joint_states", qos_profile_system_default)
        self._controller.create_subscription(
            Float64MultiArray, "~/commands", lambda msg: self.commands.extend(msg.data), qos_profile_system_default
        )

    def _broadcast(self) -> None:
        """What has no interface is NaN; joints come in any order, others among them."""
        if time.monotonic() < self._due or not self.is_broadcasting:
            return
        self._due = time.monotonic() + SPECIFICATION.control_period
        msg = JointState(name=["gripper", "cart_to_pendulum", "slider_to_cart"])
        msg.header.stamp = self._broadcaster.get_clock().now().to_msg()
        noise = 1e-9 * (self._due % 1.0)  # encoders that stand still to the last bit are frozen
        msg.position, msg.velocity = [0.0, 0.05 + noise, self.slider + noise], [math.nan, 0.1, 0.2]
        msg.effort = [math.nan] * 3
        self._states.publish(msg)

    def until(self, condition: Callable[[], object], complaint: str) -> None:
        def is_over() -> bool:
            self._broadcast()
            return bool(condition())

        self._ros.until(is_over, complaint, PATIENCE)

    def until_mode(self, mode: Mode, word: str) -> None:
        self.until(
            lambda: self.statuses and self.statuses[-1].mode == mode and word in self.statuses[-1].cause,
            f"mode {mode.name} with {word!r} is not told",
        )

    def until_moved(self) -> None:
        count = len(self.commands)
        self.until(lambda: any(self.commands[count:]), "does not move")

    def until_zero(self, ticks: int) -> None:
        """Nothing but zero for so many commands, beside one that may have been under way."""
        count = len(self.commands) + 1
        self.until(lambda: len(self.commands) >= count + ticks, "nothing is commanded")
        assert not any(self.commands[count:])

    def call(self, service: str) -> None:
        client = self._ros.probe.create_client(Trigger, service)
        self.until(client.service_is_ready, f"no service {service}")
        future = client.call_async(Trigger.Request())
        self.until(future.done, f"no response from {service}")
        assert future.result().success, future.result().message


def deployed(policy_path: Path) -> dict[str, object]:
    """Parameters of the node as the guide deploys it, without dry_run, for a computer that others use, too."""
    (node,) = plan_deployment(DeploymentOptions(policy=str(policy_path), settings=settings()))
    assert node.parameters["dry_run"]
    assert node.parameters["require_arm"]
    return {**node.parameters, "dry_run": False, **PATIENT, "state_timeout": BRIEF}


def test_robot_with_the_topics_types_and_qualities_of_service_of_ros2_control_is_driven_once_armed(
    policy_path: Path,
) -> None:
    with RosWorld(policy=deployed(policy_path)) as ros:
        robot = ControllerManager(ros)
        ros.add(PolicyNode)
        robot.until_zero(20)
        graph = dict(ros.probe.get_topic_names_and_types())  # a second type of ours would stand beside the first
        assert graph["/joint_states"] == ["sensor_msgs/msg/JointState"]
        assert graph["/effort_controller/commands"] == ["std_msgs/msg/Float64MultiArray"]
        robot.call(topics.POLICY_ARM)
        robot.until_moved()
        robot.until(lambda: abs(robot.commands[-1]) > 10.0, "authority does not grow")
        moving = robot.commands[len(robot.commands) - robot.commands[::-1].index(0.0) :]
        assert np.abs(np.diff(moving)).max() <= 2000.0 * SPECIFICATION.control_period + 1e-9


def test_what_is_to_be_done_before_the_first_motion_has_the_effect_that_the_guide_expects(policy_path: Path) -> None:
    """Row by row; kill -9 and the emergency stop are not for this software."""
    table = GUIDE[GUIDE.index("## 4.") : GUIDE.index("## 5.")]
    assert table.count("\n| ") == 9  # one more, and there must be one more below
    with RosWorld(policy=deployed(policy_path)) as ros:
        robot = ControllerManager(ros)
        ros.add(PolicyNode)
        robot.until_zero(20)
        robot.until_mode(Mode.ARMING, "waits for policy/arm")
        robot.call(topics.POLICY_ARM)
        robot.until_moved()
        robot.call(topics.POLICY_STOP)
        robot.until_zero(20)
        robot.until_mode(Mode.LATCHED_FAULT, "stopped by policy/stop")
        robot.call(topics.POLICY_ARM)
        robot.until_moved()
        robot.is_broadcasting = False
        robot.until_mode(Mode.HOLD_ZERO, "no usable state for")
        robot.until_zero(5)
        robot.is_broadcasting = True
        robot.until_mode(Mode.ARMING, "waits for policy/arm")
        robot.until_zero(20)
        robot.call(topics.POLICY_ARM)
        robot.until_moved()
        robot.slider = 0.95
        robot.until_mode(Mode.LATCHED_FAULT, "outside of its envelope")
        robot.until_zero(20)
