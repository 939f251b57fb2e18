"""Clocks that jump by an hour, over real DDS: what is late is judged by the steady clock, and nothing stays stuck."""

from __future__ import annotations

import ast
import functools
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rclpy.clock import ClockType

from policies import make_file
from robots import PERIOD, PolicyProcess, Robot
from ros_world import RosWorld
from sac_control.nodes.evaluator import EvaluatorNode
from sac_control.nodes.learner import LearnerNode
from sac_control.nodes.policy import PolicyNode
from sac_control.nodes.simulator import SimulatorNode
from sac_control.policy.safety import Mode
from withheld import Withheld, all_but_one

HOUR = 3600.0  # [s]
TIMEOUT = 0.05  # [s] the default
PACKAGE = Path(__file__).resolve().parent.parent / "sac_control"
# Who asks for system time, and what for. None of it decides when something is late or due.
SYSTEM_TIME = {
    "cli/exam.py": "date of an exam, for people",
    "cli/plan.py": "name of a run",
    "cli/recording.py": "name of a bag",
    "cli/replay.py": "age of a state by its stamp, which is not checked there",
    "cli/report.py": "date of a report, for people",
    "nodes/evaluator.py": "when credit was given, and date of a result, for people",
    "nodes/learner.py": "name of a run, and when things were published, for people",
    "nodes/policy.py": "age of a state by its stamp, where check_stamps is set",
    "nodes/recorder.py": "when a message was heard, where the middleware does not say",
    "nodes/ros_env.py": "age of a state by its stamp, where check_stamps is set",
    "nodes/simulator_client.py": "when credit was given, for people",
    "nodes/simulator.py": "stamps of a simulator that stands in for a robot; begin of simulated time, for plots",
    "policy/controller.py": "age of a state by its stamp, where check_stamps is set",
    "store/metrics.py": "events for people",
}


@pytest.fixture
def policy_path(tmp_path: Path) -> Path:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(make_file().to_bytes())
    return path


def set_clock(robot: Robot, ahead: float) -> None:
    """From now on the robot's clock is `ahead` [s]."""
    robot.send_next = functools.partial(robot.send, age=-ahead)


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_zero_holds_while_the_clocks_differ_and_no_longer(policy_path: Path, jump: float) -> None:
    with RosWorld(policy={"policy_file": str(policy_path), "state_timeout": 0.2}) as ros:
        robot = Robot(ros)
        ros.add(PolicyNode)
        for _ in range(2):
            robot.until_moved()
            set_clock(robot, jump)
            robot.until_zero()
            robot.until_mode(Mode.HOLD, "no usable state")
            count = len(robot.commands)
            robot.go_on_for(0.5)
            assert len(robot.commands) > count
            assert not any(effort for _, effort in robot.commands[count:])
            set_clock(robot, 0.0)
        robot.until_moved()
        robot.until_mode(Mode.ACTIVE)


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_where_stamps_are_not_checked_control_goes_on_by_itself_after_each_jump(policy_path: Path, jump: float) -> None:
    parameters = {"policy_file": str(policy_path), "state_timeout": 0.2, "check_stamps": False}
    with RosWorld(policy=parameters) as ros:
        robot = Robot(ros)
        ros.add(PolicyNode)
        for ahead in (jump, 0.0, jump, 0.0):
            robot.until_moved()
            count = len(robot.actions)
            set_clock(robot, ahead)
            robot.until(lambda count=count: len(robot.actions) > count + 20, "states are not answered")  # type: ignore[misc]
            robot.until_moved()
            robot.until_mode(Mode.ACTIVE)


def test_silence_is_noticed_in_time_whatever_the_clock_did_last(
    policy_path: Path, machine: Withheld, record_testsuite_property: Callable[[str, object], None]
) -> None:
    """The last state before each silence says that it is of an hour ago, or of in an hour."""
    silences = []
    with RosWorld() as ros:
        robot = Robot(ros)
        with PolicyProcess(ros, policy_file=policy_path, check_stamps="false"):
            for ahead in (HOUR, 0.0, -HOUR) * 4:
                robot.until_moved()
                set_clock(robot, ahead)
                robot.until_moved()  # by now it has got used to it
                robot.is_silent, last = True, max(robot.sent.values())
                robot.until_zero()
                silences.append((last, robot.commands[-1][0]))
                robot.is_silent = False
        delays = [machine.given(last, arrived) for last, arrived in silences]
    record_testsuite_property(
        "silence after a jump to zero [s]", f"median {statistics.median(delays):.4f}, largest {max(delays):.4f}"
    )
    assert all_but_one(delays) <= TIMEOUT + PERIOD


def test_every_timer_follows_the_steady_clock(tmp_path: Path) -> None:
    learner: dict[str, object] = {"run_directory": str(tmp_path / "run"), "evaluation_every": 0}
    timers: list[Any] = []
    for mode in ("lockstep", "realtime"):
        with RosWorld(simulator={"mode": mode}) as ros:
            timers += ros.add(SimulatorNode).timers
    with RosWorld(learner=learner) as ros:
        timers += [timer for node in (PolicyNode, LearnerNode, EvaluatorNode) for timer in ros.add(node).timers]
        assert len(timers) >= 10
        assert {timer.clock.clock_type for timer in timers} == {ClockType.STEADY_TIME}


def test_system_time_is_asked_for_only_where_nothing_depends_on_it() -> None:
    asked = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            name = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
            if name in ("time.time", "time.time_ns", "datetime.now", "datetime.today", "datetime.utcnow"):
                asked.add(path.relative_to(PACKAGE).as_posix())
    assert asked == set(SYSTEM_TIME)
