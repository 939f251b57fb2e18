"""What real nodes tell of themselves on /diagnostics: each figure, and the level while something is wrong and after."""

from __future__ import annotations

import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import SetBool, Trigger

from robots import PATIENCE
from ros_world import RosWorld
from sac_control.cli.runner import node_environment
from sac_control.errors import EXIT_FAULT
from sac_control.health import diagnosis
from sac_control.health.diagnosis import ERROR, OK, WARN
from sac_control.nodes import topics
from sac_control.nodes.evaluator import EvaluatorNode
from sac_control.nodes.health import Health
from sac_control.nodes.learner import LearnerNode
from sac_control.nodes.policy import PolicyNode
from sac_control.nodes.simulator import SimulatorNode
from sac_control.store.checkpoints import CheckpointStore
from test_faults_learner import Fault, FileInItsPlace, FileSizeLimit
from test_node_learner import OBSERVATION, learner, send, transition
from test_node_simulator import answer, stamp_of
from wire import credit_msg


@pytest.fixture(autouse=True)
def _several_times_per_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Health, "period", 0.1)
    monkeypatch.setattr(diagnosis, "RECENT", 1.0)


class Watched:
    """The newest diagnostics of each node."""

    def __init__(self, ros: RosWorld) -> None:
        self._ros = ros
        self._newest: dict[str, Any] = {}
        ros.hear(topics.DIAGNOSTICS, lambda msg: self._newest.update({each.name: each for each in msg.status}))

    def level(self, node: str) -> int:
        return self._newest[node].level[0] if node in self._newest else -1

    def message(self, node: str) -> str:
        return str(self._newest[node].message) if node in self._newest else ""

    def figures(self, node: str) -> dict[str, str]:
        return {each.key: each.value for each in self._newest[node].values} if node in self._newest else {}

    def until(self, node: str, condition: Callable[[dict[str, str]], object]) -> dict[str, str]:
        """Wait for figures of which `condition` holds."""
        self._ros.until(
            lambda: node in self._newest and condition(self.figures(node)),
            f"{node} does not tell so",
            PATIENCE,
        )
        return self.figures(node)

    def until_level(self, node: str, level: int, word: str) -> None:
        self._ros.until(
            lambda: self.level(node) == level and word in self.message(node),
            f"{node} does not come to level {level} with {word!r}",
            PATIENCE,
        )


@pytest.mark.parametrize("fault", [FileSizeLimit(), FileInItsPlace()], ids=["size limit", "file in its place"])
def test_learner_is_in_error_and_refuses_to_save_while_its_disk_fails_and_well_again_after(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fault: Fault
) -> None:
    run = tmp_path / "run"
    with RosWorld(learner=learner(tmp_path, checkpoint_every=10)) as ros:
        watched = Watched(ros)
        ros.add(LearnerNode)
        transitions = ros.publisher(topics.TRANSITIONS)

        def learn(start: int, stop: int) -> None:
            for sequence in range(start, stop):
                send(transitions, transition(sequence))
            watched.until("/learner", lambda figures: int(figures["transitions"]) == stop)

        learn(0, 30)
        watched.until_level("/learner", OK, "training")
        assert watched.figures("/learner")["disk"] == "ok"
        saved = ros.call(Trigger, topics.LEARNER_SAVE, Trigger.Request())
        assert saved.success
        fault.strike(run)
        try:
            learn(30, 60)
            watched.until_level("/learner", ERROR, f"cannot write to {run} (")
            assert fault.complaint in watched.figures("/learner")["disk"]
            refused = ros.call(Trigger, topics.LEARNER_SAVE, Trigger.Request())
            assert not refused.success
            assert fault.complaint in refused.message
            assert "the last checkpoint stays valid" in refused.message
            watched.until("/learner", lambda figures: int(figures["updates"]) == 80)  # training goes on
            assert int(watched.figures("/learner")["checkpoint"]) == 30
        finally:
            fault.end(run)
        watched.until_level("/learner", OK, "training")
        watched.until("/learner", lambda figures: figures["unwritten_transitions"] == "0")
        assert watched.figures("/learner")["disk"] == "ok"
        assert int(watched.figures("/learner")["checkpoint"]) == 60
        assert ros.call(Trigger, topics.LEARNER_SAVE, Trigger.Request()).success
        checkpoint, complaints = CheckpointStore(run / "checkpoints", keep_last=3).load_newest()
        assert checkpoint is not None
        assert (checkpoint.step, complaints) == (60, [])
    said = capsys.readouterr().out
    assert f"cannot write to {run}" in said
    assert f"writes to {run} again" in said


def test_learner_that_ends_while_its_disk_fails_says_so_and_ends_with_a_fault(tmp_path: Path) -> None:
    fault, run = FileInItsPlace(), tmp_path / "run"
    with RosWorld() as ros:
        statuses = ros.hear(topics.TRAINING_STATUS)
        command = [sys.executable, "-m", "sac_control.nodes.learner", "--ros-args", "-p", f"run_directory:={run}"]
        domain = ros.probe.context.get_domain_id()
        process = subprocess.Popen(
            command,
            env=node_environment(os.environ, domain=domain, log_directory=None),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            ros.until(lambda: statuses, "it does not begin", PATIENCE)
            fault.strike(run)
            process.send_signal(signal.SIGINT)
            said, complained = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    fault.end(run)
    assert process.returncode == EXIT_FAULT
    assert "stopped after 0 transitions" in said
    assert re.search("error: cannot write to .*File exists", complained)


def test_learner_tells_replay_ratio_lag_and_drops_and_warns_only_while_something_is_dropped(tmp_path: Path) -> None:
    with RosWorld(learner=learner(tmp_path, wait_warning=2.0)) as ros:
        watched = Watched(ros)
        ros.add(LearnerNode)
        transitions = ros.publisher(topics.TRANSITIONS)
        for sequence in (*range(40), 39, 42):
            send(transitions, transition(sequence))
        send(transitions, transition(43, observation=OBSERVATION * np.float32(math.nan)))
        figures = watched.until("/learner", lambda figures: figures["rejected_transitions"] == "1")
        assert figures["missing_transitions"] == "2"
        assert figures["duplicate_transitions"] == "1"
        figures = watched.until("/learner", lambda figures: figures["updates"] == "42")
        assert (figures["phase"], figures["run"], figures["transitions"]) == ("TRAINING", "run", "41")
        assert float(figures["replay_ratio"]) == float(figures["target_replay_ratio"]) == 2.0
        assert float(figures["policy_lag"]) == 0.0
        assert (figures["rejected_weights"], figures["rollbacks"], figures["policy_version"]) == ("0", "0", "1")
        assert 0.0 < float(figures["transition_age"]) < PATIENCE
        watched.until_level("/learner", WARN, "rejected_transitions now 1, missing_transitions now 2")
        watched.until_level("/learner", OK, "training")
        watched.until_level("/learner", WARN, "no transition for")
        send(transitions, transition(44))
        watched.until_level("/learner", OK, "training")


def test_simulator_in_lockstep_tells_what_time_stands_still_for() -> None:
    with RosWorld(simulator={"answer_timeout": 10.0, "wait_warning": 0.5}) as ros:
        watched, states = Watched(ros), ros.hear(topics.JOINT_STATES)
        transitions = ros.hear(topics.TRANSITIONS)
        ros.add(SimulatorNode)
        actions = ros.publisher(topics.ACTION)
        figures = watched.until("/simulator", lambda figures: figures["waits_for"] == "an action")
        assert (figures["mode"], figures["transitions"], figures["resent_states"]) == ("lockstep", "0", "0")
        watched.until_level("/simulator", WARN, "waits for an action")
        ros.until(lambda: states, "no state")
        actions.publish(answer(stamp_of(states[0]), 0.0))
        figures = watched.until("/simulator", lambda figures: figures["waits_for"] == "credit")
        assert figures["transitions"] == "1"
        assert figures["policy_version"] == "7"
        watched.until_level("/simulator", WARN, "waits for credit")
        assert float(watched.figures("/simulator")["step_age"]) > 0.5
        watched.until("/simulator", lambda figures: int(figures["credit_probes"]) > 0)  # due when the warning is
        ros.call(SetBool, topics.SIMULATOR_PAUSE, SetBool.Request(data=True))
        watched.until_level("/simulator", OK, "paused")
        ros.call(SetBool, topics.SIMULATOR_PAUSE, SetBool.Request(data=False))
        ros.publisher(topics.CREDIT).publish(credit_msg(transitions[-1].source, 10))
        watched.until("/simulator", lambda figures: figures["waits_for"] == "an action")


def test_simulator_in_realtime_is_in_error_while_its_watchdog_zeroes_the_force() -> None:
    with RosWorld(simulator={"mode": "realtime", "command_timeout": 0.2, "real_time_factor": 0.2}) as ros:
        watched = Watched(ros)
        ros.add(SimulatorNode)
        commands = ros.publisher(topics.COMMANDS)
        figures = watched.until("/simulator", lambda figures: figures["waits_for"] == "a first command")
        assert figures["command_age"] == "nan"
        commands.publish(Float64MultiArray(data=[0.0]))
        watched.until_level("/simulator", ERROR, "s old, limit 0.2 s: the safe command is applied")
        figures = watched.until("/simulator", lambda figures: int(figures["zeroed_periods"]) > 3)
        assert float(figures["command_age"]) > 0.2
        assert int(figures["transitions"]) > 3
        assert figures["waits_for"] == ""
        commands.publish(Float64MultiArray(data=[math.nan]))
        watched.until("/simulator", lambda figures: figures["rejected_commands"] == "1")
        assert {"late_periods", "unanswered_periods", "overruns"} <= figures.keys()
        due = 0.0

        def is_well() -> bool:
            nonlocal due
            if time.monotonic() > due:
                due = time.monotonic() + 0.05
                commands.publish(Float64MultiArray(data=[0.0]))
            return watched.level("/simulator") == OK

        ros.until(is_well, "commands come again, and it stays in error", PATIENCE)
        assert float(watched.figures("/simulator")["command_age"]) < 0.2


def test_evaluator_tells_episodes_and_gaps() -> None:
    with RosWorld(evaluator={"episodes": 3, "wait_warning": 0.5}) as ros:
        watched = Watched(ros)
        ros.add(EvaluatorNode)
        transitions = ros.publisher(topics.TRANSITIONS)
        for sequence in (*range(10), 10, 10, 13):
            send(transitions, transition(sequence))
        figures = watched.until("/evaluator", lambda figures: figures["missing_transitions"] == "2")
        assert (figures["episodes"], figures["transitions"], figures["policy_versions"]) == ("1", "10", "1")
        assert figures["duplicate_transitions"] == "1"
        watched.until_level("/evaluator", WARN, "missing_transitions now 2")
        watched.until_level("/evaluator", WARN, "no transition for")


def test_every_node_names_a_peer_whose_quality_of_service_excludes_it_and_is_in_error_until_that_is_gone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    lossy = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    with RosWorld(learner=learner(tmp_path), simulator={"flow_control": False}) as ros:
        watched = Watched(ros)
        for make_node in (SimulatorNode, PolicyNode, LearnerNode, EvaluatorNode):
            ros.add(make_node)
        probe = ros.probe
        late = probe.create_subscription(topics.COMMANDS.type, topics.COMMANDS.name, print, latched)  # policy
        deaf = probe.create_subscription(
            topics.JOINT_STATES.type, topics.JOINT_STATES.name, print, latched
        )  # simulator
        careless = probe.create_publisher(topics.TRANSITIONS.type, topics.TRANSITIONS.name, lossy)  # learner, evaluator
        names = {
            "/policy": "/effort_controller/commands",
            "/simulator": "/joint_states",
            "/learner": "/transitions",
            "/evaluator": "/transitions",
        }
        for node, topic in names.items():
            watched.until_level(node, ERROR, f"{topic} has an incompatible QoS with node /probe")
        told = "".join(capfd.readouterr())
        for topic in set(names.values()):
            assert f"{topic} has an incompatible QoS with node /probe" in told
        probe.destroy_subscription(late)
        probe.destroy_subscription(deaf)
        probe.destroy_publisher(careless)
        for node in names:
            ros.until(lambda node=node: "does not connect" not in watched.message(node), f"{node} stays in error", 60.0)  # type: ignore[misc]
