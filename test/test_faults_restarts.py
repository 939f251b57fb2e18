"""Peers that come late, go away and come back, as processes: each goes on by itself, and nothing is counted twice.

``SAC_CONTROL_FAULTS=full`` lets each of them disappear for five seconds.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import rclpy
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from std_srvs.srv import Trigger

from killable_learner import ROW_SIZE
from node_processes import NodeProcess
from policies import RUN_ID, make_file
from robots import PATIENCE, Robot
from ros_world import RosWorld
from sac_control.cli.domain import DomainLease
from sac_control.nodes import topics
from sac_control.policy.safety import Mode
from sac_control.store.replay_file import RECORD
from sac_control.types import Array
from test_end_to_end import Running

IS_FULL = os.environ.get("SAC_CONTROL_FAULTS") == "full"
ABSENCE = 5.0 if IS_FULL else 0.8  # [s] longer than every timeout there is
NODES = ("simulator", "policy", "learner")
TERMS = 5  # of an observation


def rows_and_records(run: Path) -> tuple[Array, Array]:
    """What the run's replay buffer has on the disk."""
    rows = np.fromfile(run / "replay" / "transitions.f32", "<f4").reshape(-1, ROW_SIZE)
    return rows, np.fromfile(run / "replay" / "transitions.index", RECORD)


def assert_nothing_twice_and_nothing_stitched(run: Path) -> int:
    """The number of transitions in `run`, each of which must be there once, and follow the one that it says."""
    rows, records = rows_and_records(run)
    assert len(rows) == len(records)
    numbers = list(zip(records["source"].tolist(), records["sequence"].tolist(), strict=True))
    assert len(set(numbers)) == len(numbers), "a transition was counted twice"
    follows = (
        (records["source"][1:] == records["source"][:-1])
        & (records["sequence"][1:] == records["sequence"][:-1] + 1)
        & (records["episode"][1:] == records["episode"][:-1])
    )
    np.testing.assert_array_equal(rows[1:][follows, :TERMS], rows[:-1][follows, TERMS + 2 : -1])
    assert follows.sum() > len(rows) // 2
    return len(numbers)


class Trio:
    """The three nodes of a training, each of which can be taken away.

    Args:
        ros: whose domain they join.
        directory: for the run.
        mode: of the simulator.
        max_steps: of the learner.
    """

    def __init__(self, ros: RosWorld, directory: Path, mode: str, max_steps: int = 10**9) -> None:
        self._ros = ros
        self.run = directory / "run"
        self._processes: dict[str, NodeProcess] = {}
        self.statuses: list[Any] = []
        self.transitions: list[Any] = []
        reliable = {"lockstep": True, "qos_overrides./joint_states.subscription.reliability": "reliable"}
        self._parameters: dict[str, dict[str, object]] = {
            "simulator": {"run_id": RUN_ID, "mode": mode},
            "policy": {"run_id": RUN_ID, "deterministic": False, **(reliable if mode == "lockstep" else {})},
            "learner": {
                "run_directory": str(self.run),
                "max_steps": max_steps,
                "warmup_steps": 20,
                "batch_size": 16,
                "hidden_sizes": [16],
                "replay_ratio": 1.0,
                "evaluation_every": 0,
                "checkpoint_every": 10**7,
            },
        }

    def __enter__(self) -> Trio:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            process.__exit__()

    def start(self, node: str) -> None:
        self._processes[node] = NodeProcess(self._ros, node, **self._parameters[node])
        if node == "learner":
            self._parameters[node]["resume"] = True  # whoever comes after it

    def start_all(self) -> None:
        self.statuses = self._ros.hear(topics.TRAINING_STATUS)
        self.transitions = self._ros.hear(topics.TRANSITIONS)
        for node in NODES:
            self.start(node)

    def leave(self, node: str, number: signal.Signals) -> None:
        """Let a node disappear: by SIGKILL or SIGSTOP."""
        self._processes[node].send(number)

    def come_back(self, node: str, number: signal.Signals) -> None:
        if number == signal.SIGSTOP:
            self._processes[node].send(signal.SIGCONT)
        else:
            self.start(node)

    @property
    def steps(self) -> int:
        """Transitions that the learner tells of."""
        return int(self.statuses[-1].env_steps) if self.statuses else 0

    def until_it_learns(self, count: int = 40) -> None:
        """Wait for `count` more transitions, moved by forces."""
        steps, heard = self.steps, len(self.transitions)

        def is_learning() -> bool:
            moved = sum(msg.action[0] != 0.0 for msg in self.transitions[heard:])
            return self.steps >= steps + count and moved >= count // 2

        self._ros.until(is_learning, "the training does not go on", PATIENCE)

    @property
    def has_ended(self) -> bool:
        """Whether the learner has made its steps."""
        code = self._processes["learner"].exit_code
        assert code in (None, 0)
        return code == 0

    def stop(self) -> None:
        for node in NODES:
            self._processes[node].stop()


@pytest.fixture
def ros() -> Iterator[RosWorld]:
    with RosWorld() as world:
        yield world


def in_order(directory: Path, order: tuple[str, ...]) -> Generator[None, None, None]:
    """A training in a domain of its own, each node of which starts when the one before is there, until it has ended."""
    lease, context = DomainLease(), rclpy.Context()
    rclpy.init(context=context, domain_id=lease.domain, signal_handler_options=SignalHandlerOptions.NO)
    probe = Node("probe", context=context)
    try:
        with Trio(cast(RosWorld, SimpleNamespace(probe=probe)), directory, "lockstep", max_steps=60) as trio:
            for node in order:
                trio.start(node)
                while node not in probe.get_node_names():
                    yield
            while not trio.has_ended:
                yield
    finally:
        probe.destroy_node()
        rclpy.shutdown(context=context)
    assert assert_nothing_twice_and_nothing_stitched(trio.run) == 60


@pytest.mark.long
def test_nodes_find_each_other_in_whatever_order_they_start(tmp_path: Path) -> None:
    """All orders side by side."""
    orders = list(itertools.permutations(NODES))
    trainings = [in_order(tmp_path / "-".join(order), order) for order in orders]
    going, end = trainings, time.monotonic() + PATIENCE
    try:
        while going:
            going = [training for training in going if next(training, "over") is None]
            time.sleep(0.02)
            assert time.monotonic() < end, f"{len(going)} of {len(orders)} do not end"
    finally:
        for training in trainings:
            training.close()  # no process is left behind


@pytest.mark.parametrize("mode", ["lockstep", pytest.param("realtime", marks=pytest.mark.long)])
def test_training_goes_on_by_itself_when_a_peer_comes_back(tmp_path: Path, ros: RosWorld, mode: str) -> None:
    with Trio(ros, tmp_path, mode) as trio:
        trio.start_all()
        trio.until_it_learns()
        for node, number in itertools.product(NODES, (signal.SIGSTOP, signal.SIGKILL)):
            before = trio.steps
            trio.leave(node, number)
            ros.spin_for(ABSENCE)
            trio.come_back(node, number)
            trio.until_it_learns()
            assert trio.steps > before
        trio.stop()
    steps = [status.env_steps for status in trio.statuses]
    lives = 1 + sum(after < before for before, after in itertools.pairwise(steps))
    assert lives <= 2, "only a killed learner may fall behind itself, by what it had not written yet"
    summary = json.loads((trio.run / "summary.json").read_text())
    assert assert_nothing_twice_and_nothing_stitched(trio.run) == summary["env_steps"]
    _, records = rows_and_records(trio.run)
    assert len(set(records["source"].tolist())) == 2, "the simulator had two lives"


@pytest.mark.long
def test_command_starts_nodes_of_a_training_again_and_the_learner_resumes(tmp_path: Path, ros: RosWorld) -> None:
    statuses: list[Any] = []
    of_training = f"/training/{topics.TRAINING_STATUS.name}"
    ros.probe.create_subscription(topics.TRAINING_STATUS.type, of_training, statuses.append, 10)
    domain = str(ros.probe.context.get_domain_id())
    settings = ("learner.evaluation_every=0", "learner.hidden_sizes=[16]", "learner.max_steps=1000000")
    words = [word for setting in settings for word in ("--set", setting)]
    running = Running(tmp_path, "train", "--run", "run", "--domain-id", domain, *words)

    def until_it_learns() -> None:
        steps = statuses[-1].env_steps if statuses else 0
        ros.until(lambda: statuses and statuses[-1].env_steps > steps + 100, running.output, PATIENCE)

    try:
        until_it_learns()
        for node in NODES:
            count, killed = len(statuses), running.child(node)
            os.kill(killed, signal.SIGKILL)
            told = f"the {node} process was terminated by SIGKILL; restarting in 1 s, at most 4 more"
            ros.until(lambda told=told: told in running.output, running.output, PATIENCE)  # type: ignore[misc]
            if node == "learner":
                ros.until(lambda: "resumes at step" in running.output, running.output, PATIENCE)
                assert int(re.findall(r"resumes at step (\d+)", running.output)[0]) > 0
                ros.until(lambda count=count: len(statuses) > count + 5, running.output, PATIENCE)  # type: ignore[misc]
            until_it_learns()
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(300) == 0, running.output
    finally:
        running.process.kill()
    assert_nothing_twice_and_nothing_stitched(tmp_path / "runs" / "run")


def test_command_starts_a_deployed_policy_again_unarmed_and_gives_up_after_the_limit(
    tmp_path: Path, ros: RosWorld
) -> None:
    file = tmp_path / "policy.safetensors"
    file.write_bytes(make_file().to_bytes())
    robot = Robot(ros)
    domain = str(ros.probe.context.get_domain_id())
    unset = ("--set", "policy.require_arm=false", "--set", "policy.state_timeout=0.2")
    running = Running(tmp_path, "deploy", str(file), "--domain-id", domain, "--restarts", "1", *unset)
    try:
        robot.until_moved()
        os.kill(running.child("policy"), signal.SIGKILL)
        robot.until(lambda: "restarting in 1 s, at most 0 more times" in running.output, running.output)
        robot.statuses.clear()
        robot.commands.clear()
        robot.until_mode(Mode.ARMING, "waits for policy/arm")
        robot.go_on_for(0.5)
        assert robot.commands
        assert not any(effort for _, effort in robot.commands), "nothing moves before a person has looked"
        client = ros.probe.create_client(Trigger, topics.POLICY_ARM)
        robot.until(client.service_is_ready, "no policy/arm")
        future: Any = client.call_async(Trigger.Request())
        robot.until(future.done, "no response")
        robot.until_moved()
        os.kill(running.child("policy"), signal.SIGKILL)
        assert running.process.wait(60) == 1
    finally:
        running.process.kill()
    last = running.output.strip().splitlines()[-1]
    assert last.startswith(
        "error: the policy process was terminated by SIGKILL after 1 restart; the others were stopped."
    )
    assert "Traceback" not in running.output


@pytest.mark.parametrize("victims", ["command", "command and node"])
def test_service_that_starts_the_command_again_and_again_never_arms_anything(
    tmp_path: Path, ros: RosWorld, victims: str
) -> None:
    """A systemd unit with Restart=always, at its worst: killed while armed, started anew beside what lingers."""
    file = tmp_path / "policy.safetensors"
    file.write_bytes(make_file().to_bytes())
    robot = Robot(ros)
    domain = str(ros.probe.context.get_domain_id())
    words = ("deploy", str(file), "--domain-id", domain, "--set", "policy.state_timeout=0.2")
    client = ros.probe.create_client(Trigger, topics.POLICY_ARM)
    running, node = Running(tmp_path, *words), 0
    try:
        robot.until_mode(Mode.ARMING, "waits for policy/arm")
        robot.until(client.service_is_ready, "no policy/arm")
        future: Any = client.call_async(Trigger.Request())
        robot.until(future.done, "no response")
        robot.until_moved()
        node = running.child("policy")
        for _ in range(3 if IS_FULL else 1):
            running.process.kill()
            if "node" in victims:
                os.kill(node, signal.SIGKILL)
            running.process.wait(60)
            robot.until(lambda node=node: not is_alive(node), "the node lives on")  # type: ignore[misc]
            robot.go_on_for(0.3)  # what it had sent may wait to be received
            robot.statuses.clear()
            robot.commands.clear()
            running = Running(tmp_path, *words)
            robot.until_mode(Mode.ARMING, "waits for policy/arm")
            robot.go_on_for(0.5)
            assert robot.commands, "it does not live"
            assert not any(effort for _, effort in robot.commands), "armed by nobody"
            node = running.child("policy")
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(60) == 0, running.output
    finally:
        running.process.kill()
        if is_alive(node):
            os.kill(node, signal.SIGKILL)


def is_alive(process: int) -> bool:
    """Whether a process runs; one that has ended may wait for ever to be reaped in a container."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rsplit(")", 1)[1].split()[0] not in "ZX"
