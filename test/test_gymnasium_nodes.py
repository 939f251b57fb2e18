"""An environment without joints between the nodes: its observation goes out, actions come back, as for a robot."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from std_srvs.srv import SetBool, Trigger

from policies import OTHER_RUN_ID, RUN_ID, make_file, make_weights
from ros_world import RosWorld
from sac_control.errors import ConfigError, NeighbourError
from sac_control.nodes import messages, topics
from sac_control.nodes.policy import PolicyNode
from sac_control.nodes.simulator import SimulatorNode
from sac_control.tasks.catalogue import make_task
from sac_control.types import Observation

TASK = "gymnasium/Pendulum-v1"
SPECIFICATION = make_task(TASK).specification
FRAME = f"{RUN_ID}/{SPECIFICATION.hash}"
RELIABLE = {f"qos_overrides./{topic}.subscription.reliability": "reliable" for topic in ("joint_states", "observation")}
SIMULATOR: dict[str, object] = {"task": TASK, "run_id": RUN_ID, "flow_control": False, "max_episode_steps": 20}
POLICY: dict[str, object] = {"task": TASK, "run_id": RUN_ID, "lockstep": True, **RELIABLE}


@pytest.fixture
def ros(tmp_path: Path) -> Iterator[RosWorld]:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(make_file(specification=SPECIFICATION).to_bytes())
    with RosWorld(simulator=SIMULATOR, policy={**POLICY, "policy_file": str(path)}) as ros:
        yield ros


def test_message_is_the_observation_and_says_for_whom_it_is() -> None:
    observation = Observation(stamp=1_500_000_007, values=np.array([0.1, -2.0], np.float32), frame=FRAME)
    msg = messages.observation_to_msg(observation)
    assert (msg.run_id, msg.specification_hash) == (RUN_ID, SPECIFICATION.hash)
    back = messages.observation_from_msg(msg)
    assert (back.stamp, back.frame) == (observation.stamp, FRAME)
    np.testing.assert_array_equal(back.values, observation.values)
    assert back.values.dtype == np.float32


def test_observations_are_answered_and_no_joint_state_is_sent(ros: RosWorld) -> None:
    shown, states = ros.hear(topics.OBSERVATION), ros.hear(topics.JOINT_STATES)
    actions, transitions = ros.hear(topics.ACTION), ros.hear(topics.TRANSITIONS)
    statuses = ros.hear(topics.POLICY_STATUS)
    ros.add(SimulatorNode)
    ros.add(PolicyNode)
    ros.until(lambda: len(transitions) > 50, "no transitions")
    assert not states
    assert {(msg.run_id, msg.specification_hash) for msg in (*shown, *actions)} == {(RUN_ID, SPECIFICATION.hash)}
    assert set(actions[0].interface) == {topics.ACTION.type.INTERFACE_ACTION}
    taken = [messages.transition_from_msg(msg) for msg in transitions]
    assert [each.sequence for each in taken] == list(range(len(taken)))
    assert {each.episode for each in taken[:41]} == {0, 1, 2}
    assert all(len(each.state) == 0 for each in taken)
    seen = {messages.stamp_from_msg(msg.header.stamp): list(msg.values) for msg in shown}
    heard = [each for each in taken if each.stamp in seen]  # whoever only listens may miss some
    assert len(heard) > 5
    assert all(seen[each.stamp] == each.observation.tolist() for each in heard)
    assert all(each.truncated is (each.step == 19) for each in taken)
    ros.until(lambda: statuses and statuses[-1].ticks > 50, "no status")
    assert list(statuses[-1].joints) == ["action[0]"]
    assert statuses[-1].rejected_states == statuses[-1].foreign_states == 0


def test_newer_weights_take_over_between_two_observations(ros: RosWorld) -> None:
    transitions = ros.hear(topics.TRANSITIONS)
    ros.add(SimulatorNode)
    ros.add(PolicyNode)
    ros.until(lambda: len(transitions) > 10, "no transitions")
    assert {msg.policy_version for msg in transitions} == {1}
    weights = make_weights(make_file(2, version=2, specification=SPECIFICATION))
    ros.publisher(topics.WEIGHTS).publish(messages.weights_to_msg(weights, 0))
    ros.until(lambda: transitions[-1].policy_version == 2, "the weights were not taken")
    versions = [msg.policy_version for msg in transitions]
    assert versions == sorted(versions)
    assert [msg.sequence for msg in transitions] == list(range(len(transitions)))


def test_episode_is_abandoned_and_time_stands_still_on_request(ros: RosWorld) -> None:
    transitions = ros.hear(topics.TRANSITIONS)
    ros.add(SimulatorNode)
    ros.add(PolicyNode)
    ros.until(lambda: transitions, "no transitions")
    assert ros.call(SetBool, topics.SIMULATOR_PAUSE, SetBool.Request(data=True)).success
    ros.spin_for(0.3)
    count = len(transitions)
    ros.spin_for(0.3)
    assert len(transitions) == count
    assert ros.call(Trigger, topics.SIMULATOR_RESET, Trigger.Request()).success
    assert ros.call(SetBool, topics.SIMULATOR_PAUSE, SetBool.Request(data=False)).success
    ros.until(lambda: len(transitions) > count + 1, "it did not go on")
    assert transitions[count].step == 0, "another episode began"


def test_what_cannot_be_used_is_rejected_and_told(ros: RosWorld) -> None:
    statuses, actions = ros.hear(topics.POLICY_STATUS), ros.hear(topics.ACTION)
    ros.add(PolicyNode)
    publisher = topics.publisher(ros.peer("simulator"), topics.OBSERVATION)
    ros.until(publisher.get_subscription_count, "nobody subscribes to observation")
    good = Observation(stamp=1, values=np.zeros(3, np.float32), frame=FRAME)

    def tell(observation: Observation, field: str, sentence: str) -> None:
        before = getattr(statuses[-1], field)
        publisher.publish(messages.observation_to_msg(observation))
        ros.until(lambda: getattr(statuses[-1], field) > before, f"{field} did not grow")
        assert sentence in statuses[-1].last_rejection

    ros.until(lambda: statuses, "no status")
    publisher.publish(messages.observation_to_msg(good))
    ros.until(lambda: actions, "no answer")
    short = dataclasses.replace(good, stamp=2, values=np.zeros(2, np.float32))
    tell(short, "rejected_states", "observation has 2 numbers, [0.0, 0.0]: expected 3 finite ones")
    broken = dataclasses.replace(good, stamp=3, values=np.array([0.0, np.nan, 0.0], np.float32))
    tell(broken, "rejected_states", "observation has 3 numbers, [0.0, nan, 0.0]: expected 3 finite ones")
    stranger = dataclasses.replace(good, stamp=4, frame=f"{OTHER_RUN_ID}/{SPECIFICATION.hash}")
    tell(stranger, "foreign_states", f"observations are of run {OTHER_RUN_ID[:8]}, this node belongs to run")
    assert len(actions) == 1


def test_stranger_that_shows_observations_ends_the_policy_node_of_a_run(ros: RosWorld) -> None:
    ros.add(PolicyNode)
    topics.publisher(ros.probe, topics.OBSERVATION)
    with pytest.raises(NeighbourError, match="/probe publishes /observation and is not of this run"):
        ros.spin_for(30.0)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"mode": "realtime", "run_id": ""}, "stands in for a robot, and gymnasium/Pendulum-v1 is none"),
        ({"engine": "mujoco"}, "engine 'mujoco' was chosen for gymnasium/Pendulum-v1, which simulates itself"),
        ({"task": "gymnasium/Pendulum-v9"}, "is not registered with Gymnasium; did you mean Pendulum-v1?"),
    ],
)
def test_simulator_refuses_what_makes_no_sense(values: dict[str, Any], sentence: str) -> None:
    with RosWorld(simulator={**SIMULATOR, **values}), pytest.raises(ConfigError) as caught:
        SimulatorNode()
    assert sentence in str(caught.value)
