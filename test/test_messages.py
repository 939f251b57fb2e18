"""Messages that are made once and filled again for each publication carry what new ones would."""

from __future__ import annotations

from typing import Any

import numpy as np

from sac_control.nodes import messages, topics
from sac_control.types import Action, JointState, Transition


def state(seed: int, joints: int = 2) -> JointState:
    rng = np.random.default_rng(seed)
    return JointState(
        stamp=int(rng.integers(2**60)),
        names=tuple(f"joint_{seed}_{k}" for k in range(joints)),
        position=rng.normal(size=joints),
        velocity=rng.normal(size=joints),
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
        assert messages.effort_to_msg(action(seed).command, command) is command
        assert command == messages.effort_to_msg(action(seed).command)
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
