from __future__ import annotations

import dataclasses
import functools
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from std_srvs.srv import Trigger

from policies import OTHER_RUN_ID, RUN_ID
from ros_world import RosWorld
from sac_control.errors import ConfigError, RunError
from sac_control.nodes import messages, topics
from sac_control.nodes.learner import LearnerNode
from sac_control.policy.policy_file import PolicyFile
from sac_control.tasks.catalogue import make_task
from sac_control.types import Float32Array, Transition
from wire import transition_msg

SOURCE = 42
OBSERVATION = np.array([0.0, 0.0, 1.0, 0.0, 0.0], np.float32)


def transition(sequence: int, *, source: int = SOURCE, observation: Float32Array = OBSERVATION) -> Transition:
    return Transition(
        source=source,
        sequence=sequence,
        episode=sequence // 10,
        step=sequence % 10,
        stamp=sequence + 1,
        policy_version=1,
        observation=observation,
        action=np.array([math.sin(sequence)], np.float32),
        reward=1.0,
        next_observation=OBSERVATION + np.float32(0.01 * math.cos(sequence)),
        terminated=sequence % 10 == 9,
        truncated=False,
    )


def learner(tmp_path: Path, **more: object) -> dict[str, object]:
    return {
        "run_directory": str(tmp_path / "run"),
        "evaluation_every": 0,
        "warmup_steps": 20,
        "batch_size": 16,
        "hidden_sizes": [8],
        "replay_ratio": 2.0,
        **more,
    }


def send(publisher: Any, value: Transition) -> None:
    publisher.publish(transition_msg(value))


def test_weights_are_published_from_the_start_and_again_after_updates(tmp_path: Path) -> None:
    with RosWorld(learner=learner(tmp_path, publish_every=10)) as ros:
        heard, statuses = ros.hear(topics.WEIGHTS), ros.hear(topics.TRAINING_STATUS)
        node = ros.add(LearnerNode)
        transitions = ros.publisher(topics.TRANSITIONS)
        ros.until(lambda: heard, "no weights at the start")
        for count in range(1, 41):  # one at a time, so that no more than 2 updates are owed at once
            send(transitions, transition(count - 1))
            ros.until(lambda count=count: node._run.status().env_steps == count, "not taken")  # type: ignore[misc]
        ros.until(lambda: statuses and statuses[-1].updates == 40, "not 2 updates for each of 20 transitions")
        # one at the start, one after each 10 of 40 updates
        ros.until(lambda: heard[-1].version >= 5, "the last weights do not come")
        versions = [msg.version for msg in heard]
        assert (versions[0], versions[-1]) == (1, 5)
        assert sorted(versions) == versions
        status = statuses[-1]
        assert (status.run_id, status.run, status.algorithm) == (RUN_ID, "run", "sac")
        told = dict(zip(status.metric_names, status.metrics, strict=True))
        assert told["critic_loss"] == status.critic_loss
        for msg in heard:
            assert msg.run_id == RUN_ID
            assert abs(messages.stamp_from_msg(msg.header.stamp) - time.time_ns()) < 600 * 10**9
            weights = messages.weights_from_msg(msg)
            assert PolicyFile.from_bytes(weights.data).policy_version == weights.version


def test_a_bad_transition_is_left_out_counted_and_told_once_per_second(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with RosWorld(learner=learner(tmp_path)) as ros:
        statuses = ros.hear(topics.TRAINING_STATUS)
        ros.add(LearnerNode)
        transitions = ros.publisher(topics.TRANSITIONS)
        broken = OBSERVATION.copy()
        broken[2] = math.nan
        started = time.monotonic()
        for sequence in range(0, 20, 2):
            send(transitions, transition(sequence, observation=broken))
            send(transitions, transition(sequence + 1, observation=OBSERVATION[:3]))
        send(transitions, transition(20))
        ros.until(lambda: statuses and statuses[-1].rejected_transitions == 20, "20 were not counted")
        ros.until(lambda: statuses[-1].env_steps == 1, "the good one was not taken")
        assert statuses[-1].buffer_size == 1
        elapsed = time.monotonic() - started
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("rejected a transition")]
    assert 1 <= len(said) <= 1 + elapsed


def test_duplicates_and_gaps_are_counted_and_nothing_is_taken_twice(tmp_path: Path) -> None:
    with RosWorld(learner=learner(tmp_path)) as ros:
        statuses = ros.hear(topics.TRAINING_STATUS)
        ros.add(LearnerNode)
        transitions = ros.publisher(topics.TRANSITIONS)
        for sequence in (0, 1, 1, 2, 5, 5, 0):
            send(transitions, transition(sequence))
        ros.until(lambda: statuses and statuses[-1].env_steps == 4, "not the four that differ")
        ros.until(lambda: statuses[-1].duplicate_transitions == 3, "duplicates")
        assert statuses[-1].missing_transitions == 2


def test_credit_follows_the_source_heard_last_and_stays_within_run_ahead(tmp_path: Path) -> None:
    with RosWorld(learner=learner(tmp_path, run_ahead=4)) as ros:
        credit = ros.hear(topics.CREDIT)
        ros.add(LearnerNode)
        transitions = ros.publisher(topics.TRANSITIONS)

        def is_told(source: int, until: int) -> bool:
            return bool(credit) and messages.credit_from_msg(credit[-1]) == {source: until}

        send(transitions, transition(100))
        ros.until(lambda: is_told(SOURCE, 105), "credit is not the next number plus run_ahead")
        send(transitions, transition(0, source=SOURCE + 1))
        ros.until(lambda: is_told(SOURCE + 1, 5), "credit does not follow the new source")


def test_credit_asks_for_no_transition_beyond_max_steps_and_the_node_ends_there(tmp_path: Path) -> None:
    with RosWorld(learner=learner(tmp_path, run_ahead=8, max_steps=30)) as ros:
        credit = ros.hear(topics.CREDIT)
        node = ros.add(LearnerNode)
        transitions = ros.publisher(topics.TRANSITIONS)
        for sequence in range(30):
            send(transitions, transition(sequence))
        ros.until(lambda: node.is_done, "does not end")
        assert max(until for msg in credit for until in msg.until) == 30
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert (summary["env_steps"], summary["updates"], summary["solved"]) == (30, 20, False)


def test_save_writes_a_checkpoint_and_resume_goes_on_from_it(tmp_path: Path) -> None:
    with RosWorld(learner=learner(tmp_path)) as ros:
        statuses = ros.hear(topics.TRAINING_STATUS)
        ros.add(LearnerNode)
        transitions = ros.publisher(topics.TRANSITIONS)
        for sequence in range(40):
            send(transitions, transition(sequence))
        ros.until(lambda: statuses and statuses[-1].updates == 40, "updates")
        response = ros.call(Trigger, topics.LEARNER_SAVE, Trigger.Request())
        assert response.message.endswith("checkpoints/40")
        version = statuses[-1].policy_version
    with RosWorld(learner=learner(tmp_path, resume=True)) as ros:
        statuses, weights = ros.hear(topics.TRAINING_STATUS), ros.hear(topics.WEIGHTS)
        ros.add(LearnerNode)
        ros.until(lambda: statuses and weights, "no status")
        assert (statuses[0].env_steps, statuses[0].updates, statuses[0].buffer_size) == (40, 40, 40)
        assert weights[0].version > version
        transitions = ros.publisher(topics.TRANSITIONS)
        send(transitions, transition(40))
        ros.until(lambda: statuses[-1].updates == 42, "does not go on")


def test_versions_of_another_run_at_the_policy_node_do_not_move_those_of_this_one(tmp_path: Path) -> None:
    with RosWorld(learner=learner(tmp_path)) as ros:
        weights = ros.hear(topics.WEIGHTS)
        node = ros.add(LearnerNode)
        policy = ros.publisher(topics.POLICY_STATUS)
        ros.until(lambda: weights, "no weights")
        status = functools.partial(topics.POLICY_STATUS.type, run="run")
        policy.publish(status(policy_run_id=RUN_ID, policy_version=900))  # a robot runs it
        ros.spin_for(0.1)  # the queue holds one: the next would take its place unheard
        policy.publish(status(run_id=OTHER_RUN_ID, policy_run_id=OTHER_RUN_ID, policy_version=700))
        ros.spin_for(0.1)
        policy.publish(status(run_id=RUN_ID, policy_run_id=OTHER_RUN_ID, policy_version=500, rejected_weights=3))
        ros.until(lambda: node._rejected_weights == 3, "not heard")
        policy.publish(status(run_id=RUN_ID, policy_run_id=RUN_ID, policy_version=70))
        ros.until(lambda: weights[-1].version > 1, "an earlier life of this run is not heeded")
        assert weights[-1].version == 71


def test_a_run_is_not_trained_over_and_resume_does_not_begin_afresh(tmp_path: Path) -> None:
    with RosWorld(learner=learner(tmp_path, resume=True)) as ros, pytest.raises(RunError, match="there is no run"):
        ros.add(LearnerNode)
    assert not (tmp_path / "run").exists(), "a run that is refused leaves nothing behind"
    with RosWorld(learner=learner(tmp_path)) as ros:
        ros.add(LearnerNode)
    with RosWorld(learner=learner(tmp_path)) as ros, pytest.raises(RunError, match=r"learner\.resume"):
        ros.add(LearnerNode)


def test_a_bad_parameter_is_refused_with_what_is_allowed(tmp_path: Path) -> None:
    bad = {"batchsize": "did you mean batch_size", "gamma": "from 0 to 1", "device": "one of auto, cpu, cuda"}
    for name, sentence in bad.items():
        with RosWorld(learner=learner(tmp_path, **{name: 7})) as ros, pytest.raises(ConfigError) as caught:
            ros.add(LearnerNode)
        assert sentence in str(caught.value) or "expected text" in str(caught.value)


def test_messages_carry_values_there_and_back() -> None:
    value = dataclasses.replace(transition(13), episode=3, step=4, truncated=True)
    back = messages.transition_from_msg(messages.transition_to_msg(value))
    for field in dataclasses.fields(Transition):
        np.testing.assert_array_equal(getattr(back, field.name), getattr(value, field.name))


def test_transitions_of_another_run_and_of_another_task_are_left_out_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Balance and swing-up have the same joints and sizes: nothing but the task's hash tells them apart."""
    swingup = make_task("inverted_pendulum_swingup").hash
    with RosWorld(learner=learner(tmp_path)) as ros:
        statuses = ros.hear(topics.TRAINING_STATUS)
        ros.add(LearnerNode)
        transitions = ros.publisher(topics.TRANSITIONS)
        for strange in ({"run_id": OTHER_RUN_ID}, {"run_id": ""}, {"task_hash": swingup}, {"task_hash": ""}):
            count = statuses[-1].foreign_transitions if statuses else 0
            transitions.publish(transition_msg(transition(0), **strange))
            ros.until(lambda count=count: statuses and statuses[-1].foreign_transitions > count, "not counted")  # type: ignore[misc]
        assert (statuses[-1].env_steps, statuses[-1].foreign_transitions) == (0, 4)
        send(transitions, transition(0))
        ros.until(lambda: statuses[-1].env_steps == 1, "the run's own is not taken")
    assert "rejected a transition of run fedcba98: this learner belongs to run 01234567" in capsys.readouterr().out
