"""What the real policy node tells of itself on /diagnostics and policy/action: each key, in what makes it change."""

from __future__ import annotations

import dataclasses
import itertools
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus

from policies import SPECIFICATION, make_file, make_weights
from robots import PATIENCE, PATIENT, PERIOD, Robot
from ros_world import RosWorld
from sac_control.health import diagnosis
from sac_control.nodes import messages, topics
from sac_control.nodes.health import Health
from sac_control.nodes.policy import PolicyNode
from sac_control.policy.controller import Controller
from sac_control.policy.safety import Mode
from sac_control.types import JointState

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
KEYS = {
    "mode", "cause", "region", "run", "policy_version", "policy_age", "swaps", "last_offer", "swap_failures",
    "state_age",
    "state_timeout", "last_rejection", "rejected_states", "ticks", "control_period", "tick_period_mean",
    "tick_period_deviation", "tick_duration_mean", "tick_duration_max", "clamp_share", "faults", "last_fault",
    "shadow", "require_arm", "dry_run", "run_id", "policy_run_id", "foreign_states", "passed_over_states",
    "observer_failures",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _several_times_per_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Health, "period", 0.2)
    monkeypatch.setattr(diagnosis, "RECENT", 0.5)


@pytest.fixture
def policy_path(tmp_path: Path) -> Path:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(make_file(version=3).to_bytes())
    return path


class Told:
    """The diagnostics of the policy node."""

    def __init__(self, robot: Robot) -> None:
        self._robot = robot

    def until(self, condition: Callable[[dict[str, str]], object], level: bytes | None = None, word: str = "") -> Any:
        """Wait for figures of which `condition` holds, told with `level` and `word`; they are returned.

        None is passed over: what is told once may be followed by something else before anybody looks.
        """
        seen = max(len(self._robot.diagnostics) - 1, 0)
        found: list[dict[str, str]] = []

        def is_told() -> bool:
            nonlocal seen
            for msg in self._robot.diagnostics[seen:]:
                seen += 1
                status = msg.status[0]
                figures = {each.key: each.value for each in status.values}
                if (level is None or (status.level == level and word in status.message)) and condition(figures):
                    found.append(figures)
                    break
            return bool(found)

        self._robot.until(is_told, f"is not told with {word!r}")
        return found[0]


def anything(_: dict[str, str]) -> bool:
    return True


def test_every_key_is_told_and_those_of_a_node_at_work_are_right(policy_path: Path) -> None:
    def is_at_work(figures: dict[str, str]) -> bool:
        return (
            figures["mode"] == "ACTIVE"
            and int(figures["ticks"]) > 30
            and 0.0 <= float(figures["state_age"]) <= 0.2
            and float(figures["tick_period_mean"]) == pytest.approx(PERIOD, rel=0.5)
            and 0.0 <= float(figures["tick_period_deviation"]) < 10 * PERIOD
        )

    with RosWorld(policy={"policy_file": str(policy_path), **PATIENT}) as ros:
        robot = Robot(ros)
        told = Told(robot)
        ros.add(PolicyNode)
        robot.until_mode(Mode.ACTIVE)
        figures = told.until(is_at_work, OK, "controls")
        assert set(figures) == KEYS
        expected = {
            "cause": "controls", "run": "test", "policy_version": "3", "swaps": "0", "last_offer": "",
            "swap_failures": "0", "state_timeout": "5", "last_rejection": "", "rejected_states": "0",
            "control_period": f"{PERIOD:g}", "clamp_share": "0", "faults": "0", "last_fault": "", "shadow": "",
            "require_arm": "False", "dry_run": "False",
        }  # fmt: skip
        assert {key: figures[key] for key in expected} == expected
        assert 0.0 < float(figures["policy_age"]) < PATIENCE
        assert 0.0 < float(figures["tick_duration_mean"]) <= float(figures["tick_duration_max"])


def test_age_of_state_grows_in_silence_and_mode_and_cause_are_a_warning(policy_path: Path) -> None:
    with RosWorld(policy={"policy_file": str(policy_path), "require_arm": True}) as ros:
        robot = Robot(ros)
        told = Told(robot)
        ros.add(PolicyNode)
        figures = told.until(anything, WARN, "waits for policy/arm")
        assert (figures["mode"], figures["require_arm"]) == ("ARMING", "True")
        robot.is_silent = True
        told.until(
            lambda figures: (
                float(figures["state_age"]) > 0.5 and (figures["mode"], figures["tick_period_mean"]) == ("HOLD", "nan")
            ),
            WARN,
            "no usable state for",
        )
        robot.is_silent = False
        told.until(lambda figures: float(figures["state_age"]) < 0.1, WARN, "waits for policy/arm")


def test_version_and_age_follow_swaps_and_each_failure_is_counted_and_warned_of(policy_path: Path) -> None:
    with RosWorld(policy={"policy_file": str(policy_path), **PATIENT}) as ros:
        robot = Robot(ros)
        told = Told(robot)
        ros.add(PolicyNode)
        weights = ros.publisher(topics.WEIGHTS)
        told.until(lambda figures: float(figures["policy_age"]) > 0.5)
        offered_at = time.monotonic()
        weights.publish(messages.weights_to_msg(make_weights(make_file(1, version=4)), 0))
        figures = told.until(lambda figures: figures["policy_version"] == "4")
        assert float(figures["policy_age"]) < time.monotonic() - offered_at
        assert (figures["swaps"], figures["last_offer"], figures["swap_failures"]) == ("1", "in force", "0")
        damaged = dataclasses.replace(make_weights(make_file(version=5)), sha256=bytes(32))
        weights.publish(messages.weights_to_msg(damaged, 0))
        figures = told.until(lambda figures: figures["swap_failures"] == "1", WARN, "swap_failures now 1")
        assert "sha256" in figures["last_offer"]
        assert figures["policy_version"] == "4"


def test_states_that_cannot_be_used_are_counted_with_the_reason(policy_path: Path) -> None:
    with RosWorld(policy={"policy_file": str(policy_path), **PATIENT}) as ros:
        robot = Robot(ros)
        told = Told(robot)
        ros.add(PolicyNode)
        robot.until_moved()
        turn, send = itertools.count(), robot.send

        def send_half() -> None:
            bad = JointState(
                stamp=time.time_ns(), names=SPECIFICATION.joints[:1], position=np.zeros(1), velocity=np.zeros(1)
            )
            robot.publish(bad) if next(turn) % 2 else send()

        robot.send_next = send_half
        figures = told.until(lambda figures: int(figures["rejected_states"]) > 0, WARN, "rejected_states now")
        assert figures["last_rejection"]


def test_share_of_limited_ticks_is_told_and_raw_and_limited_efforts_are_both_published(policy_path: Path) -> None:
    parameters = {"policy_file": str(policy_path), **PATIENT, "command_limit": 5.0}
    with RosWorld(policy=parameters) as ros:
        robot = Robot(ros)
        told = Told(robot)
        ros.add(PolicyNode)
        robot.until_moved()
        told.until(lambda figures: float(figures["clamp_share"]) == 1.0)
        robot.until(lambda: robot.actions and robot.actions[-1].mode == Mode.ACTIVE, "is not active")
        action = robot.actions[-1]
        assert abs(action.command[0]) == 5.0
        assert abs(action.command_raw[0]) == pytest.approx(100.0 * abs(action.action[0]), rel=1e-5)
        assert abs(action.command_raw[0]) > 5.0


@pytest.mark.parametrize(("name", "level"), [("period_warning", WARN), ("period_error", ERROR)])
def test_threshold_of_the_mean_period_is_a_parameter(policy_path: Path, name: str, level: bytes) -> None:
    thresholds = {"period_warning": 0.5, name: 0.5}
    with RosWorld(policy={"policy_file": str(policy_path), **PATIENT, **thresholds}) as ros:
        robot = Robot(ros)
        told = Told(robot)
        ros.add(PolicyNode)
        robot.until_moved()
        robot.period = 2.5 * PERIOD
        figures = told.until(anything, level, "the policy was trained for 0.0165 s")
        assert float(figures["tick_period_mean"]) > 1.5 * PERIOD


@pytest.mark.parametrize(("name", "level"), [("jitter_warning", WARN), ("jitter_error", ERROR)])
def test_threshold_of_the_deviation_is_a_parameter(policy_path: Path, name: str, level: bytes) -> None:
    thresholds = {"jitter_warning": 0.4, name: 0.4}
    with RosWorld(policy={"policy_file": str(policy_path), **PATIENT, **thresholds}) as ros:
        robot = Robot(ros)
        told = Told(robot)
        ros.add(PolicyNode)
        robot.until_moved()
        send = robot.send

        def send_irregularly() -> None:
            robot.period = 3.0 * PERIOD - robot.period  # one and two control periods in turn
            send()

        robot.send_next = send_irregularly
        figures = told.until(anything, level, "states come irregularly")
        assert float(figures["tick_period_deviation"]) > 0.4 * PERIOD


def test_fault_stop_and_dry_run_are_told(policy_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RosWorld(policy={"policy_file": str(policy_path), **PATIENT, "dry_run": True}) as ros:
        robot = Robot(ros)
        told = Told(robot)
        node = ros.add(PolicyNode)
        told.until(lambda figures: figures["mode"] == "ACTIVE" and figures["dry_run"] == "True")
        answer = Controller.answer

        def raise_once(*arguments: Any) -> Any:
            monkeypatch.setattr(Controller, "answer", answer)
            raise RuntimeError("injected")

        monkeypatch.setattr(Controller, "answer", raise_once)
        figures = told.until(lambda figures: figures["faults"] == "1", ERROR, "injected")
        assert "injected" in figures["last_fault"]
        node._controller.stop("stopped by a test")
        figures = told.until(lambda figures: figures["mode"] == "LATCHED_FAULT", ERROR, "stopped by a test")
        assert math.isfinite(float(figures["state_age"]))
