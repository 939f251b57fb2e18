"""What is recorded can be learnt from and compared with, and what cannot be used is refused in one sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from policies import RUN_ID, SPECIFICATION, make_file
from sac_control.algorithms.mixed_in import MixedIn
from sac_control.algorithms.replay_buffer import ReplayBuffer
from sac_control.bags import bag_reader
from sac_control.bags.bag_metadata import RecordedTopic
from sac_control.bags.bag_reader import messages
from sac_control.bags.bag_writer import BagWriter
from sac_control.bags.definitions import definition, prefixes
from sac_control.bags.recorded_transitions import TRANSITION, read_transitions
from sac_control.cli.main import main
from sac_control.cli.options import DeploymentOptions, EvaluationOptions, TrainingOptions
from sac_control.cli.plan import plan_deployment, plan_evaluation, plan_training
from sac_control.errors import ConfigError, RunError
from sac_control.identity import frame_id
from sac_control.nodes import messages as ros_messages
from sac_control.nodes import topics
from sac_control.policy.policy import Policy
from sac_control.tasks.catalogue import make_task
from sac_control.types import Action, JointState, Transition

rclpy_serialization = pytest.importorskip("rclpy.serialization")

TASK = make_task("inverted_pendulum")
RECORDED = (topics.JOINT_STATES, topics.ACTION, topics.TRANSITIONS)
TYPES = ("sensor_msgs/msg/JointState", "sac_control/msg/PolicyAction", TRANSITION)


def write_bag(path: Path, said: Sequence[tuple[int, Any]]) -> Path:
    """A bag of messages, each with the index of its topic."""
    kept = [
        RecordedTopic(name=f"/{topic.name}", type=kind, depth=10, is_reliable=True, is_latched=False)
        for topic, kind in zip(RECORDED, TYPES, strict=True)
    ]
    bag = BagWriter(path, kept)
    for k, (topic, message) in enumerate(said):
        bag.write(topic, rclpy_serialization.serialize_message(message), k, k)
    bag.close()
    return path


def transition(sequence: int, rng: np.random.Generator) -> Transition:
    return Transition(
        source=7,
        sequence=sequence,
        episode=0,
        step=sequence,
        stamp=sequence,
        policy_version=1,
        observation=rng.normal(size=5).astype(np.float32),
        action=rng.uniform(-1, 1, 1).astype(np.float32),
        reward=float(np.float32(rng.normal())),
        next_observation=rng.normal(size=5).astype(np.float32),
        terminated=bool(sequence % 5 == 4),
        truncated=False,
        state=rng.normal(size=4),
        action_raw=rng.normal(size=1).astype(np.float32),
        duration=0.0165,
    )


def with_transitions(path: Path, count: int, task_hash: str = TASK.hash) -> tuple[Path, list[Transition]]:
    rng = np.random.default_rng(0)
    rows = [transition(k, rng) for k in range(count)]

    def message(row: Transition) -> Any:
        return ros_messages.transition_to_msg(row, topics.TRANSITIONS.type(run_id=RUN_ID, task_hash=task_hash))

    return write_bag(path, [(2, message(row)) for row in rows for _ in range(2)]), rows  # some are sent twice


def with_answers(path: Path, seed: int = 0) -> Path:
    """States of a simulator, and what the policy of that seed did there."""
    file, rng = make_file(seed), np.random.default_rng(1)
    policy = Policy(file.actor)
    said: list[tuple[int, Any]] = []
    for k in range(50):
        x, theta, vx, omega = rng.normal(size=4)
        state = JointState(
            stamp=(k + 1) * 16_500_000,
            names=SPECIFICATION.joints,
            position=np.array([x, theta]),
            velocity=np.array([vx, omega]),
            frame=frame_id(RUN_ID, SPECIFICATION.hash),
        )
        seen = np.array([x, vx, np.cos(theta), np.sin(theta), omega], np.float32)
        action = policy.act(seen).copy()
        answer = topics.ACTION.type(run_id=RUN_ID)
        ros_messages.mark_action_msg(answer, SPECIFICATION)
        command = action.astype(np.float64)
        given = Action(stamp=state.stamp, policy_version=1, action=action, command_raw=command, command=command)
        said += [(0, ros_messages.state_to_msg(state)), (1, ros_messages.action_to_msg(given, 2, answer))]
    return write_bag(path, said)


def test_transitions_read_back_are_those_that_were_written_once_each(tmp_path: Path) -> None:
    bag, rows = with_transitions(tmp_path / "bag", 300)
    found = read_transitions([bag], TASK.hash, "inverted_pendulum")
    assert len(found) == 300
    buffers = [ReplayBuffer(capacity=300, observation_size=5, action_size=1, seed=0) for _ in range(2)]
    for buffer, each in zip(buffers, (rows, found), strict=True):
        for row in each:
            buffer.add(row)
    np.testing.assert_array_equal(buffers[0].rows(0, 300), buffers[1].rows(0, 300))


def test_definition_of_a_message_names_all_that_it_consists_of() -> None:
    text = definition(TRANSITION, prefixes())
    assert text.count("MSG: std_msgs/Header") == text.count("MSG: builtin_interfaces/Time") == 1
    assert text.index("float32[<=256] observation") < text.index("MSG: ")


def test_share_of_each_batch_is_recorded(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    own = ReplayBuffer(capacity=10, observation_size=5, action_size=1, seed=0)
    own.add(transition(0, rng))
    mixed = MixedIn([transition(1, rng)], 0.25, observation_size=5, action_size=1, mirror=None, seed=0)
    batch = mixed.mixed(own, 8, 3)
    assert batch.observation.shape == (3, 8, 5)
    assert len(np.unique(batch.reward[:, :6])) == len(np.unique(batch.reward[:, 6:])) == 1
    assert batch.reward[0, 0] != batch.reward[0, 7]


def test_policy_that_was_recorded_agrees_with_itself_and_another_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag = with_answers(tmp_path / "bag")
    for seed, largest in ((0, 0.0), (1, 0.5)):
        path = tmp_path / f"{seed}.safetensors"
        path.write_bytes(make_file(seed).to_bytes())
        assert main(["replay", str(bag), "--policy", str(path), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["states"] == 50
        assert found["largest_difference"] <= 1e-6 if seed == 0 else found["largest_difference"] > largest
    assert main(["replay", str(bag), "--policy", str(path)]) == 0
    assert "another sign in" in capsys.readouterr().out


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one sentence."""
    assert main(arguments) in (1, 2)
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    return error


@pytest.mark.parametrize("verb", ["train", "replay"])
@pytest.mark.parametrize("fault", ["missing", "empty", "cut", "flipped", "no MCAP", "another task"])
def test_bag_that_cannot_be_used_is_refused_in_one_sentence_and_nothing_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str, fault: str
) -> None:
    bag, policy = tmp_path / "bag", tmp_path / "policy.safetensors"
    policy.write_bytes(make_file().to_bytes())
    expected = {
        "missing": "there is no bag",
        "empty": "holds no transitions" if verb == "train" else "holds no state with the action that answered it",
        "cut": "was cut off in the middle",
        "flipped": "is damaged",
        "no MCAP": "has no MCAP file",
        "another task": "of the same task",
    }[fault]
    if fault == "no MCAP":
        bag.mkdir()
    elif fault == "empty":
        write_bag(bag, [])
    elif fault != "missing":
        if verb == "train":
            with_transitions(bag, 200, "0" * 64 if fault == "another task" else TASK.hash)
        else:
            with_answers(bag)
            other = make_task("inverted_double_pendulum").specification
            if fault == "another task":
                policy.write_bytes(make_file(specification=other).to_bytes())
        path = bag / "bag_0.mcap"
        data = bytearray(path.read_bytes())
        if fault == "cut":
            path.write_bytes(data[: len(data) // 2])
        if fault == "flipped":
            data[len(data) // 2] ^= 0x55
            path.write_bytes(data)
    runs = tmp_path / "runs"
    arguments = (
        ["train", "--from-bag", str(bag), "--runs-dir", str(runs), "--run", "new"]
        if verb == "train"
        else ["replay", str(bag), "--policy", str(policy)]
    )
    assert expected in refused(arguments, capsys)
    assert not runs.exists()


def test_bag_that_was_cut_off_is_used_where_that_is_asked_for(tmp_path: Path) -> None:
    bag, rows = with_transitions(tmp_path / "bag", 300)
    path = bag / "bag_0.mcap"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (bag / "metadata.yaml").unlink()
    found = read_transitions([bag], TASK.hash, "inverted_pendulum", accept_cut=True)
    assert 50 < len(found) < 250
    np.testing.assert_array_equal(found[-1].observation, rows[len(found) - 1].observation)


def test_algorithm_that_learns_from_its_own_actions_alone_refuses_bags(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag, _ = with_transitions(tmp_path / "bag", 3)
    error = refused(["train", "--from-bag", str(bag), "--algorithm", "trpo", "--runs-dir", str(tmp_path / "r")], capsys)
    assert "trpo learns from what its newest policy does alone" in error


def test_missing_package_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(bag_reader.PACKAGES, "no_such_package", "no-such-package")
    with pytest.raises(ConfigError, match="--bag needs mcap and .*pip install mcap mcap-ros2-support no-such-package"):
        plan_training(TrainingOptions(runs_dir=tmp_path, run="new", bag=True))
    assert not (tmp_path / "new").exists()


def test_bag_is_never_written_over(tmp_path: Path) -> None:
    write_bag(tmp_path / "bag", [])
    with pytest.raises(RunError, match="exists already"):
        write_bag(tmp_path / "bag", [])


# plans


def test_recorder_runs_beside_a_training_whose_simulator_waits_for_it(tmp_path: Path) -> None:
    plan = plan_training(TrainingOptions(runs_dir=tmp_path, run="new", bag=True))
    nodes = {node.executable: node for node in plan}
    assert list(nodes) == ["learner", "simulator", "policy", "recorder"]
    assert nodes["recorder"].parameters["directory"] == str(tmp_path / "new" / "bag")
    assert nodes["simulator"].parameters["await_recorder"] > 0
    (tmp_path / "new" / "bag").mkdir()
    (tmp_path / "new" / "bag" / "bag_0.mcap").touch()
    (tmp_path / "new" / "keep").touch()
    assert plan.run is not None
    assert plan.run.free_bag().name == "bag-2"
    plan_training(TrainingOptions(runs_dir=tmp_path, run="new", overwrite=True))
    assert not (tmp_path / "new" / "bag").exists()
    assert (tmp_path / "new" / "keep").exists()


def test_recorder_runs_beside_evaluation_and_robot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = tmp_path / "policy.safetensors"
    policy.write_bytes(make_file().to_bytes())
    monkeypatch.chdir(tmp_path)
    evaluation = plan_evaluation(EvaluationOptions(policy=str(policy), bag=True))
    robot = plan_deployment(DeploymentOptions(policy=str(policy), bag=True))
    for plan, run_id_expected in ((evaluation, True), (robot, False)):
        recorder = next(node for node in plan if node.executable == "recorder")
        assert Path(recorder.parameters["directory"]).parent == tmp_path
        assert bool(recorder.parameters["run_id"]) is run_id_expected


def test_third_party_reader_of_rosbag2_reads_our_bags(tmp_path: Path) -> None:
    highlevel = pytest.importorskip("rosbags.highlevel", reason="rosbags, an independent reader, is not installed")
    bag, rows = with_transitions(tmp_path / "bag", 20)
    with highlevel.AnyReader([bag]) as reader:
        found = [reader.deserialize(raw, connection.msgtype) for connection, _, raw in reader.messages()]
    assert [each.sequence for each in found[::2]] == [row.sequence for row in rows]
    np.testing.assert_array_equal(found[0].observation, rows[0].observation)


def test_messages_of_other_types_are_passed_over(tmp_path: Path) -> None:
    bag = with_answers(tmp_path / "bag")
    assert sum(1 for _ in messages(bag, {TRANSITION})) == 0
    shutil.move(bag, tmp_path / "moved")
    assert sum(1 for _ in messages(tmp_path / "moved", {TYPES[1]})) == 50
