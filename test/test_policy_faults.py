"""Faults injected into the real policy node: zero force first, then recovery. The table is docs/reliability.md."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import os
import signal
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from std_srvs.srv import Trigger

from policies import make_file, make_weights
from robots import BRIEF, PATIENT, PERIOD, PolicyProcess, Robot
from ros_world import RosWorld
from sac_control.errors import ConfigError, SacControlError
from sac_control.nodes import messages, topics
from sac_control.nodes.policy import PolicyNode
from sac_control.nodes.policy_announcer import PolicyAnnouncer
from sac_control.policy.controller import Controller
from sac_control.policy.faults import MAX_FAULTS
from sac_control.policy.policy import Policy
from sac_control.policy.safety import Mode
from sac_control.types import JointState
from withheld import Withheld, all_but_one

TIMEOUT = 0.05  # [s] the default
IS_FULL = os.environ.get("SAC_CONTROL_FAULTS") == "full"
SILENCES = 100 if IS_FULL else 20
ZEROS = 1000 if IS_FULL else 60  # ticks


@pytest.fixture
def policy_path(tmp_path: Path) -> Path:
    path = tmp_path / "policy.safetensors"
    file = make_file()
    *hidden, (weight, bias) = file.actor.layers
    gentle = (np.float32(0.02) * weight, np.float32(0.02) * bias)  # no action is at its limit
    actor = dataclasses.replace(file.actor, layers=(*hidden, gentle))
    path.write_bytes(dataclasses.replace(file, actor=actor).to_bytes())
    return path


def stamp_of(msg: Any) -> int:
    return messages.stamp_from_msg(msg.header.stamp)


def moving(robot: Robot) -> list[float]:
    return [effort for _, effort in robot.commands if effort]


def has_moved(robot: Robot, count: int) -> bool:
    return len(moving(robot)) >= count


def has_acted(robot: Robot, count: int) -> bool:
    return any(action.command[0] for action in robot.actions[count:])


def is_told(robot: Robot, effort: float) -> bool:
    return any(action.command_raw[0] == effort for action in robot.actions)


def call(ros: RosWorld, robot: Robot, service: str) -> Any:
    """The response of a service while states go on."""
    client = ros.probe.create_client(Trigger, service)
    robot.until(client.service_is_ready, f"no service {service}")
    future = client.call_async(Trigger.Request())
    robot.until(future.done, f"no response from {service}")
    return future.result()


def test_silence_commands_zero_in_time_and_three_states_arm_again(
    policy_path: Path, machine: Withheld, record_testsuite_property: Callable[[str, object], None]
) -> None:
    """The node's own delay is to the moment at which zero leaves it; what comes after is this process's to wait for."""
    silences = list[tuple[float, float, float]]()  # steady times [s]: last state sent; zero left the node, arrived
    with RosWorld() as ros:
        robot = Robot(ros)
        with PolicyProcess(ros, policy_file=policy_path):
            for _ in range(SILENCES):
                robot.until_moved()
                robot.is_silent, (stamp, last) = True, max(robot.sent.items())
                robot.until_zero()
                silences.append((last, last + 1e-9 * (robot.left[-1] - stamp), robot.commands[-1][0]))
                count, robot.is_silent = len(robot.actions), False
                robot.until(functools.partial(has_acted, robot, count), "does not go on")
                efforts = [action.command[0] for action in robot.actions[count:]]
                assert efforts[:2] == [0.0, 0.0]
                assert all(action.command_raw[0] for action in robot.actions[count:])
        delays = [machine.given(last, arrived) for last, _, arrived in silences]
        own = [machine.given(last, left) for last, left, _ in silences]
    record_testsuite_property(
        "silence to zero, arriving and leaving [s]",
        f"medians {statistics.median(delays):.4f} and {statistics.median(own):.4f}, largest {max(delays):.4f} and "
        f"{max(own):.4f}; with what the machine withheld {max(arrived - last for last, _, arrived in silences):.4f}",
    )
    assert all_but_one(delays) <= TIMEOUT + PERIOD
    assert statistics.median(own) <= TIMEOUT + 0.25 * PERIOD, "it waits for the timeout, not for a period"


def test_frozen_policy_commands_nothing_from_a_state_older_than_the_timeout(
    policy_path: Path, record_testsuite_property: Callable[[str, object], None]
) -> None:
    """Each state has its own effort, by which a command tells what it was computed from."""
    oldest, rng = [], np.random.default_rng(0)
    with RosWorld() as ros:
        robot = Robot(ros)
        send = robot.send

        def send_another() -> None:
            robot.value = rng.uniform(0.05, 0.15)
            send()

        robot.send_next = send_another
        with PolicyProcess(ros, policy_file=policy_path) as policy:
            for freeze in (0.1, 0.3, 1.0) * 3:
                robot.until_moved()
                policy.send(signal.SIGSTOP)
                robot.go_on_for(freeze)
                robot.actions.clear()
                robot.commands.clear()
                woken = policy.send(signal.SIGCONT)

                robot.until(functools.partial(has_moved, robot, 3), "does not go on")
                first = moving(robot)[0]
                robot.until(functools.partial(is_told, robot, first), "the action is not told")
                answered = {action.command_raw[0]: stamp_of(action) for action in robot.actions}
                oldest.append(woken - robot.sent[answered[first]])
                assert oldest[-1] <= TIMEOUT
    record_testsuite_property("oldest state acted upon, before the awakening [s]", f"{max(oldest):.4f}")


def test_stop_latches_zero_until_armed(policy_path: Path) -> None:
    with RosWorld(policy={"policy_file": str(policy_path), **PATIENT}) as ros:
        robot = Robot(ros)
        ros.add(PolicyNode)
        robot.until_moved()
        assert call(ros, robot, topics.POLICY_STOP).success
        robot.until_zero()
        count = len(robot.commands)
        robot.go_on_for(1.0)
        assert len(robot.commands) > count + 10
        assert not any(effort for _, effort in robot.commands[count:])
        robot.until_mode(Mode.LATCHED_FAULT, "stopped by policy/stop")
        robot.until(robot.errors, "no diagnostics of level ERROR")
        assert call(ros, robot, topics.POLICY_ARM).success
        robot.until_moved()
        robot.until_mode(Mode.ACTIVE)


def test_nothing_moves_before_arming_where_that_is_required_and_not_after_a_silence(policy_path: Path) -> None:
    parameters = {"policy_file": str(policy_path), **PATIENT, "state_timeout": BRIEF, "require_arm": True}
    with RosWorld(policy=parameters) as ros:
        robot = Robot(ros)
        ros.add(PolicyNode)
        robot.until_mode(Mode.ARMING, "waits for policy/arm")
        assert not any(effort for _, effort in robot.commands)
        assert call(ros, robot, topics.POLICY_ARM).success
        robot.until_moved()
        robot.is_silent = True
        robot.until_mode(Mode.HOLD, "no usable state")
        assert not call(ros, robot, topics.POLICY_ARM).success
        robot.is_silent, count = False, len(robot.commands)
        robot.until_mode(Mode.ARMING, "waits for policy/arm")
        assert not any(effort for _, effort in robot.commands[count:])


@pytest.mark.parametrize(("place", "joint", "bad"), [("position", 1, math.nan), ("velocity", 0, math.inf)])
def test_values_that_are_not_finite_are_no_messages_and_keep_no_command_alive(
    policy_path: Path, place: str, joint: int, bad: float
) -> None:
    """Whatever field it is and whatever it holds: test_controller.py."""
    with RosWorld(policy={"policy_file": str(policy_path)}) as ros:
        robot = Robot(ros)
        ros.add(PolicyNode)
        robot.until_moved()
        states = ros.publisher(topics.JOINT_STATES)

        def send_bad() -> None:
            values: dict[str, Any] = {"position": np.zeros(2), "velocity": np.zeros(2)}
            values[place][joint] = bad
            names = ("slider_to_cart", "cart_to_pendulum")
            states.publish(messages.state_to_msg(JointState(stamp=time.time_ns(), names=names, **values)))

        robot.send_next = send_bad
        robot.until_zero()
        count = len(robot.commands)
        robot.go_on_for(0.3)
        assert not any(effort for _, effort in robot.commands[count:])
        robot.until_mode(Mode.HOLD)
        assert robot.statuses[-1].rejected_states > 0


def be_silent(robot: Robot, _: PolicyNode) -> None:
    robot.is_silent = True
    robot.until_mode(Mode.HOLD)
    robot.is_silent = False


def be_stopped(robot: Robot, node: PolicyNode) -> None:
    node._controller.stop("stopped by a test")
    node._outlet.make_safe()
    robot.until_mode(Mode.LATCHED_FAULT)


def leave_the_envelope(robot: Robot, _: PolicyNode) -> None:
    robot.value = 0.6
    robot.until_mode(Mode.LATCHED_FAULT)
    robot.value = 0.1


def fail(_: Robot, node: PolicyNode) -> None:
    node._guarded(raise_)()


@pytest.mark.parametrize("disarm", [be_silent, be_stopped, leave_the_envelope, fail])
def test_zero_holds_at_every_tick_until_armed_again(
    policy_path: Path, monkeypatch: pytest.MonkeyPatch, disarm: Callable[[Robot, PolicyNode], None]
) -> None:
    """All that leaves is looked at where it leaves: what arrives at once is heard as one."""
    envelope = "-0.5 < position(slider_to_cart) < 0.5"
    parameters = {
        "policy_file": str(policy_path),
        **PATIENT,
        "state_timeout": BRIEF,
        "require_arm": True,
        "envelope": envelope,
    }
    with RosWorld(policy=parameters) as ros:
        robot = Robot(ros)
        node = ros.add(PolicyNode)
        robot.until_mode(Mode.ARMING, "waits for policy/arm")
        assert call(ros, robot, topics.POLICY_ARM).success
        robot.until_moved()
        disarm(robot, node)
        published: list[float] = []
        told: list[Any] = []
        publish, tell = node._commands.publish, node._actions.publish

        def spy_on_publish(msg: Any) -> None:
            published.append(msg.data[0])
            publish(msg)

        def spy_on_tell(msg: Any) -> None:
            told.append((msg.command[0], len(published)))
            tell(msg)

        monkeypatch.setattr(node._commands, "publish", spy_on_publish)
        monkeypatch.setattr(node._actions, "publish", spy_on_tell)
        robot.until(lambda: len(told) >= ZEROS, "no ticks")
        assert not any(published)
        assert not any(effort for effort, _ in told)
        counts = [count for _, count in told]
        assert counts[0] >= 1
        assert all(later > earlier for earlier, later in itertools.pairwise(counts))  # a zero at each tick
        assert call(ros, robot, topics.POLICY_ARM).success
        robot.until_moved()


def test_state_outside_of_the_envelope_latches_zero_until_armed_inside(policy_path: Path) -> None:
    envelope = "-0.5 < position(slider_to_cart) < 0.5"
    parameters = {"policy_file": str(policy_path), **PATIENT, "envelope": envelope}
    with RosWorld(policy=parameters) as ros:
        robot = Robot(ros)
        ros.add(PolicyNode)
        robot.until_moved()
        robot.value = 0.6
        robot.until_mode(Mode.LATCHED_FAULT, "outside of its envelope")
        robot.value, count = 0.1, len(robot.commands)
        robot.go_on_for(0.3)
        assert not any(effort for _, effort in robot.commands[count:])
        assert call(ros, robot, topics.POLICY_ARM).success
        robot.until_moved()


def test_rollback_acts_from_the_next_state_on_and_lasts_until_something_newer(policy_path: Path) -> None:
    with RosWorld(policy={"policy_file": str(policy_path), "lockstep": True}) as ros:
        robot = Robot(ros)
        ros.add(PolicyNode)
        weights = ros.publisher(topics.WEIGHTS)

        def offer(version: int) -> None:
            weights.publish(messages.weights_to_msg(make_weights(make_file(seed=version, version=version)), 0))

        def until_version(version: int) -> None:
            robot.until(lambda: robot.actions and robot.actions[-1].policy_version == version, f"not version {version}")

        offer(2)
        until_version(2)
        response = call(ros, robot, topics.POLICY_ROLLBACK)
        assert response.success
        count = len(robot.actions) + 1  # one may have been under way
        offer(2)  # announced again
        robot.until(lambda: len(robot.actions) > count + 20, "no answers")
        assert {action.policy_version for action in robot.actions[count:]} == {1}
        assert not call(ros, robot, topics.POLICY_ROLLBACK).success
        offer(3)
        until_version(3)


def test_states_at_another_rate_than_the_policy_was_trained_for_are_an_error_in_the_diagnostics(
    policy_path: Path,
) -> None:
    with RosWorld(policy={"policy_file": str(policy_path), "state_timeout": BRIEF, "allow_long_timeout": True}) as ros:
        robot = Robot(ros)
        ros.add(PolicyNode)
        robot.until_moved()
        robot.period = 2.0 * PERIOD
        robot.until(lambda: any("trained for 0.0165 s" in e.message for e in robot.errors()), "is not diagnosed")


def test_dry_run_publishes_everything_except_the_command(policy_path: Path) -> None:
    with RosWorld(policy={"policy_file": str(policy_path), "dry_run": True}) as ros:
        robot = Robot(ros)
        ros.add(PolicyNode)
        robot.until(lambda: robot.actions and robot.actions[-1].command[0] != 0.0, "nothing is computed")
        assert call(ros, robot, topics.POLICY_STOP).success
        robot.is_silent = True
        robot.until_mode(Mode.LATCHED_FAULT)
    assert not robot.commands


def raise_(*_: object) -> None:
    raise RuntimeError("injected")


FAULTS: dict[str, tuple[Any, str]] = {
    "state conversion": (messages, "state_from_msg"),
    "answer": (Controller, "answer"),
    "weights conversion": (messages, "weights_from_msg"),
    "check of weights": (Controller, "work"),
    "watchdog": (Controller, "must_be_safe"),
    "status": (PolicyAnnouncer, "publish_status"),
}


@pytest.mark.parametrize("place", FAULTS)
def test_callback_that_raises_holds_first_commands_zero_is_diagnosed_and_recovers(
    policy_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    with RosWorld(policy={"policy_file": str(policy_path), "state_timeout": 0.2}) as ros:
        robot = Robot(ros)
        node = ros.add(PolicyNode)
        weights = ros.publisher(topics.WEIGHTS)
        robot.until_moved()
        owner, name = FAULTS[place]
        original, hold = getattr(owner, name), Controller.hold
        published: list[float] = []  # efforts, as they leave
        raised: list[int] = []  # how many had left by then
        held: list[int] = []  # and when the controller was told
        publish = node._commands.publish

        def raise_twice(*arguments: Any) -> Any:
            if len(raised) < 2:
                raised.append(len(published))
                raise RuntimeError("injected")
            return original(*arguments)

        def spy_on_hold(controller: Controller, cause: str) -> None:
            held.append(len(published))
            hold(controller, cause)

        def spy_on_publish(msg: Any) -> None:
            published.append(msg.data[0])
            publish(msg)

        monkeypatch.setattr(node._commands, "publish", spy_on_publish)
        monkeypatch.setattr(Controller, "hold", spy_on_hold)
        monkeypatch.setattr(owner, name, raise_twice)
        versions = itertools.count(2)

        def is_raised() -> bool:
            if place in ("weights conversion", "check of weights"):
                version = next(versions)
                weights.publish(messages.weights_to_msg(make_weights(make_file(version=version)), 0))
            return len(raised) == len(held) == 2

        robot.until(is_raised, "nothing was raised")
        assert held == raised, "nothing can move any more when zero leaves"
        assert [published[count] for count in raised] == [0.0, 0.0]
        robot.until(lambda: any("injected" in error.message for error in robot.errors()), "is not diagnosed")
        robot.until_moved()
        robot.until_mode(Mode.ACTIVE)


def test_answer_that_took_longer_than_the_timeout_is_not_commanded(
    policy_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RosWorld(policy={"policy_file": str(policy_path), "state_timeout": 0.1}) as ros:
        robot = Robot(ros)
        node = ros.add(PolicyNode)
        robot.until_moved()
        act = Policy.act
        slow: list[float] = []
        published: list[float] = []  # as they leave: of what arrives at once, only the last is heard
        publish = node._commands.publish

        def spy_on_publish(msg: Any) -> None:
            published.append(msg.data[0])
            publish(msg)

        monkeypatch.setattr(node._commands, "publish", spy_on_publish)

        def stand_still_once(*arguments: Any) -> Any:
            end = time.monotonic() + 0.15
            while not slow and time.monotonic() < end:
                pass
            action = act(*arguments)
            if not slow:
                slow.append(100.0 * float(action[0]))
                return 0.5 * action  # to be told from the others
            return action

        monkeypatch.setattr(Policy, "act", stand_still_once)
        robot.until(lambda: slow, "was not asked")
        count = len(robot.actions)
        robot.until_moved()
        robot.until(lambda: len(robot.actions) > count + 5, "does not go on")
        assert not any(effort == pytest.approx(0.5 * slow[0]) for effort in published)


@pytest.mark.parametrize(
    "service",
    [
        topics.POLICY_STOP,
        *(pytest.param(name, marks=pytest.mark.long) for name in (topics.POLICY_ARM, topics.POLICY_ROLLBACK)),
    ],
)
def test_service_that_raises_commands_zero_and_answers_with_the_fault(
    policy_path: Path, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    for name in ("stop", "arm", "roll_back"):
        monkeypatch.setattr(Controller, name, raise_)
    with RosWorld(policy={"policy_file": str(policy_path), **PATIENT}) as ros:
        robot = Robot(ros)
        ros.add(PolicyNode)
        robot.until_moved()
        count = len(robot.commands)
        response = call(ros, robot, service)
        assert not response.success
        assert "injected" in response.message
        robot.until(lambda: any(not effort for _, effort in robot.commands[count:]), "no zero")
        robot.until_moved()


def test_fault_that_does_not_pass_ends_the_process_with_zero(
    policy_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RosWorld(policy={"policy_file": str(policy_path), **PATIENT}) as ros:
        robot = Robot(ros)
        ros.add(PolicyNode)
        robot.until_moved()
        monkeypatch.setattr(Controller, "answer", raise_)
        with pytest.raises(SacControlError, match=f"ended after {MAX_FAULTS + 1} faults, the last one: RuntimeError"):
            robot.until(lambda: False, "goes on")
        robot.is_silent = True
        robot.until(lambda: not robot.commands[-1][1], "no zero")


def test_envelope_that_the_policy_cannot_be_judged_by_ends_the_start(policy_path: Path) -> None:
    parameters: dict[str, object] = {"policy_file": str(policy_path), "envelope": "-1 < position(elbow) < 1"}
    with RosWorld(policy=parameters) as ros, pytest.raises(ConfigError, match="elbow"):
        ros.add(PolicyNode)


def test_states_dropped_doubled_and_out_of_order_move_nothing_by_an_old_state(policy_path: Path) -> None:
    with RosWorld(policy={"policy_file": str(policy_path)}) as ros:
        robot = Robot(ros)
        ros.add(PolicyNode)
        robot.until_moved()
        send, rng = robot.send, np.random.default_rng(0)

        def send_badly() -> None:
            """30 % are lost, 20 % come twice, 20 % come 60 to 200 ms late and out of order."""
            luck = rng.uniform()
            if luck > 0.3:
                send(rng.uniform(0.06, 0.2) if luck > 0.8 else 0.0)
            if 0.3 < luck < 0.5:
                robot.send_again()

        robot.send_next = send_badly
        count = len(robot.actions)
        robot.until(lambda: len(robot.actions) > count + 200, "no answers")
        stamps = [stamp_of(action) for action in robot.actions[count:]]
        assert stamps == sorted(stamps)
        assert not robot.old & set(stamps)
        robot.until(lambda: robot.statuses[-1].rejected_states > 10, "old states are not counted")
