from __future__ import annotations

import dataclasses
import functools
import itertools
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lifecycle_msgs.msg import Transition as LifecycleTransition
from lifecycle_msgs.srv import ChangeState
from rclpy.qos import DurabilityPolicy, QoSProfile

from policies import RUN_ID, SPECIFICATION, make_file, make_weights
from robots import PATIENT, Robot
from ros_world import RosWorld
from sac_control.errors import PolicyFileError
from sac_control.identity import frame_id
from sac_control.nodes import messages, topics
from sac_control.nodes.compatibility import CompatibilityCheck
from sac_control.nodes.policy import PolicyNode
from sac_control.observation import StateObserver
from sac_control.policy.policy import Policy
from sac_control.policy.policy_file import PolicyFile
from sac_control.types import Float32Array, JointState

JOINTS = ("slider_to_cart", "cart_to_pendulum")


def state(stamp: int, *, names: tuple[str, ...] = JOINTS, values: tuple[float, ...] = (0.1, 0.05)) -> JointState:
    return JointState(
        stamp=stamp, names=names, position=np.array(values), velocity=np.array([2.0 * value for value in values])
    )


def action_of(file: PolicyFile, joint_state: JointState) -> Float32Array:
    observation = np.zeros(len(SPECIFICATION.observation), np.float32)
    StateObserver(SPECIFICATION.observation).observe(joint_state, observation)
    return Policy(file.actor).act(observation)


@pytest.fixture
def policy_path(tmp_path: Path) -> Path:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(make_file().to_bytes())
    return path


def test_a_state_is_answered_with_its_stamp_whatever_the_order_of_joints(policy_path: Path) -> None:
    with RosWorld(policy={"lockstep": True, "policy_file": str(policy_path)}) as ros:
        actions, commands = ros.hear(topics.ACTION), ros.hear(topics.COMMANDS)
        ros.add(PolicyNode)
        states = ros.publisher(topics.JOINT_STATES)
        straight = state(1_000_000_007)
        swapped = state(1_000_000_008, names=JOINTS[::-1], values=(0.05, 0.1))
        for joint_state in (straight, swapped):
            states.publish(messages.state_to_msg(joint_state))
            ros.until(functools.partial(is_answered, actions, joint_state.stamp), "no answer")
        expected = action_of(make_file(), straight)
        np.testing.assert_allclose([action.action[0] for action in actions], [expected[0]] * 2, atol=1e-6)
        np.testing.assert_allclose(actions[0].command, 100.0 * expected, atol=1e-4)
        assert actions[0].specification_hash == SPECIFICATION.hash
        assert list(actions[0].interface) == [topics.ACTION.type.INTERFACE_EFFORT]
        assert not commands


def test_weights_are_awaited_then_put_in_force_and_reported() -> None:
    with RosWorld(policy={"lockstep": True}) as ros:
        actions, statuses = ros.hear(topics.ACTION), ros.hear(topics.POLICY_STATUS)
        ros.add(PolicyNode)
        states, weights = ros.publisher(topics.JOINT_STATES), ros.publisher(topics.WEIGHTS)
        states.publish(messages.state_to_msg(state(1)))
        ros.until(lambda: statuses and "policy_weights" in statuses[-1].cause, "does not say what it waits for")
        assert not actions
        weights.publish(messages.weights_to_msg(make_weights(make_file(version=3)), 0))
        ros.until(lambda: statuses[-1].policy_version == 3, "version 3 is not in force")
        assert statuses[-1].offered_accepted
        assert statuses[-1].swap_gap > 0.0
        assert statuses[-1].run == "test"
        states.publish(messages.state_to_msg(state(2)))
        ros.until(lambda: actions, "no answer")
        assert actions[-1].policy_version == 3


def test_weights_that_do_not_fit_are_kept_out_with_the_reason_and_the_old_ones_stay() -> None:
    other = dataclasses.replace(SPECIFICATION, task="swing_up")
    damaged = dataclasses.replace(make_weights(make_file(version=5)), sha256=bytes(32))
    offers = {
        "swing_up": make_weights(make_file(version=4, specification=other)),
        "sha256": damaged,
        "older": make_weights(make_file(version=1)),
    }
    with RosWorld() as ros:
        statuses = ros.hear(topics.POLICY_STATUS)
        ros.add(PolicyNode)
        weights = ros.publisher(topics.WEIGHTS)
        weights.publish(messages.weights_to_msg(make_weights(make_file(version=3)), 0))
        ros.until(lambda: statuses and statuses[-1].policy_version == 3, "version 3 is not in force")
        for count, (word, offer) in enumerate(offers.items(), start=1):
            weights.publish(messages.weights_to_msg(offer, 0))
            ros.until(functools.partial(are_refused, statuses, count), f"{word} was not refused")
            assert word in statuses[-1].offered_verdict
            assert not statuses[-1].offered_accepted
            assert statuses[-1].policy_version == 3


def test_every_action_is_wholly_of_the_version_it_names_while_weights_are_swapped() -> None:
    files = {version: make_file(seed=version, version=version) for version in range(1, 41)}
    with RosWorld(policy={"lockstep": True}) as ros:
        actions = ros.hear(topics.ACTION)
        ros.add(PolicyNode)
        states, weights = ros.publisher(topics.JOINT_STATES), ros.publisher(topics.WEIGHTS)
        for version, file in files.items():
            weights.publish(messages.weights_to_msg(make_weights(file), 0))
            stamps = itertools.count(100 * version)

            def is_in_force(version: int = version, stamps: Iterator[int] = stamps) -> bool:
                states.publish(messages.state_to_msg(state(next(stamps))))
                return bool(actions) and actions[-1].policy_version == version

            ros.until(is_in_force, f"version {version} does not act")
        assert {action.policy_version for action in actions} == set(files)
        expected = {version: action_of(file, state(0)) for version, file in files.items()}
        for action in actions:
            np.testing.assert_allclose(action.action, expected[action.policy_version], atol=1e-6)


def test_state_that_comes_again_gets_the_same_action_and_moves_nothing_twice(policy_path: Path) -> None:
    with RosWorld(policy={"lockstep": True, "policy_file": str(policy_path), "deterministic": False}) as ros:
        actions, commands = ros.hear(topics.ACTION), ros.hear(topics.COMMANDS)
        ros.add(PolicyNode)
        states = ros.publisher(topics.JOINT_STATES)
        states.publish(messages.state_to_msg(state(1)))
        ros.until(lambda: len(actions) == 1, "no answer")
        states.publish(messages.state_to_msg(state(1)))
        ros.until(lambda: len(actions) == 2, "not answered again")
        states.publish(messages.state_to_msg(state(2)))
        ros.until(lambda: len(actions) == 3, "no answer to the next")
        assert actions[1] == actions[0]
        assert actions[2] != actions[0]
        efforts = [command.data[0] for command in commands if command.data[0] != 0.0]
        assert efforts == [actions[0].command[0], actions[2].command[0]][: len(efforts)]


def test_watchdog_commands_zero_while_weights_flood_in(policy_path: Path) -> None:
    with RosWorld(policy={"policy_file": str(policy_path)}) as ros:
        robot = Robot(ros)
        ros.add(PolicyNode)
        weights = ros.publisher(topics.WEIGHTS)
        robot.until_moved()
        flood = itertools.count(2)

        def is_zero() -> bool:
            weights.publish(messages.weights_to_msg(make_weights(make_file(version=next(flood))), 0))
            return robot.commands[-1][1] == 0.0

        ros.until(is_zero, "weights keep the watchdog from its work")
        ros.until(lambda: robot.statuses[-1].swaps > 0, "no weights were swapped in")


def test_states_are_answered_between_the_pieces_of_a_check(policy_path: Path) -> None:
    with RosWorld(policy={"lockstep": True, "policy_file": str(policy_path)}) as ros:
        actions = ros.hear(topics.ACTION)
        ros.add(PolicyNode)
        states, weights = ros.publisher(topics.JOINT_STATES), ros.publisher(topics.WEIGHTS)
        weights.publish(
            messages.weights_to_msg(make_weights(make_file(seed=1, version=2, hidden=512)), 0)
        )  # 270 pieces
        stamps = itertools.count(1)

        def is_swapped() -> bool:
            states.publish(messages.state_to_msg(state(next(stamps))))
            return bool(actions) and actions[-1].policy_version == 2

        ros.until(is_swapped, "not swapped")
        assert sum(action.policy_version == 1 for action in actions) > 1


@pytest.mark.parametrize(
    "bad",
    [
        state(5, names=("slider_to_cart", "elbow")),
        state(5, values=(float("nan"), 0.0)),
        state(5, names=("slider_to_cart",), values=(0.1,)),
    ],
)
def test_a_state_that_cannot_be_used_moves_nothing_and_is_counted(policy_path: Path, bad: JointState) -> None:
    with RosWorld(policy={"policy_file": str(policy_path)}) as ros:
        actions, statuses = ros.hear(topics.ACTION), ros.hear(topics.POLICY_STATUS)
        ros.add(PolicyNode)
        states = ros.publisher(topics.JOINT_STATES)
        states.publish(messages.state_to_msg(bad))
        ros.until(lambda: statuses and statuses[-1].rejected_states == 1, "was not counted")
        assert not actions


def test_deactivation_commands_zero_first_and_then_answers_nothing(policy_path: Path) -> None:
    with RosWorld(policy={"policy_file": str(policy_path), **PATIENT}) as ros:
        robot = Robot(ros)
        ros.add(PolicyNode)
        robot.until_moved()
        request = ChangeState.Request()
        request.transition.id = LifecycleTransition.TRANSITION_DEACTIVATE
        assert ros.call(ChangeState, "policy/change_state", request).success
        ros.until(lambda: robot.commands[-1][1] == 0.0, "no zero")
        count = len(robot.commands)
        robot.go_on_for(0.3)
        assert len(robot.commands) == count


def test_without_autostart_a_lifecycle_manager_decides(policy_path: Path) -> None:
    with RosWorld(policy={"policy_file": str(policy_path), "autostart": False, "check_stamps": False}) as ros:
        actions = ros.hear(topics.ACTION)
        ros.add(PolicyNode)
        states = ros.publisher(topics.JOINT_STATES)
        states.publish(messages.state_to_msg(state(1)))
        ros.spin_for(0.2)
        assert not actions
        for transition in (LifecycleTransition.TRANSITION_CONFIGURE, LifecycleTransition.TRANSITION_ACTIVATE):
            request = ChangeState.Request()
            request.transition.id = transition
            assert ros.call(ChangeState, "policy/change_state", request).success
        states.publish(messages.state_to_msg(state(2)))
        ros.until(lambda: actions, "does not answer after activation")


def test_a_policy_file_that_cannot_be_used_ends_the_start_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "cut.safetensors"
    path.write_bytes(make_file().to_bytes()[:-100])
    with RosWorld(policy={"policy_file": str(path)}) as ros, pytest.raises(PolicyFileError, match=r"cut\.safetensors"):
        ros.add(PolicyNode)


def test_a_missing_simulator_is_named_with_its_topic(capfd: pytest.CaptureFixture[str]) -> None:
    with RosWorld(policy={"wait_warning": 0.5}) as ros:
        ros.add(PolicyNode)
        ros.spin_for(1.5)
    assert "no message on /joint_states for 0.5 s: is the simulator node running" in capfd.readouterr().err


def test_a_peer_with_excluding_quality_of_service_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    with RosWorld() as ros:
        check = CompatibilityCheck(ros.add(PolicyNode))
        ros.hear(topics.ACTION)
        ros.publisher(topics.JOINT_STATES)
        assert not [sentence for _ in range(20) if (sentence := check.next_complaint())]  # these fit
        ros.probe.create_subscription(topics.COMMANDS.type, topics.COMMANDS.name, print, latched)
        ros.until(
            lambda: "/effort_controller/commands has an incompatible QoS with node /probe" in capfd.readouterr().err,
            "the peer is not named",
        )


def test_the_policy_process_loads_neither_torch_nor_pybullet_nor_gymnasium() -> None:
    code = (
        "import sys, sac_control.nodes.policy;"
        "print([name for name in ('torch', 'pybullet', 'gymnasium', 'matplotlib') if name in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"


def is_answered(actions: list[Any], stamp: int) -> bool:
    return bool(actions) and stamp_of(actions[-1]) == stamp


def are_refused(statuses: list[Any], count: int) -> bool:
    return bool(statuses[-1].rejected_weights == count)


def stamp_of(msg: Any) -> int:
    return messages.stamp_from_msg(msg.header.stamp)


def test_override_of_one_node_s_quality_of_service_changes_no_other_node(policy_path: Path) -> None:
    """rclpy writes overrides into the profile that it is given."""
    overrides = {
        "qos_overrides./joint_states.subscription.depth": 77,
        "qos_overrides./policy/action.publisher.depth": 7,
    }
    with RosWorld(policy={"policy_file": str(policy_path), **overrides}) as ros:
        depths = {each.topic_name: each.qos_profile.depth for each in ros.add(PolicyNode).subscriptions}
        assert depths["/joint_states"] == 77
    assert topics.ROBOT_JOINT_STATES.subscription_qos.depth == topics.ACTION.publisher_qos.depth == 10


def test_policy_node_of_a_run_answers_each_state_and_that_of_a_robot_the_newest(policy_path: Path) -> None:
    for parameters, expected in (({"run_id": RUN_ID}, [1, 2, 3]), ({"check_stamps": False}, [3])):
        deep = {"qos_overrides./joint_states.subscription.depth": 10, "period_error": 100.0, **parameters}
        deep["qos_overrides./joint_states.subscription.reliability"] = "reliable"
        with RosWorld(policy={"policy_file": str(policy_path), **PATIENT, **deep}) as ros:
            actions = ros.hear(topics.ACTION)
            frame = frame_id(RUN_ID, SPECIFICATION.hash) if "run_id" in parameters else ""
            states = topics.publisher(ros.peer("simulator"), topics.JOINT_STATES)
            ros.add(PolicyNode)
            ros.until(lambda states=states: states.get_subscription_count() > 0, "nobody listens")  # type: ignore[misc]
            for stamp in (1, 2, 3):  # nothing is served meanwhile
                states.publish(messages.state_to_msg(dataclasses.replace(state(stamp), frame=frame)))
            time.sleep(0.1)  # until they have arrived
            ros.until(lambda actions=actions: actions, "no answer")  # type: ignore[misc]
            ros.spin_for(0.2)
            assert [messages.stamp_from_msg(action.header.stamp) for action in actions] == expected
