"""Who else is on the wires: robots beside trainings, two trainings, two policies on one robot, two of its drivers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from std_srvs.srv import Trigger

from node_processes import NodeProcess
from policies import OTHER_RUN_ID, RUN_ID, make_file
from robots import PATIENT, Robot
from ros_world import RosWorld
from sac_control.errors import NeighbourError
from sac_control.nodes import messages, topics
from sac_control.nodes.claim import Claim
from sac_control.nodes.evaluator import EvaluatorNode
from sac_control.nodes.policy import PolicyNode
from sac_control.policy.safety import Mode

COMMANDS = "/effort_controller/commands"


@pytest.fixture
def policy_path(tmp_path: Path) -> Path:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(make_file().to_bytes())
    return path


class Command:
    """The command `sac_control`, in the domain of a test.

    Attributes:
        output: of both streams, once it has ended.
    """

    def __init__(self, ros: RosWorld, *words: str) -> None:
        domain = str(ros.probe.context.get_domain_id())
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sac_control", *words],
            env={**os.environ, "ROS_DOMAIN_ID": domain},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.output = ""

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def exit_code(self) -> int:
        """Wait for its end."""
        self.output, _ = self._process.communicate(timeout=300)
        return self._process.returncode


@pytest.fixture
def commands() -> Iterator[Callable[..., Command]]:
    """Makes commands, and ends what is left of them."""
    made: list[Command] = []

    def make(ros: RosWorld, *words: str) -> Command:
        made.append(Command(ros, *words))
        return made[-1]

    yield make
    for each in made:
        if not each.has_ended:
            each._process.terminate()
            each._process.wait(60)


def train(tmp_path: Path, run: str, *more: str) -> tuple[str, ...]:
    small = ("--set", "learner.hidden_sizes=[16]", "--set", "learner.evaluation_every=0")
    return ("train", "--run", run, "--runs-dir", str(tmp_path / "runs"), *small, *more)


# trainings and evaluations beside a robot


def test_training_and_evaluation_beside_an_armed_robot_reach_neither_it_nor_its_policy(
    tmp_path: Path, policy_path: Path, commands: Callable[..., Command]
) -> None:
    """The robot's domain is exported, as it usually is in the shell of a robot."""
    with RosWorld(policy={"policy_file": str(policy_path), **PATIENT}) as ros:
        robot = Robot(ros)
        ros.add(PolicyNode)
        robot.until_moved()
        training = commands(ros, *train(tmp_path, "beside", "--max-steps", "260"))
        robot.until(lambda: training.has_ended, "the training does not end")
        assert training.exit_code() == 0, training.output
        evaluation = commands(ros, "evaluate", str(tmp_path / "runs" / "beside"), "--episodes", "1", "--json")
        robot.until(lambda: evaluation.has_ended, "the evaluation does not end")
        assert evaluation.exit_code() == 0, evaluation.output
        assert {action.policy_version for action in robot.actions} == {1}
        assert {action.run_id for action in robot.actions} == {""}
        assert {status.swaps for status in robot.statuses} == {0}
        assert robot.statuses[-1].mode == Mode.ACTIVE
        assert len(robot.commands) <= len(robot.sent)  # nobody else commands
    summary = json.loads((tmp_path / "runs" / "beside" / "summary.json").read_text())
    assert summary["env_steps"] == 260


def test_robot_alone_in_the_domain_hears_nothing_of_a_training(
    tmp_path: Path, commands: Callable[..., Command]
) -> None:
    with RosWorld() as ros:
        robot = Robot(ros)
        training = commands(ros, *train(tmp_path, "beside", "--max-steps", "210"))
        robot.until(lambda: training.has_ended, "the training does not end")
        assert training.exit_code() == 0, training.output
        assert not robot.commands
        assert not robot.actions


@pytest.mark.parametrize("part", ["states", "commands"])
def test_training_in_the_namespace_of_a_robot_is_refused_with_its_name_and_leaves_no_run(
    tmp_path: Path, commands: Callable[..., Command], part: str
) -> None:
    with RosWorld(namespace="/arm") as ros:
        driver = ros.peer("driver")
        if part == "states":
            topics.publisher(driver, topics.JOINT_STATES)
        else:
            topics.subscription(driver, topics.COMMANDS, print)
        training = commands(ros, *train(tmp_path, "there", "--namespace", "arm", "--max-steps", "20000"))
        ros.until(lambda: training.has_ended, "goes on")
        assert training.exit_code() == 1
    verb = "publishes /arm/joint_states" if part == "states" else "listens to /arm/effort_controller/commands"
    assert f"/arm/driver {verb} and is not of this run" in training.output
    assert "restarting" not in training.output
    assert "Traceback" not in training.output


def test_tool_that_hides_its_node_may_listen(policy_path: Path) -> None:
    with RosWorld(policy={"run_id": RUN_ID, "lockstep": True, "policy_file": str(policy_path)}) as ros:
        topics.subscription(ros.peer("_ros2cli_17"), topics.COMMANDS, print)
        node = ros.add(PolicyNode)
        ros.until(lambda: node.get_subscriptions_info_by_topic(COMMANDS), "not seen")
        node._strangers.check()


# two of a kind


def test_younger_of_two_under_the_same_names_ends_and_the_older_one_goes_on() -> None:
    older, younger = Claim(RUN_ID, 10, "/training/learner/credit"), Claim(OTHER_RUN_ID, 20, "/training/learner/credit")
    of_older = messages.credit_to_msg({}, RUN_ID, started=10, stamp=30)
    of_younger = messages.credit_to_msg({}, OTHER_RUN_ID, started=20, stamp=30)
    older.hear(of_older)
    assert older.rival == ""
    older.hear(of_younger)
    assert "run fedcba98, which began later, is on /training/learner/credit, too" in older.rival
    with pytest.raises(NeighbourError, match="run 01234567 is on /training/learner/credit already: .* --namespace"):
        younger.hear(of_older)


def test_of_two_that_began_at_the_same_instant_exactly_one_goes_on() -> None:
    for one, other in ((RUN_ID, OTHER_RUN_ID), (OTHER_RUN_ID, RUN_ID)):
        msg = messages.credit_to_msg({}, other, started=10, stamp=30)
        if other < one:
            with pytest.raises(NeighbourError):
                Claim(one, 10, "/x").hear(msg)
        else:
            Claim(one, 10, "/x").hear(msg)


def test_second_training_under_the_same_names_is_refused_and_the_first_learns_from_its_own_alone(
    tmp_path: Path, commands: Callable[..., Command]
) -> None:
    with RosWorld(namespace="/training") as ros:
        credit = ros.hear(topics.CREDIT)
        until = ("--max-steps", "3000", "--until", "steps")
        first = commands(ros, *train(tmp_path, "first", *until))
        ros.until(lambda: any(msg.source for msg in credit), "the first does not learn")
        second = commands(ros, *train(tmp_path, "second"))
        ros.until(lambda: second.has_ended, "goes on")
        assert second.exit_code() == 1
        assert "is on /training/learner/credit already: two simulations cannot share" in second.output
        assert "restarting" not in second.output
        assert not first.has_ended
        first._process.send_signal(2)
        assert first.exit_code() == 0, first.output
    summary = json.loads((tmp_path / "runs" / "first" / "summary.json").read_text())
    sources = {source for msg in credit if msg.run_id == summary["run_id"] for source in msg.source}
    assert len(sources) == 1, "it was offered transitions of the other's simulator, and took them"


def test_evaluation_under_names_that_are_taken_is_refused() -> None:
    with RosWorld() as ros:
        earlier = ros.publisher_of_latched(topics.CREDIT)
        earlier.publish(messages.credit_to_msg({}, OTHER_RUN_ID, started=1, stamp=1))
        ros.add(EvaluatorNode)
        with pytest.raises(NeighbourError, match="run fedcba98 is on /learner/credit already"):
            ros.spin_for(60.0)


# two policies on one robot, two publishers of its states


def complaints(robot: Robot) -> str:
    return "; ".join(status.message for status in robot.errors())


def complains(robot: Robot, sentence: str) -> Callable[[], bool]:
    return lambda: sentence in complaints(robot)


def test_two_policies_on_one_robot_are_both_silent_and_name_each_other(
    policy_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = {"policy_file": str(policy_path), **PATIENT}
    with RosWorld(policy=parameters) as ros:
        robot = Robot(ros)
        node = ros.add(PolicyNode)
        robot.until_moved()
        published: list[float] = []  # by this node, where it leaves: the other one commands zero, too
        publish = node._commands.publish

        def spy_on_publish(msg: Any) -> None:
            published.append(msg.data[0])
            publish(msg)

        monkeypatch.setattr(node._commands, "publish", spy_on_publish)
        with NodeProcess(ros, "policy", {"__node": "other"}, **parameters):
            robot.until_mode(
                Mode.LATCHED_FAULT, "/other commands /effort_controller/commands, too: stop one of the two"
            )
            robot.until(lambda: "/other commands" in complaints(robot), "diagnostics say nothing")
            robot.until(lambda: "/policy commands" in complaints(robot), "the other one says nothing")
            assert robot.commands[-1][1] == published[-1] == 0.0, "the last command is no zero"
            count = len(robot.commands)
            assert not ros.call(Trigger, topics.POLICY_ARM, Trigger.Request()).success
            robot.go_on_for(0.5)
            assert len(robot.commands) == count, "not silent"


def test_cause_of_another_latch_stays_when_rivals_become_known(policy_path: Path) -> None:
    with RosWorld(policy={"policy_file": str(policy_path), **PATIENT}) as ros:
        robot = Robot(ros)
        ros.add(PolicyNode)
        robot.until_moved()
        assert ros.call(Trigger, topics.POLICY_STOP, Trigger.Request()).success
        for names in ("/ghost", "/ghost and /shade"):
            topics.publisher(ros.peer(names.split("/")[-1]), topics.COMMANDS)
            robot.until(complains(robot, f"{names} commands"), f"{names} is not named")
        robot.statuses.clear()
        robot.until_mode(Mode.LATCHED_FAULT, "stopped by policy/stop")


def test_whoever_could_command_the_robot_keeps_the_policy_silent_and_unarmed_until_it_is_gone(
    policy_path: Path,
) -> None:
    """It need not speak: nothing is armed by what lingers, and all goes on when it is gone."""
    parameters = {"policy_file": str(policy_path), **PATIENT, "require_arm": True}
    with RosWorld(policy=parameters) as ros:
        robot = Robot(ros)
        ghost = ros.peer("ghost")
        lingering = topics.publisher(ghost, topics.COMMANDS)
        ros.add(PolicyNode)
        robot.until_mode(Mode.ARMING)
        robot.until(lambda: "/ghost commands" in complaints(robot), "not said")
        request = Trigger.Request()
        answer = ros.call(Trigger, topics.POLICY_ARM, request)
        assert (answer.success, answer.message) == (
            False,
            "not armed: /ghost commands /effort_controller/commands, too: stop one of the two",
        )
        robot.commands.clear()
        robot.go_on_for(0.3)
        assert not robot.commands
        ghost.destroy_publisher(lingering)
        robot.until(lambda: robot.commands, "silent for ever")
        robot.until(lambda: ros.call(Trigger, topics.POLICY_ARM, request).success, "cannot be armed any more")
        robot.until_moved()


@pytest.mark.needs("publisher_gid")
def test_states_of_two_publishers_by_turns_latch_zero_and_name_both(policy_path: Path) -> None:
    with RosWorld(policy={"policy_file": str(policy_path), **PATIENT}) as ros:
        robot = Robot(ros)
        ros.add(PolicyNode)
        robot.until_moved()
        other = topics.publisher(ros.peer("second_robot"), topics.JOINT_STATES)
        turn: list[int] = []

        def send_by_turns() -> None:
            robot.send()
            turn.append(0)
            if len(turn) % 2:
                other.publish(robot._newest)

        robot.send_next = send_by_turns
        robot.until_mode(Mode.LATCHED_FAULT, "/probe and /second_robot publish states of our joints on /joint_states")
        assert robot.commands[-1][1] == 0.0
        count = len(robot.commands)
        assert not ros.call(Trigger, topics.POLICY_ARM, Trigger.Request()).success
        robot.go_on_for(0.3)
        assert len(robot.commands) == count, "not silent"
        assert "publish states of our joints" in complaints(robot)
        robot.send_next = robot.send
        robot.until(lambda: ros.call(Trigger, topics.POLICY_ARM, Trigger.Request()).success, "never again")
        robot.until_moved()


def test_driver_that_was_restarted_is_no_rival(policy_path: Path) -> None:
    with RosWorld(policy={"policy_file": str(policy_path), **PATIENT}) as ros:
        robot = Robot(ros)
        ros.add(PolicyNode)
        robot.until_moved()
        robot._states = topics.publisher(ros.peer("driver"), topics.JOINT_STATES)
        robot.until_moved()
        until = time.monotonic() + 1.0
        robot.until(lambda: time.monotonic() > until, "time does not pass")
        assert robot.statuses[-1].mode == Mode.ACTIVE
        assert not robot.errors()
