"""Messages that are made once and filled again for each publication carry what new ones would."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sac_control.msg

from policies import RUN_ID
from sac_control.errors import TransitionError
from sac_control.nodes import messages, topics
from sac_control.types import MOST_DRIVEN, MOST_STATE, MOST_TERMS, Action, JointState, Origin, Transition


def state(seed: int, joints: int = 2) -> JointState:
    rng = np.random.default_rng(seed)
    return JointState(
        stamp=int(rng.integers(2**60)),
        names=tuple(f"joint_{seed}_{k}" for k in range(joints)),
        position=rng.normal(size=joints),
        velocity=rng.normal(size=joints),
        frame=f"frame {seed}",
    )


def action(seed: int) -> Action:
    rng = np.random.default_rng(seed)
    return Action(
        stamp=int(rng.integers(2**60)),
        policy_version=int(rng.integers(2**60)),
        action=rng.normal(size=2).astype(np.float32),
        command_raw=rng.normal(size=2),
        command=rng.normal(size=2),
    )


def transition(seed: int) -> Transition:
    rng = np.random.default_rng(seed)
    return Transition(
        source=int(rng.integers(2**60)),
        sequence=seed,
        episode=seed + 1,
        step=seed + 2,
        stamp=int(rng.integers(2**60)),
        policy_version=seed + 3,
        observation=rng.normal(size=5).astype(np.float32),
        action=rng.normal(size=1).astype(np.float32),
        reward=float(np.float32(rng.normal())),
        next_observation=rng.normal(size=5).astype(np.float32),
        terminated=bool(seed % 2),
        truncated=not seed % 2,
        state=rng.normal(size=4),
        action_raw=rng.normal(size=1).astype(np.float32),
        origin=Origin(seed % 3),
        duration=rng.random(),
    )


def test_message_filled_again_is_the_same_object_and_equal_to_a_new_one() -> None:
    question, answer, step = topics.JOINT_STATES.type(), topics.ACTION.type(), topics.TRANSITIONS.type()
    command, clock = topics.COMMANDS.type(), topics.CLOCK.type()
    for seed in range(4):
        assert messages.state_to_msg(state(seed, joints=seed), question) is question
        assert question == messages.state_to_msg(state(seed, joints=seed))
        assert messages.action_to_msg(action(seed), seed, answer) is answer
        assert answer == messages.action_to_msg(action(seed), seed)
        assert messages.transition_to_msg(transition(seed), step) is step
        assert step == messages.transition_to_msg(transition(seed))
        assert messages.command_to_msg(action(seed).command, command) is command
        assert command == messages.command_to_msg(action(seed).command)
        assert messages.clock_to_msg(action(seed).stamp, clock) is clock
        assert clock == messages.clock_to_msg(action(seed).stamp)


def test_every_value_comes_back_from_its_message_bit_by_bit() -> None:
    one, other, third = state(1), action(2), transition(3)
    pairs: list[tuple[Any, Any]] = [
        (one, messages.state_from_msg(messages.state_to_msg(one))),
        (other, messages.action_from_msg(messages.action_to_msg(other, mode=2))),
        (third, messages.transition_from_msg(messages.transition_to_msg(third))),
    ]
    for before, after in pairs:
        for name in type(before).__slots__:
            expected, got = getattr(before, name), getattr(after, name)
            np.testing.assert_array_equal(got, expected)
            assert getattr(got, "dtype", None) == getattr(expected, "dtype", None)


def test_credit_is_told_by_source() -> None:
    until = {2**63 - 1: 17, 3: 2**40}
    msg = messages.credit_to_msg(until, RUN_ID, started=5, stamp=7)
    assert messages.credit_from_msg(msg) == until
    assert (msg.run_id, msg.started.nanosec, msg.header.stamp.nanosec) == (RUN_ID, 5, 7)
    assert messages.credit_from_msg(messages.credit_to_msg({}, RUN_ID, 0, 0)) == {}


def test_transition_of_no_known_origin_is_refused_in_words() -> None:
    msg = messages.transition_to_msg(transition(1))
    msg.origin = 3
    with pytest.raises(TransitionError, match="origin is 3: expected one of 0, 1, 2"):
        messages.transition_from_msg(msg)


def test_transition_of_a_robot_that_differs_in_more_words_than_any_is_refused() -> None:
    msg = messages.transition_to_msg(transition(1))
    msg.variation = "mass(arm) 2; " * 400
    with pytest.raises(TransitionError, match="variation has 5200 letters: expected at most 4096"):
        messages.transition_from_msg(msg)


def test_bounds_of_messages_are_those_that_specifications_are_checked_by() -> None:
    types = {
        name: kind
        for msg in (topics.TRANSITIONS.type, topics.ACTION.type, topics.POLICY_STATUS.type, sac_control.msg.Observation)
        for name, kind in msg.get_fields_and_field_types().items()
    }
    assert types["observation"] == types["next_observation"] == types["values"] == f"sequence<float, {MOST_TERMS}>"
    assert types["action"] == f"sequence<float, {MOST_DRIVEN}>"
    assert types["state"] == f"sequence<double, {MOST_STATE}>"


def test_every_message_of_ours_names_its_run() -> None:
    ours = [
        topics.TRANSITIONS,
        topics.ACTION,
        topics.POLICY_STATUS,
        topics.WEIGHTS,
        topics.TRAINING_STATUS,
        topics.CREDIT,
    ]
    for msg in [*(topic.type for topic in ours), sac_control.msg.Observation]:
        assert msg.get_fields_and_field_types()["run_id"] == "string<32>"
