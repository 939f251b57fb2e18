"""The shadow policy: it tells what it would have done, moves nothing, and no fault of its own touches control."""

from __future__ import annotations

import dataclasses
import functools
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from std_srvs.srv import Trigger

from policies import SPECIFICATION, make_file, make_weights
from robots import PATIENCE, PATIENT, Robot
from ros_world import RosWorld
from sac_control.errors import PolicyFileError
from sac_control.nodes import messages, topics
from sac_control.nodes.policy import PolicyNode
from sac_control.observation import StateObserver
from sac_control.policy import shadow_process as shadow_module
from sac_control.policy.policy import Policy
from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.safety import Mode
from sac_control.policy.shadow_process import Shadow, check_shadow
from sac_control.types import Action, JointState, Specification

LIMIT = SPECIFICATION.command_limit[0]
OTHERS: dict[str, tuple[Specification, str]] = {
    "task": (dataclasses.replace(SPECIFICATION, task="inverted_pendulum_swingup"), "task"),
    "period": (dataclasses.replace(SPECIFICATION, control_period=0.02), "period"),
    "driven joints": (dataclasses.replace(SPECIFICATION, actuated_joints=("cart_to_pendulum",)), "drives"),
    "observed joints": (
        dataclasses.replace(SPECIFICATION, joints=("slider_to_cart", "cart_to_pendulum", "elbow")), "elbow",
    ),
}  # fmt: skip
# A process that says so and then does this; its answers are 4 bytes.
READY = "import os, sys; data = os.read(0, 100);"
FAULTS = {
    "exception": (READY + "raise RuntimeError('injected')", "its process ended"),
    "exception at the start": ("raise RuntimeError('injected')", "its process ended"),
    "crash": (READY + "os.kill(os.getpid(), 11)", "its process ended"),
    "not finite": (READY + "import array; os.write(1, array.array('f', [float('nan')]).tobytes())", "is not finite"),
    "endless loop": (READY + "os.write(1, bytes(4)); os.read(0, 100)\nwhile True: pass", "gave no answer for"),
    "too much": (READY + "os.write(1, bytes(9))", "another size"),
}


def gentle(seed: int, **more: Any) -> PolicyFile:
    """A policy that is not at its limits."""
    file = make_file(seed, **more)
    *hidden, (weight, bias) = file.actor.layers
    scale = np.float32(0.02)
    return dataclasses.replace(
        file, actor=dataclasses.replace(file.actor, layers=(*hidden, (scale * weight, scale * bias)))
    )


def state(stamp: int, value: float = 0.1) -> JointState:
    position = np.array([value, 0.5 * value])
    return JointState(stamp=stamp, names=SPECIFICATION.joints, position=position, velocity=2.0 * position)


def action_of(file: PolicyFile, joint_state: JointState) -> float:
    observation = np.zeros(len(SPECIFICATION.observation), np.float32)
    StateObserver(SPECIFICATION.observation).observe(joint_state, observation)
    return float(Policy(file.actor).act(observation)[0])


def stamp_of(msg: Any) -> int:
    return messages.stamp_from_msg(msg.header.stamp)


def answer_of(shadow: Shadow) -> tuple[Action, Mode]:
    deadline = time.monotonic() + PATIENCE
    while (answer := shadow.take()) is None:
        assert not shadow.fault
        assert time.monotonic() < deadline
    return answer


@pytest.fixture
def make_shadow() -> Iterator[Callable[..., Shadow]]:
    made: list[Shadow] = []

    def make(*arguments: Any, **more: Any) -> Shadow:
        made.append(Shadow(*arguments, **more))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, str]:
    found = {"policy_file": gentle(0, version=3), "shadow_policy_file": gentle(1, version=7)}
    for name, file in found.items():
        (tmp_path / name).write_bytes(file.to_bytes())
    return {name: str(tmp_path / name) for name in found}


def test_shadow_answers_as_the_policy_in_its_file_would_and_within_the_same_limits(
    make_shadow: Callable[..., Shadow],
) -> None:
    file = gentle(1, version=7)
    one = make_shadow(file, PolicyConfig())
    for stamp in range(1, 6):
        here = state(stamp, 0.02 * stamp)
        one.ask(here, Mode.ACTIVE, 1.0)
        action, mode = answer_of(one)
        assert (action.stamp, action.policy_version, mode) == (stamp, 7, Mode.ACTIVE)
        assert action.action[0] == pytest.approx(action_of(file, here), abs=1e-6)
        np.testing.assert_allclose(action.command_raw, LIMIT * action.action.astype(np.float64))
        np.testing.assert_array_equal(action.command, action.command_raw)
    one.take_limits(PolicyConfig(command_limit=0.5))
    one.ask(state(6), Mode.ACTIVE, 1.0)
    assert abs(answer_of(one)[0].command[0]) == 0.5
    one.ask(state(7), Mode.ACTIVE, 0.1)
    assert abs(answer_of(one)[0].command[0]) == pytest.approx(min(0.5, 0.05), abs=1e-9)
    one.ask(state(8), Mode.LATCHED_FAULT, 1.0)
    action, mode = answer_of(one)
    assert (action.command.tolist(), mode) == ([0.0], Mode.LATCHED_FAULT)
    assert action.command_raw[0] != 0.0


def test_states_that_come_while_it_computes_are_skipped_and_nothing_piles_up(
    make_shadow: Callable[..., Shadow],
) -> None:
    one = make_shadow(gentle(1), PolicyConfig(), lambda: 0.0)
    for stamp in range(1, 10_000):
        one.ask(state(stamp), Mode.ACTIVE, 1.0)
    assert one.skipped > 9000
    assert not one.fault
    assert answer_of(one)[0].stamp == 1


@pytest.mark.parametrize("name", FAULTS)
def test_fault_in_its_process_switches_it_off_and_asking_goes_on_without_waiting(
    make_shadow: Callable[..., Shadow], name: str
) -> None:
    code, fault = FAULTS[name]
    clock = {"now": 0.0}
    one = make_shadow(gentle(1), PolicyConfig(), lambda: clock["now"], command=(sys.executable, "-c", code))
    stamps = iter(range(1, 10**9))
    deadline = time.monotonic() + PATIENCE
    while not one.fault:
        if one.answers:
            clock["now"] += 0.01
        one.ask(state(next(stamps)), Mode.ACTIVE, 1.0)
        one.take()
        assert time.monotonic() < deadline
    assert fault in one.fault or "could not be asked" in one.fault
    one.ask(state(next(stamps)), Mode.ACTIVE, 1.0)
    assert one.take() is None


def test_process_that_never_starts_to_answer_is_given_up(make_shadow: Callable[..., Shadow]) -> None:
    clock = {"now": 0.0}
    command = (sys.executable, "-c", "import signal; signal.pause()")
    one = make_shadow(gentle(1), PolicyConfig(), lambda: clock["now"], command=command)
    one.ask(state(1), Mode.ACTIVE, 1.0)
    clock["now"] = shadow_module.START_PATIENCE
    assert one.take() is None
    assert not one.fault
    clock["now"] += 0.1
    assert one.take() is None
    assert one.fault == f"gave no answer for {shadow_module.START_PATIENCE:g} s"


def test_its_process_ends_with_whoever_asked(make_shadow: Callable[..., Shadow]) -> None:
    one = make_shadow(gentle(1), PolicyConfig())
    one.ask(state(1), Mode.ACTIVE, 1.0)
    answer_of(one)
    assert one._process.stdin is not None
    one._process.stdin.close()  # as when a killed process leaves its pipes
    assert one._process.wait(PATIENCE) == 0


@pytest.mark.parametrize("name", OTHERS)
def test_shadow_for_another_robot_is_refused(name: str) -> None:
    other, word = OTHERS[name]
    with pytest.raises(PolicyFileError, match=word):
        check_shadow(other, SPECIFICATION)
    check_shadow(SPECIFICATION, SPECIFICATION)


def test_shadow_tells_what_it_would_have_done_and_moves_nothing(
    paths: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadow_module, "PATIENCE", 60.0)  # that a slow one is switched off is another promise
    with RosWorld(policy={**paths, **PATIENT, "require_arm": True}) as ros:
        robot = Robot(ros)
        told = ros.hear(topics.SHADOW_ACTION)
        ros.add(PolicyNode)
        robot.until(lambda: len(told) > 5, "the shadow says nothing")
        assert {msg.command[0] for msg in told} == {0.0}  # nobody armed
        client = ros.probe.create_client(Trigger, topics.POLICY_ARM)
        robot.until(client.service_is_ready, "no service")
        future = client.call_async(Trigger.Request())
        robot.until(future.done, "no response")
        robot.until(lambda: told[-1].command[0] != 0.0, "not while active")
        robot.until(lambda: any(effort for _, effort in robot.commands), "does not move")
        own, others = (action_of(gentle(seed), state(0)) for seed in (1, 0))
        assert {msg.policy_version for msg in told} == {7}
        np.testing.assert_allclose([msg.action[0] for msg in told], own, atol=1e-6)
        assert {stamp_of(msg) for msg in told} <= robot.sent.keys()
        commanded = np.array([effort for _, effort in robot.commands if effort])
        np.testing.assert_allclose(commanded, LIMIT * others, atol=1e-3)
        assert abs(LIMIT * (own - others)) > 0.1


@pytest.mark.parametrize("name", FAULTS)
def test_fault_of_the_shadow_leaves_control_alone_and_is_told(
    paths: dict[str, str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    code, _ = FAULTS[name]
    monkeypatch.setattr(
        "sac_control.nodes.shadow_relay.Shadow", functools.partial(Shadow, command=(sys.executable, "-c", code))
    )
    with RosWorld(policy={**paths, **PATIENT}) as ros:
        robot = Robot(ros)
        node = ros.add(PolicyNode)
        robot.until_mode(Mode.ACTIVE)
        robot.until(lambda: "switched off" in node._shadow.state, "is not switched off")
        count = len(robot.actions)
        robot.until(lambda: len(robot.actions) > count + 20, "control does not go on")
        assert node._faults.count == 0
        robot.until(
            lambda: any(
                "shadow policy switched off" in status.message for msg in robot.diagnostics for status in msg.status
            ),
            "is not diagnosed",
        )
        robot.until_moved()
    assert "the shadow policy is switched off" in capfd.readouterr().err


def raise_(*_: object, **__: object) -> Any:
    raise RuntimeError("injected")


@pytest.mark.parametrize("method", ["ask", "take"])
def test_fault_on_this_side_of_the_shadow_leaves_control_alone_too(
    paths: dict[str, str], monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(Shadow, method, raise_)
    with RosWorld(policy={**paths, **PATIENT}) as ros:
        robot = Robot(ros)
        node = ros.add(PolicyNode)
        robot.until(lambda: "injected" in node._shadow.state, "is not switched off")
        robot.until_mode(Mode.ACTIVE)
        robot.until_moved()
        assert node._faults.count == 0


def test_command_leaves_before_the_shadow_is_asked(paths: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    with RosWorld(policy={**paths, **PATIENT}) as ros:
        robot = Robot(ros)
        node = ros.add(PolicyNode)
        robot.until_moved()
        ask, publish = Shadow.ask, node._commands.publish

        def spy_on_ask(*arguments: Any) -> None:
            events.append("ask")
            ask(*arguments)

        def spy_on_publish(msg: Any) -> None:
            events.append("command")
            publish(msg)

        monkeypatch.setattr(Shadow, "ask", spy_on_ask)
        monkeypatch.setattr(node._commands, "publish", spy_on_publish)
        robot.until(lambda: len(events) > 40, "nothing happens")
    first = events.index("command")
    pairs = list(zip(events[first:], events[first + 1 :], strict=False))
    assert ("ask", "ask") not in pairs
    assert ("command", "ask") in pairs


@pytest.mark.parametrize("name", list(OTHERS))
def test_shadow_for_another_robot_ends_the_start(paths: dict[str, str], name: str) -> None:
    other, word = OTHERS[name]
    Path(paths["shadow_policy_file"]).write_bytes(make_file(1, specification=other).to_bytes())
    with RosWorld(policy={**paths}) as ros, pytest.raises(PolicyFileError, match=word):
        ros.add(PolicyNode)


def test_shadow_file_that_is_damaged_ends_the_start(paths: dict[str, str]) -> None:
    path = Path(paths["shadow_policy_file"])
    path.write_bytes(path.read_bytes()[:-10])
    with RosWorld(policy={**paths}) as ros, pytest.raises(PolicyFileError, match="shadow_policy_file"):
        ros.add(PolicyNode)


def test_shadow_that_disagrees_with_weights_that_come_later_is_switched_off(paths: dict[str, str]) -> None:
    other = dataclasses.replace(SPECIFICATION, control_period=0.02)
    Path(paths["shadow_policy_file"]).write_bytes(make_file(1, specification=other).to_bytes())
    with RosWorld(policy={"shadow_policy_file": paths["shadow_policy_file"], **PATIENT}) as ros:
        robot = Robot(ros)
        node = ros.add(PolicyNode)
        ros.publisher(topics.WEIGHTS).publish(messages.weights_to_msg(make_weights(gentle(0)), 0))
        robot.until(lambda: "period" in node._shadow.state, "is not switched off")
        robot.until_moved()


def test_without_a_shadow_nothing_is_started_and_nothing_told(paths: dict[str, str]) -> None:
    with RosWorld(policy={"policy_file": paths["policy_file"], **PATIENT}) as ros:
        robot = Robot(ros)
        told = ros.hear(topics.SHADOW_ACTION)
        node = ros.add(PolicyNode)
        robot.until_moved()
        assert not node._shadow.is_running
        assert not told
        assert not node._shadow.state
