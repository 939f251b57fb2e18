"""A middleware that takes no message: what is for observers never touches control, and zero is held before it is sent.

Publishers are destroyed, which is what they raise for at once; or raise what rclpy raises where they were busy for
too long, for as many messages as a test needs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lifecycle_msgs.msg import Transition as LifecycleTransition
from lifecycle_msgs.srv import ChangeState
from rclpy.impl.implementation_singleton import rclpy_implementation as _rclpy

from policies import make_file
from robots import PATIENT, Robot
from ros_world import RosWorld
from sac_control.errors import SacControlError
from sac_control.health.aside import REST, Aside
from sac_control.nodes import messages
from sac_control.nodes.policy import PolicyNode
from sac_control.policy.controller import Controller
from sac_control.policy.safety import Mode


@pytest.fixture
def policy_path(tmp_path: Path) -> Path:
    path = tmp_path / "policy.safetensors"
    file = make_file()
    *hidden, (weight, bias) = file.actor.layers
    gentle = (np.float32(0.02) * weight, np.float32(0.02) * bias)  # no action is at its limit
    path.write_bytes(
        dataclasses.replace(file, actor=dataclasses.replace(file.actor, layers=(*hidden, gentle))).to_bytes()
    )
    return path


class Refusal:
    """Makes a publisher refuse messages, and notes in which mode the controller was each time."""

    def __init__(self, node: Any) -> None:
        self._node, self._publish = node, node._commands.publish
        self.modes: list[Mode] = []  # in which a message was refused
        self.left = 0  # messages that will be
        node._commands.publish = self.publish

    def publish(self, msg: Any) -> None:
        if self.left:
            self.left -= 1
            self.modes.append(self._node._controller.mode)
            raise _rclpy.RCLError("Failed to publish: timeout")
        self._publish(msg)


@pytest.mark.parametrize(
    "observers", [("_actions",), ("_status",), ("_health._topic",), ("_shadow._topic", "_actions")]
)
def test_what_is_for_observers_may_fail_and_control_goes_on(policy_path: Path, observers: tuple[str, ...]) -> None:
    parameters = {"policy_file": str(policy_path), "shadow_policy_file": str(policy_path), **PATIENT}
    with RosWorld(policy=parameters) as ros:
        robot = Robot(ros)
        node = ros.add(PolicyNode)
        robot.until_moved()
        for name in observers:
            owner, _, attribute = name.rpartition(".")
            getattr(getattr(node, owner) if owner else node, attribute).destroy()
        count = len(robot.commands)
        told = node._aside.failures if observers[0] != "_shadow._topic" else -1
        robot.until(lambda: node._aside.failures > told, "the failure is not counted")
        robot.until(lambda: len(robot.commands) > count + 100, "control does not go on")
        assert all(effort for _, effort in robot.commands[count:]), "zero in between"
        assert node._controller.mode is Mode.ACTIVE
        assert node._faults.count == 0
        assert node._report.losses()["observer_failures"] == node._aside.failures


def test_answer_that_cannot_be_made_a_message_for_observers_was_commanded_all_the_same(
    policy_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RosWorld(policy={"policy_file": str(policy_path), **PATIENT}) as ros:
        robot = Robot(ros)
        node = ros.add(PolicyNode)
        robot.until_moved()

        def raise_(*_: Any) -> None:
            raise RuntimeError("injected")

        monkeypatch.setattr(messages, "action_to_msg", raise_)
        count = len(robot.commands)
        robot.until(lambda: len(robot.commands) > count + 30, "control does not go on")
        assert all(effort for _, effort in robot.commands[count:])
        assert (node._faults.count, node._aside.failures) == (0, 1)


def test_zero_is_held_before_it_is_sent_and_sent_again_until_it_leaves(policy_path: Path) -> None:
    with RosWorld(policy={"policy_file": str(policy_path), **PATIENT, "require_arm": False}) as ros:
        robot = Robot(ros)
        node = ros.add(PolicyNode)
        robot.until_moved()
        refusal = Refusal(node)
        refusal.left = 4
        robot.is_silent = True
        robot.send()
        count = len(robot.commands)
        robot.until(lambda: refusal.left == 0 and len(robot.commands) > count, "zero does not leave")
        assert refusal.modes[0] is Mode.ACTIVE, "the effort itself"
        assert set(refusal.modes[1:]) == {Mode.HOLD}, "zeros, when nothing can move any more"
        assert not any(effort for _, effort in robot.commands[count:])
        assert node._faults.count == 1
        assert node._aside.failures == 3
        robot.is_silent = False
        robot.until_moved()


def test_fault_in_a_callback_while_nothing_can_be_published_ends_in_order(
    policy_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both at once: what the callback raises is told, and never what zero raises."""

    def raise_(*_: Any) -> None:
        raise RuntimeError("injected")

    with RosWorld(policy={"policy_file": str(policy_path), **PATIENT}) as ros:
        robot = Robot(ros)
        node = ros.add(PolicyNode)
        robot.until_moved()
        for publisher in (node._commands, node._actions, node._status, node._health._topic):
            publisher.destroy()
        monkeypatch.setattr(Controller, "answer", raise_)
        with pytest.raises(SacControlError, match="the last one: RuntimeError in raise_: injected"):
            robot.until(lambda: False, "goes on")
        assert node._controller.mode is Mode.HOLD
        node.fail("injected")
        node.shut_down()


@pytest.mark.parametrize("end", ["deactivate", "stop", "fail", "shut_down"])
def test_every_way_to_zero_holds_first_and_owes_what_does_not_leave(policy_path: Path, end: str) -> None:
    with RosWorld(policy={"policy_file": str(policy_path), **PATIENT}) as ros:
        robot = Robot(ros)
        node = ros.add(PolicyNode)
        robot.until_moved()
        refusal = Refusal(node)
        robot.is_silent = True
        refusal.left = 3
        count = len(robot.commands)
        if end == "deactivate":
            request = ChangeState.Request()
            request.transition.id = LifecycleTransition.TRANSITION_DEACTIVATE
            assert ros.call(ChangeState, "policy/change_state", request).success
        else:
            ways: dict[str, Callable[[], object]] = {
                "stop": node._stop, "fail": lambda: node.fail("injected"), "shut_down": node.shut_down
            }  # fmt: skip
            ways[end]()
        robot.until(lambda: len(robot.commands) > count and not robot.commands[-1][1], "zero does not leave")
        assert Mode.ACTIVE not in refusal.modes
        assert len(refusal.modes) == 3


def test_aside_rests_after_a_failure_counts_each_and_says_it_once() -> None:
    said: list[str] = []
    done: list[float] = []
    aside = Aside(said.append)

    def fail(now: float) -> None:
        done.append(now)
        raise ValueError("busy")

    results = [aside.run("topic", now, fail, now) for now in (0.0, 0.1, REST - 0.1, REST + 0.1, REST + 0.2)]
    assert results == [False] * 5
    assert done == [0.0, REST + 0.1]
    assert aside.failures == 2
    assert said == ["topic failed, control goes on: ValueError: busy"]
    assert aside.run("other", 0.1, done.append, 7.0), "what rests is what failed"
    assert [aside.run("zero", now, fail, now, rest=0.0) for now in (1.0, 1.1)] == [False, False]
    assert done[-2:] == [1.0, 1.1]
