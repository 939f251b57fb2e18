"""docs/hardware.md keeps its word: its example, followed to the letter, with a stand-in for the controller manager.

Two robots: the plain one of the guide, and one that has prefixed joints, a pole whose zero hangs down and a cart that
counts the other way. Beside both there is a gripper with a broadcaster of its own.
"""

from __future__ import annotations

import configparser
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

from node_processes import NodeProcess
from policies import SPECIFICATION, make_file
from robots import BRIEF, PATIENCE, PATIENT
from ros_world import RosWorld
from sac_control.cli.launch_arguments import DEPLOY
from sac_control.cli.main import EXIT_USAGE, parse
from sac_control.cli.node_description import NodeDescription
from sac_control.cli.options import DeploymentOptions
from sac_control.cli.plan import plan_deployment
from sac_control.nodes import topics
from sac_control.nodes.policy import PolicyNode
from sac_control.policy.region import JointRegion, Region
from sac_control.policy.safety import Mode

GUIDE = (Path(__file__).parent.parent / "docs" / "hardware.md").read_text()
CART, POLE = SPECIFICATION.joints
UPRIGHT = math.pi  # [rad] what the second robot says of a pole that is upright
REGION = Region(
    joints={
        CART: JointRegion(position=(-0.5, 0.5), velocity=(-2.0, 2.0)),
        POLE: JointRegion(position=(-0.2, 0.2), velocity=(-2.0, 2.0), is_continuous=True),
    },
    states=1000,
)


def blocks(language: str) -> list[str]:
    """What the guide has between ``` and ``` of a language."""
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


def controllers() -> dict[str, Any]:
    """The guide's parameter file of the controller manager."""
    content: dict[str, Any] = yaml.safe_load(blocks("yaml")[0])
    return content


def robot_yaml(*, is_other: bool = False) -> str:
    """The guide's parameter file of the policy node; that of the other robot has three lines more."""
    _, file, more = blocks("yaml")
    return file + (more if is_other else "")


def written_settings() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(robot_yaml())["/policy"]["ros__parameters"]
    return content


def command() -> list[str]:
    """The words of the guide's `sac_control deploy`."""
    (found,) = re.findall(r"^sac_control (deploy .*)$", GUIDE, re.MULTILINE)
    return shlex.split(found)


@pytest.fixture
def policy_path(tmp_path: Path) -> Path:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(make_file(region=REGION).to_bytes())
    return path


def planned(words: list[str], policy_path: Path, *, is_other: bool = False) -> NodeDescription:
    """The node that the command starts, where FILE is `policy_path` and robot.yaml lies beside it."""
    config = policy_path.with_name("robot.yaml")
    config.write_text(robot_yaml(is_other=is_other))
    _, options = parse(words)
    assert options.config == Path("robot.yaml")
    (node,) = plan_deployment(
        DeploymentOptions(policy=str(policy_path), config=config, settings=options.settings, remap=options.remap)
    )
    return node


def test_example_configuration_is_for_the_policy() -> None:
    content = controllers()
    assert tuple(content["effort_controller"]["ros__parameters"]["joints"]) == SPECIFICATION.actuated_joints
    assert content["effort_controller"]["ros__parameters"]["interface_name"] == "effort"
    assert tuple(content["joint_state_broadcaster"]["ros__parameters"]["joints"]) == SPECIFICATION.joints
    rate = content["controller_manager"]["ros__parameters"]["update_rate"]
    assert 1.0 / rate == pytest.approx(SPECIFICATION.control_period, rel=0.02)


def test_example_description_has_the_interfaces_that_the_controllers_claim() -> None:
    (description,) = blocks("xml")
    joints = ElementTree.fromstring(description).findall("joint")
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


def test_launch_file_and_settings_do_what_the_file_of_the_guide_does(policy_path: Path) -> None:
    commanded = planned(command(), policy_path)
    assert commanded.parameters["dry_run"]
    (found,) = re.findall(r"`ros2 launch sac_control deploy.launch.py (policy:=FILE .*?)`", GUIDE)
    values = {argument.name: argument.default or "" for argument in DEPLOY.arguments}
    values |= dict(word.split(":=") for word in found.split())
    values |= {"policy": str(policy_path), "config": str(policy_path.with_name("robot.yaml"))}
    assert DEPLOY.plan(values).nodes == (commanded,)
    each = " ".join(f"policy.{name}={value}" for name, value in written_settings().items())
    values |= {"config": "", "settings": f"{each} policy.dry_run=true"}
    assert DEPLOY.plan(values).nodes == (commanded,)
    assert " < position(slider_to_cart) < " in commanded.parameters["envelope"]


def test_recipe_asks_for_the_priority_that_the_user_and_the_service_may_have(policy_path: Path) -> None:
    parameters = planned(command(), policy_path).parameters
    priority = parameters["realtime_priority"]
    assert priority > 0
    assert parameters["lock_memory"]
    assert re.findall(r"^robot +- +(\w+) +(\w+)$", GUIDE, re.MULTILINE) == [
        ("rtprio", str(priority)),
        ("memlock", "unlimited"),
    ]
    assert unit()["LimitRTPRIO"] == str(priority)
    assert unit()["LimitMEMLOCK"] == "infinity"


def unit() -> dict[str, str]:
    """The section [Service] of the guide's systemd unit."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(*blocks("ini"))
    return dict(parser["Service"])


def test_service_deploys_the_policy_unarmed_and_starts_it_again_but_not_where_a_setting_is_wrong(
    policy_path: Path,
) -> None:
    service = unit()
    assert (service["Restart"], service["User"], service["KillMode"]) == ("always", "robot", "mixed")
    assert service["RestartPreventExitStatus"] == str(EXIT_USAGE)
    shell, option, script = shlex.split(service["ExecStart"])
    assert (shell, option) == ("/bin/bash", "-c")
    words = shlex.split(script.rpartition("&& exec ")[2])
    assert words[:3] == ["python3", "-m", "sac_control"]
    node = planned(words[3:], policy_path)
    assert node.parameters["require_arm"]
    assert not node.parameters.get("dry_run", False)
    assert "require_arm" not in robot_yaml()


def test_robot_that_counts_otherwise_has_the_settings_and_the_controller_of_the_guide(policy_path: Path) -> None:
    (remap,) = re.findall(r"`(--remap \S+)`", GUIDE)
    node = planned([*command(), *remap.split()], policy_path, is_other=True)
    assert node.remappings == (("effort_controller/commands", "robot1_controller/commands"),)
    assert node.parameters["joint_map"] == f"{CART}: robot1/{CART}, {POLE}: robot1/{POLE}"
    assert node.parameters["joint_sign"] == f"{CART}: -1"
    assert float(node.parameters["joint_offset"].removeprefix(f"{POLE}: ")) == pytest.approx(UPRIGHT, abs=1e-4)


def test_each_cause_of_the_table_is_in_words_that_the_node_has() -> None:
    """Who is told them, and when: test_reasons.py."""
    package = Path(__file__).parent.parent / "sac_control"
    source = "".join(path.read_text() for folder in ("policy", "nodes") for path in (package / folder).glob("*.py"))
    source = re.sub(r'"\s*\n\s*f?"', "", source)  # a sentence over several lines
    table = GUIDE[GUIDE.index("| `cause` |") : GUIDE.index("## 4.")]
    causes = re.findall(r"`([^`]+)`", " ".join(row.split("|")[1] for row in table.splitlines()[2:] if row))
    assert len(causes) > 8
    for cause in causes:
        for words in cause.split("…"):
            assert words.strip(" :,") in source, cause


class ControllerManager:
    """joint_state_broadcaster and a forward_command_controller as nodes of their own, and a person who calls services.

    Both take rclcpp::SystemDefaultsQoS, the first for joint_states, the second for ~/commands. A gripper has a second
    broadcaster, whose messages come behind ours.

    Args:
        is_other: the second robot.

    Attributes:
        slider, pole: [m], [rad] where they are; 0 is the middle and upright, whatever the robot says of it.
    """

    def __init__(self, ros: RosWorld, *, is_other: bool = False) -> None:
        self._ros = ros
        self._prefix, self._sign, self._zero = ("robot1/", -1.0, UPRIGHT) if is_other else ("", 1.0, 0.0)
        self.commands: list[float] = []
        self.commanded_at = -math.inf  # [s] steady time of the newest
        self.statuses = ros.hear(topics.POLICY_STATUS)
        self.actions = ros.hear(topics.ACTION)
        self.is_broadcasting = True
        self.slider, self.pole = 0.1, 0.05
        self.has_power = True  # without, the cart stands still to the last bit
        self._due = 0.0
        self._broadcaster, self._controller = ros.peer("joint_state_broadcaster"), ros.peer("effort_controller")
        self._states = self._broadcaster.create_publisher(JointState, "joint_states", qos_profile_system_default)
        gripper = ros.peer("gripper_broadcaster")
        self._gripper = gripper.create_publisher(JointState, "joint_states", qos_profile_system_default)
        self._controller.create_subscription(
            Float64MultiArray, "~/commands", self._on_command, qos_profile_system_default
        )

    def _on_command(self, msg: Any) -> None:
        self.commands.extend(msg.data)
        self.commanded_at = time.monotonic()

    def _broadcast(self) -> None:
        """What has no interface is NaN; joints come in any order, others among them."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + SPECIFICATION.control_period
        if self.is_broadcasting:
            noise = 1e-9 * (self._due % 1.0)  # encoders that stand still to the last bit are frozen
            slider = self._sign * (self.slider + (noise if self.has_power else 0.0))
            pole = self.pole + self._zero + noise
            msg = JointState(name=["wheel", f"{self._prefix}cart_to_pendulum", f"{self._prefix}slider_to_cart"])
            msg.header.stamp = self._broadcaster.get_clock().now().to_msg()
            msg.position, msg.velocity = [0.0, pole, slider], [math.nan, 0.1, self._sign * 0.2]
            msg.effort = [math.nan] * 3
            self._states.publish(msg)
        self._gripper.publish(JointState(name=["finger_left", "finger_right"], position=[0.01, 0.01]))

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

    def refusal(self, service: str) -> str:
        """The message of a response that has no success."""
        response = self._response(service)
        assert not response.success
        return str(response.message)

    def call(self, service: str) -> None:
        response = self._response(service)
        assert response.success, response.message

    def _response(self, service: str) -> Any:
        client = self._ros.probe.create_client(Trigger, service)
        self.until(client.service_is_ready, f"no service {service}")
        future = client.call_async(Trigger.Request())
        self.until(future.done, f"no response from {service}")
        return future.result()


def deployed(policy_path: Path, *, is_other: bool = False) -> dict[str, object]:
    """Parameters of the node as the guide deploys it, without dry_run, for a computer that others use, too."""
    node = planned(command(), policy_path, is_other=is_other)
    assert node.parameters["dry_run"]
    assert node.parameters["require_arm"]
    without_rights = {"dry_run": False, "realtime_priority": 0, "lock_memory": False}
    return {**node.parameters, **without_rights, **PATIENT, "state_timeout": BRIEF}


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
    """Row by row; a second policy is below, kill -9 in test_faults_restarts.py, the emergency stop is no software."""
    table = GUIDE[GUIDE.index("## 4.") : GUIDE.index("## 5.")]
    (setting,) = re.findall(r"`--set policy.frozen_periods=(\d+)`", table)
    assert table.count("\n| ") == 10  # one more, and there must be one more below
    with RosWorld(policy={**deployed(policy_path), "frozen_periods": int(setting)}) as ros:
        robot = ControllerManager(ros)
        robot.has_power = False
        ros.add(PolicyNode)
        robot.until_zero(20)
        robot.until_mode(Mode.ARMING, "waits for policy/arm")
        robot.call(topics.POLICY_ARM)
        robot.until_moved()
        count = len(robot.commands)
        robot.until(lambda: sum(abs(each) > 30.0 for each in robot.commands[count:]) > 30, "no force for half a second")
        robot.call(topics.POLICY_STOP)
        robot.until_zero(20)
        robot.until_mode(Mode.LATCHED_FAULT, "stopped by policy/stop")
        robot.call(topics.POLICY_ARM)
        robot.until_moved()
        robot.is_broadcasting = False
        robot.until_mode(Mode.HOLD, "no usable state for")
        robot.until_zero(5)
        robot.is_broadcasting = True
        robot.until_mode(Mode.ARMING, "waits for policy/arm")
        robot.until_zero(20)
        robot.call(topics.POLICY_ARM)
        robot.until_moved()
        robot.slider = 0.95
        robot.until_mode(Mode.LATCHED_FAULT, "outside of its envelope")
        robot.until_zero(20)


def test_zero_that_hangs_down_is_found_out_by_the_region(policy_path: Path) -> None:
    """Step 3 of the guide: without the offset it is the pole held upright that cannot be armed."""
    with RosWorld(policy={**deployed(policy_path, is_other=True), "joint_offset": ""}) as ros:
        robot = ControllerManager(ros, is_other=True)
        ros.add(PolicyNode)
        robot.until_mode(Mode.ARMING, "outside the training range from -0.2 to 0.2")
        assert "not armed: position(cart_to_pendulum) is 3.19" in robot.refusal(topics.POLICY_ARM)


def test_robot_that_counts_otherwise_is_driven_with_the_three_lines_of_the_guide(policy_path: Path) -> None:
    with RosWorld(policy=deployed(policy_path, is_other=True)) as ros:
        robot = ControllerManager(ros, is_other=True)
        robot.pole = math.pi  # it hangs
        ros.add(PolicyNode)
        robot.until_mode(Mode.ARMING, "outside the training range from -0.2 to 0.2")
        assert "not armed: position(cart_to_pendulum) is 3.14" in robot.refusal(topics.POLICY_ARM)
        robot.pole = 0.05  # somebody lifts it
        robot.until_mode(Mode.ARMING, "waits for policy/arm")
        robot.call(topics.POLICY_ARM)
        robot.until_moved()
        robot.until(lambda: abs(robot.commands[-1]) > 10.0, "authority does not grow")
        assert robot.commands[-1] * robot.actions[-1].command[0] < 0.0, "the cart counts the other way"
        assert robot.statuses[-1].foreign_states > 0, "the gripper was not there"


def test_second_policy_beside_an_armed_one_ends_in_zero_and_silence_and_arms_nothing_when_it_goes(
    policy_path: Path,
) -> None:
    parameters = deployed(policy_path)
    with RosWorld(policy=parameters) as ros:
        robot = ControllerManager(ros)
        ros.add(PolicyNode)
        robot.until_mode(Mode.ARMING, "waits for policy/arm")
        robot.call(topics.POLICY_ARM)
        robot.until_moved()
        with NodeProcess(ros, "policy", {"__node": "other"}, **parameters) as other:
            robot.until_mode(Mode.LATCHED_FAULT, "/other commands /effort_controller/commands, too")
            robot.until(lambda: robot.commands[-1] == 0.0, "the last command is no zero")
            count = len(robot.commands)
            assert "stop one of the two" in robot.refusal(topics.POLICY_ARM)
            robot.until(lambda: time.monotonic() - robot.commanded_at > 0.5, "not silent")
            other.stop()
            silent = len(robot.commands)
        robot.until(lambda: len(robot.commands) > silent + 20, "silent for ever")
        assert not any(robot.commands[count:])
