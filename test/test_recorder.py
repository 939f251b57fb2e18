"""Bags: complete, in the form that `ros2 bag` has, and readable after a crash."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml

from node_processes import NodeProcess
from policies import RUN_ID, make_file
from ros_world import RosWorld
from sac_control.bags.bag_reader import messages
from sac_control.bags.recorded_transitions import TRANSITION, read_transitions
from sac_control.errors import RunError
from sac_control.nodes import messages as ros_messages
from sac_control.nodes import topics
from sac_control.tasks.catalogue import make_task

TASK = make_task("inverted_pendulum")
LOCKSTEP: dict[str, object] = {
    "run_id": RUN_ID,
    "lockstep": True,
    "qos_overrides./joint_states.subscription.reliability": "reliable",
}


@pytest.fixture
def ros() -> Iterator[RosWorld]:
    with RosWorld() as ros:
        yield ros


def test_bag_is_complete_from_the_first_state_and_its_answer_and_reads_as_live(ros: RosWorld, tmp_path: Path) -> None:
    policy, bag = tmp_path / "policy.safetensors", tmp_path / "bag"
    policy.write_bytes(make_file().to_bytes())
    live = ros.hear(topics.TRANSITIONS)
    with (
        NodeProcess(ros, "policy", **{**LOCKSTEP, "policy_file": str(policy)}),
        NodeProcess(
            ros,
            "simulator",
            run_id=RUN_ID,
            engine="mujoco",
            flow_control=False,
            await_recorder=60.0,
            max_episode_steps=7,
        ) as simulator,
    ):
        ros.spin_for(1.0)
        assert not live  # it waits
        with NodeProcess(ros, "recorder", directory=str(bag), run_id=RUN_ID) as recorder:
            ros.until(lambda: len(live) > 200, "no transitions")
            simulator.stop()
            recorder.stop()
    recorded = read_transitions([bag], TASK.hash, "inverted_pendulum")
    assert [each.sequence for each in recorded] == list(range(len(recorded)))
    assert len(recorded) > live[-1].sequence
    for msg in live:  # which may begin later: the recorder alone is awaited
        expected, row = ros_messages.transition_from_msg(msg), recorded[msg.sequence]
        for name in expected.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(row, name), getattr(expected, name), strict=True)
    check_form(bag)
    stamps = [
        [(stamp.sec, stamp.nanosec) for each in messages(bag, {kind}) for stamp in [each.message.header.stamp]]
        for kind in ("sensor_msgs/msg/JointState", "sac_control/msg/PolicyAction")
    ]
    assert stamps[0][0] == stamps[1][0]
    assert len(stamps[1]) >= len(recorded)


def check_form(bag: Path) -> None:
    """What `ros2 bag` expects beside the file."""
    content = yaml.safe_load((bag / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    assert (content["version"], content["storage_identifier"]) == (9, "mcap")
    assert content["relative_file_paths"] == ["bag_0.mcap"]
    counted = {each["topic_metadata"]["name"]: each["message_count"] for each in content["topics_with_message_count"]}
    assert sum(counted.values()) == content["message_count"]
    assert counted["/transitions"] == sum(1 for _ in messages(bag, {TRANSITION}))
    hashes = {each["topic_metadata"]["type_description_hash"][:7] for each in content["topics_with_message_count"]}
    assert hashes == {"RIHS01_"}


def test_bag_of_a_recorder_that_was_killed_is_read_up_to_there(ros: RosWorld, tmp_path: Path) -> None:
    bag = tmp_path / "bag"
    with NodeProcess(ros, "recorder", directory=str(bag)) as recorder:
        publisher = ros.publisher(topics.TRANSITIONS)
        row = np.zeros(5, np.float32)
        msg = topics.TRANSITIONS.type(
            run_id=RUN_ID, task_hash=TASK.hash, observation=row, next_observation=row, action=row[:1], source=1
        )
        for k in range(500):
            msg.sequence = k
            publisher.publish(msg)
        ros.spin_for(1.5)
        recorder.send(signal.SIGKILL)
    with pytest.raises(RunError, match=r"cut off in the middle.*\d+ messages.*give --accept-cut"):
        read_transitions([bag], TASK.hash, "inverted_pendulum")
    rows = read_transitions([bag], TASK.hash, "inverted_pendulum", accept_cut=True)
    assert [each.sequence for each in rows] == list(range(len(rows)))
    assert len(rows) > 450  # all but the newest chunk
