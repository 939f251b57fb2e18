"""What belongs to a run reaches that run alone: states, answers, commands."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from std_msgs.msg import Float64MultiArray

from policies import OTHER_RUN_ID, RUN_ID, SPECIFICATION, make_file
from robots import PATIENT, Robot
from ros_world import RosWorld
from sac_control.identity import frame_id, is_run_id, new_run_id
from sac_control.nodes import messages, topics
from sac_control.nodes.policy import PolicyNode
from sac_control.nodes.simulator import SimulatorNode
from sac_control.policy.safety import Mode
from sac_control.tasks.builtin import inverted_double_pendulum, inverted_pendulum, inverted_pendulum_swingup
from sac_control.tasks.file_task import FileTask
from sac_control.tasks.starts import Box, Range, Starts
from sac_control.types import Action
from tasks_for_tests import changed
from test_node_policy import state
from wire import action_msg

FRAME = frame_id(RUN_ID, SPECIFICATION.hash)


@pytest.fixture
def policy_path(tmp_path: Path) -> Path:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(make_file().to_bytes())
    return path


def push(stamp: int, effort: float = 30.0) -> Action:
    values = np.array([effort])
    action = (values / 100.0).astype(np.float32)
    return Action(stamp=stamp, policy_version=1, action=action, command_raw=values, command=values)


def stamp_of(msg: Any) -> int:
    return messages.stamp_from_msg(msg.header.stamp)


def test_run_ids_are_128_random_bits() -> None:
    ids = {new_run_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(map(is_run_id, ids))
    assert not any(map(is_run_id, ("", "0" * 31, "0" * 33, "G" * 32, "A" * 32, None, 3)))


@pytest.mark.parametrize(
    "frame", ["", "base_link", frame_id(OTHER_RUN_ID, SPECIFICATION.hash), frame_id(RUN_ID, "0" * 64)]
)
def test_policy_node_of_a_run_answers_its_own_simulator_alone(policy_path: Path, frame: str) -> None:
    """A robot leaves the frame empty or names one of its own: nothing in a training answers it."""
    with RosWorld(policy={"run_id": RUN_ID, "lockstep": True, "policy_file": str(policy_path)}) as ros:
        actions, statuses = ros.hear(topics.ACTION), ros.hear(topics.POLICY_STATUS)
        ros.add(PolicyNode)
        states = topics.publisher(ros.peer("simulator"), topics.JOINT_STATES)
        ros.until(lambda: states.get_subscription_count() > 0, "nobody listens")
        for stamp in (1, 2, 3):
            states.publish(messages.state_to_msg(dataclasses.replace(state(stamp), frame=frame)))
        ros.until(lambda: statuses and statuses[-1].foreign_states >= 1, "not counted")
        ros.until(lambda: "joint_states are of " in statuses[-1].last_rejection, "not said")
        states.publish(messages.state_to_msg(dataclasses.replace(state(4), frame=FRAME)))
        ros.until(lambda: actions, "its own simulator is not answered")
        assert [stamp_of(action) for action in actions] == [4]
        assert (actions[0].run_id, actions[0].specification_hash) == (RUN_ID, SPECIFICATION.hash)
        assert statuses[-1].rejected_states == 0


def test_policy_node_of_a_robot_answers_no_simulator_of_a_run(policy_path: Path) -> None:
    """Somebody trains at the root, where the robot is: that simulator is none of the robot's drivers."""
    with RosWorld(policy={"policy_file": str(policy_path), **PATIENT}) as ros:
        robot = Robot(ros)
        ros.add(PolicyNode)
        robot.until_moved()
        simulator = topics.publisher(ros.peer("simulator"), topics.JOINT_STATES)
        ros.until(lambda: simulator.get_subscription_count() > 0, "nobody listens")

        def send_beside() -> None:
            robot.send()
            simulator.publish(messages.state_to_msg(dataclasses.replace(state(time.time_ns()), frame=FRAME)))

        robot.send_next = send_beside
        robot.until(lambda: robot.statuses[-1].foreign_states > 10, "not counted")
        assert robot.statuses[-1].mode == Mode.ACTIVE
        assert not robot.errors()


@pytest.mark.parametrize("parameters", [{"run_id": RUN_ID}, {"lockstep": True}, {"run_id": RUN_ID, "lockstep": True}])
def test_policy_node_that_drives_no_robot_has_no_command_topic(
    policy_path: Path, parameters: dict[str, object]
) -> None:
    with RosWorld(policy={**parameters, "policy_file": str(policy_path)}) as ros:
        node = ros.add(PolicyNode)
        published = {name for name, _ in node.get_publisher_names_and_types_by_node("policy", "/")}
        assert "/policy/action" in published
        assert "/effort_controller/commands" not in published


@pytest.mark.parametrize("mode", ["lockstep", "realtime"])
@pytest.mark.parametrize(
    ("strange", "word"),
    [
        ({"run_id": OTHER_RUN_ID}, "run fedcba98"),
        ({"run_id": ""}, "no run"),
        ({"specification_hash": "0" * 64}, "joints"),
    ],
)
def test_simulator_is_moved_by_the_policy_node_of_its_run_alone(mode: str, strange: dict[str, str], word: str) -> None:
    parameters = {"run_id": RUN_ID, "mode": mode, "flow_control": False, "command_timeout": 0.2, "answer_timeout": 10.0}
    with RosWorld(simulator=parameters) as ros:
        states, transitions = ros.hear(topics.JOINT_STATES), ros.hear(topics.TRANSITIONS)
        diagnostics = ros.hear(topics.DIAGNOSTICS)
        ros.add(SimulatorNode)
        actions = ros.publisher(topics.ACTION)
        ros.until(lambda: states, "no state")
        assert states[0].header.frame_id == FRAME
        foreign = action_msg(push(stamp_of(states[0])), 2, run_id=RUN_ID)
        for name, value in strange.items():
            setattr(foreign, name, value)
        actions.publish(foreign)

        def figures() -> dict[str, str]:
            return {pair.key: pair.value for pair in diagnostics[-1].status[0].values} if diagnostics else {}

        ros.until(lambda: figures().get("foreign_actions") == "1", "not counted")
        assert word in figures()["last_foreign_action"]
        assert not transitions
        actions.publish(action_msg(push(stamp_of(states[-1])), 2, run_id=RUN_ID))
        ros.until(lambda: transitions and transitions[-1].action[0] != 0.0, "its own policy node does not move it")
        first = transitions[0]
        assert (first.run_id, first.task_hash) == (RUN_ID, inverted_pendulum().hash)
        assert first.duration == SPECIFICATION.control_period
        np.testing.assert_allclose(first.action_raw, [0.3], rtol=1e-6)
        assert len(first.state) == 2 * len(SPECIFICATION.joints)


def test_simulator_of_a_run_takes_no_commands_in_realtime_either() -> None:
    with RosWorld(simulator={"run_id": RUN_ID, "mode": "realtime"}) as ros:
        node = ros.add(SimulatorNode)
        heard = {name for name, _ in node.get_subscriber_names_and_types_by_node("simulator", "/")}
        assert "/policy/action" in heard
        assert "/effort_controller/commands" not in heard
    with RosWorld(simulator={"mode": "realtime"}) as ros:  # it stands in for a robot
        states = ros.hear(topics.JOINT_STATES)
        ros.add(SimulatorNode)
        ros.publisher(topics.COMMANDS).publish(Float64MultiArray(data=[0.0]))
        ros.until(lambda: states, "no state")
        assert states[0].header.frame_id == ""


def test_tasks_that_see_and_move_the_same_share_a_specification_and_no_task() -> None:
    makers = [inverted_pendulum, inverted_pendulum_swingup, inverted_double_pendulum]
    tasks = [make() for make in makers]
    assert len({task.specification.hash for task in tasks}) == 2
    assert len({task.hash for task in tasks}) == 3
    assert [task.hash for task in tasks] == [make().hash for make in makers]


def changed_tasks() -> dict[str, FileTask]:
    task = inverted_pendulum()
    box = Box(share=1.0, ranges=(Range(place=2, centre=0.0, spread=0.101),))
    return {
        "reward": changed(task, reward="1 - 0.001*slider_to_cart^2"),
        "termination": changed(task, terminated="abs(cart_to_pendulum) > 0.19"),
        "starts": changed(task, starts=Starts([box], joints=2)),
        "episode": changed(task, max_episode_steps=999),
        "period": changed(task, specification=dataclasses.replace(SPECIFICATION, control_period=0.02)),
    }


@pytest.mark.parametrize("name", changed_tasks())
def test_whatever_is_asked_otherwise_is_another_task(name: str) -> None:
    assert changed_tasks()[name].hash != inverted_pendulum().hash


@pytest.mark.parametrize("name", ["reward", "termination"])
def test_tasks_that_are_no_files_are_told_apart_by_what_they_answer(name: str) -> None:
    task, other = inverted_pendulum(), changed_tasks()[name]
    task.rules = other.rules = ()
    assert other.hash != task.hash


def test_a_changed_plant_is_the_same_task() -> None:
    task = inverted_pendulum()
    settings = dataclasses.replace(task.content.settings, robot="another.xml")
    other = changed(task, settings=settings, engines={}, gravity=1.6)
    assert other.robot("pybullet").description.name == "another.xml"
    assert other.hash == task.hash
