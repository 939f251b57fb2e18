"""The replay buffer keeps exactly the newest transitions, refuses bad ones, and samples them evenly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sac_control.algorithms.replay_buffer import ReplayBuffer
from sac_control.errors import TransitionError
from sac_control.types import Transition


def transition(number: int = 0, **changes: Any) -> Transition:
    values: dict[str, Any] = {
        "source": 7,
        "sequence": number,
        "episode": 0,
        "step": number,
        "stamp": number,
        "policy_version": 1,
        "observation": np.array([number, 0.5], np.float32),
        "action": np.array([0.25], np.float32),
        "reward": float(number),
        "next_observation": np.array([number + 1, 0.5], np.float32),
        "terminated": number % 5 == 4,
        "truncated": number % 5 == 3,
    }
    return Transition(**(values | changes))


def buffer(capacity: int = 100, seed: int = 0, mirror: list[float] | None = None) -> ReplayBuffer:
    signs = None if mirror is None else np.array(mirror, np.float32)
    return ReplayBuffer(capacity=capacity, observation_size=2, action_size=1, seed=seed, mirror=signs)


@given(capacity=st.integers(1, 12), count=st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_ring_holds_the_newest_transitions_in_order(capacity: int, count: int) -> None:
    replay = buffer(capacity)
    for number in range(count):
        replay.add(transition(number))
    kept = list(range(max(0, count - capacity), count))
    assert len(replay) == len(kept)
    rows = replay.rows(count - len(kept), count)
    assert rows[:, 0].tolist() == kept
    assert rows[:, 3].tolist() == kept  # reward
    assert rows[:, 4].tolist() == [number + 1 for number in kept]
    assert rows[:, -1].tolist() == [number % 5 == 4 for number in kept]


def test_a_batch_holds_each_field_of_a_transition_and_counts_truncation_as_no_end() -> None:
    for number in (3, 4):  # truncated, terminated
        replay = buffer()
        replay.add(transition(number))
        batch = replay.sample(1)
        assert batch.observation.tolist() == [[[number, 0.5]]]
        assert batch.action.tolist() == [[[0.25]]]
        assert batch.reward.tolist() == [[number]]
        assert batch.next_observation.tolist() == [[[number + 1, 0.5]]]
        assert batch.terminated.tolist() == [[number == 4]]
        assert batch.terminated.dtype == np.bool_


def test_sampling_is_uniform_over_a_full_ring() -> None:
    replay = buffer(10)
    for number in range(25):
        replay.add(transition(number))
    batch = replay.sample(50_000)
    counts = np.bincount(batch.reward[0].astype(int) - 15, minlength=10)
    chi_square = ((counts - 5000.0) ** 2 / 5000.0).sum()
    assert chi_square < 27.9  # 99.9 % of uniform samples, 9 degrees of freedom


def test_batches_drawn_together_equal_batches_drawn_one_by_one() -> None:
    together, apart = buffer(seed=3), buffer(seed=3)
    for number in range(20):
        together.add(transition(number))
        apart.add(transition(number))
    drawn = together.sample(8, 5)
    assert drawn.reward.shape == (5, 8)
    np.testing.assert_array_equal(drawn.reward, np.concatenate([apart.sample(8).reward for _ in range(5)]))


def test_batches_drawn_together_differ() -> None:
    """skrl PR #208: each update has a batch of its own."""
    replay = buffer()
    for number in range(100):
        replay.add(transition(number))
    first, second = replay.sample(32, 2).reward
    assert not np.array_equal(first, second)


def test_samples_are_of_the_transitions_and_their_mirror_images_alike() -> None:
    replay = buffer(10, mirror=[-1.0, 1.0])
    for number in range(1, 5):  # 4 is terminated
        replay.add(transition(number))
    batch = replay.sample(40_000, 1)
    seen = np.rint(np.sign(batch.observation[0, :, 0]) * batch.reward[0]).astype(int)
    counts = {int(value): int((seen == value).sum()) for value in np.unique(seen)}
    assert sorted(counts) == [-4, -3, -2, -1, 1, 2, 3, 4]
    assert sum((count - 5000.0) ** 2 / 5000.0 for count in counts.values()) < 24.3  # 99.9 %, 7 degrees of freedom
    sign = np.sign(seen)
    number = np.abs(seen)
    np.testing.assert_array_equal(batch.observation[0], np.stack([sign * number, np.full(40_000, 0.5)], 1))
    np.testing.assert_array_equal(batch.next_observation[0], np.stack([sign * (number + 1), np.full(40_000, 0.5)], 1))
    np.testing.assert_array_equal(batch.action[0, :, 0], 0.25 * sign)
    np.testing.assert_array_equal(batch.reward[0], number)
    np.testing.assert_array_equal(batch.terminated[0], number == 4)


def test_sampling_mirror_images_leaves_the_transitions_as_they_are() -> None:
    replay = buffer(10, mirror=[-1.0, -1.0])
    for number in range(4):
        replay.add(transition(number))
    before = replay.rows(0, 4)
    replay.sample(64, 4)
    np.testing.assert_array_equal(replay.rows(0, 4), before)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"observation": np.zeros(3, np.float32)}, r"observation .* shape \(3,\), expected \(2,\)"),
        ({"action": np.zeros((1, 1), np.float32)}, r"action .* expected \(1,\)"),
        ({"next_observation": np.zeros(1, np.float32)}, r"next_observation .* expected \(2,\)"),
        ({"observation": np.array([np.nan, 0], np.float32)}, "not finite"),
        ({"next_observation": np.array([np.inf, 0], np.float32)}, "not finite"),
        ({"reward": float("nan")}, "not finite"),
        ({"reward": 1e300}, "not finite"),  # infinite as float32
        ({"action": np.array([np.nan], np.float32)}, "not finite"),
        ({"action": np.array([100.0], np.float32)}, "normalised"),
    ],
)
def test_a_bad_transition_is_refused_and_leaves_no_trace(changes: dict[str, Any], words: str) -> None:
    replay = buffer()
    replay.add(transition(0))
    with pytest.raises(TransitionError, match=words):
        replay.add(transition(1, **changes))
    assert replay.added == 1
    assert replay.rows(0, 1)[0, 0] == 0.0


@given(capacity=st.integers(1, 12), count=st.integers(0, 40))
@settings(max_examples=40, deadline=None)
def test_restored_rows_are_sampled_as_if_nothing_had_happened(capacity: int, count: int) -> None:
    replay, restored = buffer(capacity, seed=1), buffer(capacity, seed=1)
    for number in range(count):
        replay.add(transition(number))
    restored.restore(replay.rows(count - len(replay), count), count)
    for number in (count, count + 1):
        replay.add(transition(number))
        restored.add(transition(number))
    np.testing.assert_array_equal(replay.sample(16).reward, restored.sample(16).reward)


def test_restoring_foreign_or_too_few_rows_is_refused() -> None:
    with pytest.raises(TransitionError, match="another task"):
        buffer().restore(np.zeros((5, 9), np.float32), 5)
    with pytest.raises(TransitionError, match="4 saved transitions were found, expected 5"):
        buffer().restore(np.zeros((4, 7), np.float32), 5)


def test_asking_for_rows_that_are_gone_is_an_error() -> None:
    replay = buffer(3)
    for number in range(5):
        replay.add(transition(number))
    with pytest.raises(ValueError, match="holds 2 to 5"):
        replay.rows(0, 5)


def test_an_empty_buffer_cannot_be_sampled() -> None:
    with pytest.raises(ValueError, match="add a transition"):
        buffer().sample(4)


def test_a_stored_transition_does_not_follow_later_changes_of_its_arrays() -> None:
    replay, given = buffer(), transition(2)
    replay.add(given)
    given.observation[:] = 99.0
    assert replay.rows(0, 1)[0, 0] == 2.0
