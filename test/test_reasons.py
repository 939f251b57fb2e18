"""A policy node that moves nothing says why within a second: on policy/status, on /diagnostics and in the log.

Every way in which it does not move is a row here, on a real node with real messages.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from std_srvs.srv import Trigger

from policies import SPECIFICATION, make_file
from robots import PERIOD, Robot
from ros_world import RosWorld
from sac_control.errors import PolicyFileError
from sac_control.health.standstill import Standstill
from sac_control.nodes import topics
from sac_control.nodes.policy import PolicyNode
from sac_control.policy.safety import Mode
from sac_control.types import JointState

GRIPPER = ("finger_left", "finger_right")
CART, POLE = SPECIFICATION.joints


@pytest.fixture
def policy_path(tmp_path: Path) -> Path:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(make_file().to_bytes())
    return path


def nothing(robot: Robot) -> None:
    robot.is_silent = True


def gripper_alone(robot: Robot) -> None:
    robot.send_next = functools.partial(send_gripper, robot)


def send_gripper(robot: Robot) -> None:
    robot.publish(JointState(stamp=1, names=GRIPPER, position=np.zeros(2), velocity=np.zeros(2)))


def prefixed_beside_a_gripper(robot: Robot) -> None:
    """Whoever has the gripper's names in the sentence does not know what to set."""

    def send_both() -> None:
        robot.publish(JointState(stamp=1, names=(f"r/{CART}", f"r/{POLE}"), position=np.zeros(2), velocity=np.zeros(2)))
        send_gripper(robot)

    robot.send_next = send_both


def half_by_half(robot: Robot) -> None:
    """The cart in one message, the pole in the next."""
    turn = itertools.cycle(SPECIFICATION.joints)
    robot.send_next = lambda: robot.send_as(time.time_ns(), (next(turn),))


def not_finite(robot: Robot) -> None:
    robot.value = math.nan


def without_stamps(robot: Robot) -> None:
    robot.send_next = lambda: robot.send_as(0, SPECIFICATION.joints)


def stamps_that_stand_still(robot: Robot) -> None:
    robot.send_next = lambda: robot.send_as(5, SPECIFICATION.joints)


def old(robot: Robot) -> None:
    robot.send_next = functools.partial(robot.send, age=3.0)


def too_fast(robot: Robot) -> None:
    robot.period = PERIOD / 3.0


def too_slow(robot: Robot) -> None:
    robot.period = 0.1


def outside(robot: Robot) -> None:
    robot.value = 0.95


def good(_: Robot) -> None:
    return


WAYS: list[tuple[Callable[[Robot], None], dict[str, object], str]] = [
    (nothing, {}, "waits for a first state"),
    (gripper_alone, {}, "joint_states hold finger_left, finger_right, none of the policy's joints slider_to_cart"),
    (prefixed_beside_a_gripper, {}, f"joint_states hold r/{CART}, r/{POLE}, none of the policy's joints {CART}"),
    (half_by_half, {}, "all joints of the policy must come in one message"),
    (not_finite, {}, "holds a value that is not finite"),
    (without_stamps, {}, "state has no stamp"),
    (stamps_that_stand_still, {"check_stamps": False}, "is that of the previous state"),
    (old, {}, "s old, limit 0.05 s: synchronise the clocks"),
    (too_fast, {}, "the policy was trained for 0.0165 s: set policy.decimation="),
    (too_slow, {}, "which is longer than the state_timeout of 0.05 s"),
    (outside, {"envelope": f"-0.9 < position({CART}) < 0.9"}, "outside of its envelope"),
    (good, {"require_arm": True}, "waits for policy/arm"),
    (good, {"autostart": False}, "not activated"),
    (good, {"policy_file": "", "accept_weights": ""}, "no policy: set policy.policy_file"),
    (good, {"policy_file": "", "accept_weights": "0" * 32}, "nothing received on policy_weights from run 00000000"),
]


@pytest.mark.parametrize(("way", "settings", "words"), WAYS, ids=lambda value: getattr(value, "__name__", None))
def test_node_that_does_not_move_says_why_in_three_places(
    policy_path: Path,
    capfd: pytest.CaptureFixture[str],
    way: Callable[[Robot], None],
    settings: dict[str, object],
    words: str,
) -> None:
    with RosWorld(policy={"policy_file": str(policy_path), **settings}) as ros:
        robot = Robot(ros)
        way(robot)
        ros.add(PolicyNode)
        until_it_is_told(robot, capfd, words)
        assert not any(effort for _, effort in robot.commands)


def test_gripper_that_goes_on_while_our_joints_are_silent_is_not_taken_for_them(policy_path: Path) -> None:
    """The cable of one broadcaster is pulled: no advice about names of joints, which were right."""
    with RosWorld(policy={"policy_file": str(policy_path), "period_error": 100.0}) as ros:
        robot = Robot(ros)
        ros.add(PolicyNode)
        robot.until_moved()
        gripper_alone(robot)
        robot.until_mode(Mode.HOLD, "s: only states of other joints are received; those of the policy's have stopped")


def test_stopped_node_says_so_in_three_places(policy_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with RosWorld(policy={"policy_file": str(policy_path), "period_error": 100.0}) as ros:
        robot = Robot(ros)
        ros.add(PolicyNode)
        robot.until_moved()
        client = ros.probe.create_client(Trigger, topics.POLICY_STOP)
        robot.until(client.service_is_ready, "no service")
        client.call_async(Trigger.Request())
        until_it_is_told(robot, capfd, "stopped by policy/stop")


def until_it_is_told(robot: Robot, capfd: pytest.CaptureFixture[str], words: str) -> None:
    log = ""

    def is_told() -> bool:
        nonlocal log
        log += capfd.readouterr().err
        return (
            any(words in status.cause for status in robot.statuses)
            and any(words in each.message for msg in robot.diagnostics for each in msg.status)
            and "nothing moves: " in log
            and words in log
        )

    robot.until(is_told, f"{words!r} is not told everywhere")


def test_a_gripper_on_the_same_topic_disturbs_nothing(policy_path: Path) -> None:
    """Its messages come right behind ours, as from a second broadcaster, and twice as often."""
    with RosWorld(policy={"policy_file": str(policy_path), "period_error": 100.0}) as ros:
        robot = Robot(ros)
        gripper = topics.publisher(ros.peer("gripper"), topics.JOINT_STATES)
        send, fingers = robot.send, topics.JOINT_STATES.type(name=list(GRIPPER), position=[0.0, 0.1])

        def send_both() -> None:
            gripper.publish(fingers)
            send()
            gripper.publish(fingers)

        robot.send_next = send_both
        ros.add(PolicyNode)
        robot.until_mode(Mode.ACTIVE)
        count, sent = len(robot.actions), len(robot.sent)
        robot.until(lambda: len(robot.actions) > count + 100, "states are not answered")
        assert len(robot.sent) - sent < 130, "states of ours are lost"
        robot.until(lambda: robot.statuses[-1].foreign_states > 200, "the gripper's are not counted")
        assert robot.statuses[-1].rejected_states == 0


def test_states_that_wait_are_answered_by_the_newest_of_ours(policy_path: Path) -> None:
    with RosWorld(policy={"policy_file": str(policy_path), "period_error": 100.0, "state_timeout": 0.2}) as ros:
        robot = Robot(ros)
        ros.add(PolicyNode)
        robot.until_moved()
        count, send, newest = len(robot.actions), robot.send, set(robot.sent)

        def send_several() -> None:
            for _ in range(3):
                send()
                send_gripper(robot)
            newest.add(max(robot.sent))

        robot.send_next = send_several
        robot.until(lambda: len(robot.actions) > count + 30, "states are not answered")
        answered = [msg.header.stamp.sec * 10**9 + msg.header.stamp.nanosec for msg in robot.actions[count + 5 :]]
        assert np.mean([stamp in newest for stamp in answered]) > 0.8


def test_period_longer_than_any_timeout_is_refused_at_the_start_in_words(tmp_path: Path) -> None:
    path = tmp_path / "slow.safetensors"
    path.write_bytes(make_file(specification=dataclasses.replace(SPECIFICATION, control_period=0.25)).to_bytes())
    words = r"state_timeout is 0\.2 s, the control period 0\.25 s: .* set policy\.state_timeout to 0\.75"
    with RosWorld(policy={"policy_file": str(path)}) as ros, pytest.raises(PolicyFileError, match=words):
        ros.add(PolicyNode)


def test_each_reason_is_said_once_whatever_its_numbers() -> None:
    log = Standstill(patience=1.0)
    said = [log.sentence(f"no usable state for {k:.2f} s", 0.1 * k) for k in range(100)]
    assert [each for each in said if each] == ["nothing moves: no usable state for 10.00 s"]
    assert log.sentence("something else", 10.0) == "nothing moves: something else"
    assert log.sentence("", 10.1) == ""
    assert log.sentence("something else", 10.2) == "", "patience begins anew"
    assert log.sentence("something else", 11.3) == "nothing moves: something else"
