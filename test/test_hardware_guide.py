"""docs/hardware.md keeps its word: its example, followed to the letter, with a stand-in for the controller manager."""

from __future__ import annotations

import math
import re
import shlex
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from rclpy.qos import qos_profile_system_default
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import Trigger

from policies import SPECIFICATION, make_file
from ros_world import RosWorld
from sac_control.cli.plan import DeploymentOptions, plan_deployment
from sac_control.nodes import topics
from sac_control.nodes.policy import PolicyNode

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


def test_robot_with_the_topics_types_and_qualities_of_service_of_ros2_control_is_driven_once_armed(
    policy_path: Path,
) -> None:
    (node,) = plan_deployment(DeploymentOptions(policy=str(policy_path), settings=settings()))
    assert node.parameters["dry_run"]
    parameters = {**node.parameters, "dry_run": False, "state_timeout": 0.2}
    with RosWorld(policy=parameters) as ros:
        commands: list[float] = []
        # joint_state_broadcaster and forward_command_controller take rclcpp::SystemDefaultsQoS for both topics
        states = ros.probe.create_publisher(JointState, "joint_states", qos_profile_system_default)
        ros.probe.create_subscription(
            Float64MultiArray,
            "effort_controller/commands",
            lambda msg: commands.extend(msg.data),
            qos_profile_system_default,
        )
        ros.add(PolicyNode)
        arm = ros.probe.create_client(Trigger, topics.POLICY_ARM)
        due = 0.0

        def broadcast() -> None:
            """What has no interface is NaN; joints come in any order, others among them."""
            nonlocal due
            if time.monotonic() < due:
                return
            due = time.monotonic() + SPECIFICATION.control_period
            msg = JointState(name=["gripper", "cart_to_pendulum", "slider_to_cart"])
            msg.header.stamp = ros.probe.get_clock().now().to_msg()
            msg.position, msg.velocity = [0.0, 0.05, 0.1], [math.nan, 0.1, 0.2]
            msg.effort = [math.nan] * 3
            states.publish(msg)

        def go_on(condition: Any) -> Any:
            def is_over() -> Any:
                broadcast()
                return condition()

            return is_over

        ros.until(go_on(lambda: len(commands) > 20), "nothing is commanded")
        assert not any(commands)
        ros.until(go_on(arm.service_is_ready), "no service")
        future = arm.call_async(Trigger.Request())
        ros.until(go_on(future.done), "no response")
        assert future.result().success, future.result().message
        ros.until(go_on(lambda: commands[-1] != 0.0), "does not move")
        ros.until(go_on(lambda: abs(commands[-1]) > 10.0), "authority does not grow")
        moving = commands[len(commands) - commands[::-1].index(0.0) :]
        assert np.abs(np.diff(moving)).max() <= 2000.0 * SPECIFICATION.control_period + 1e-9
