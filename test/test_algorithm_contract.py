"""What every algorithm promises, whoever wrote it: each one that is registered is held to it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from sac_control.algorithms.algorithm import Algorithm, State, Use
from sac_control.algorithms.catalogue import algorithms, settings_of
from sac_control.errors import RunError, TransitionError
from sac_control.policy.policy import Policy
from sac_control.store.columns import RATES, RETURNS
from sac_control.training.learner_config import LearnerConfig, learner_config
from sac_control.types import Transition

SIZES = {"observation_size": 3, "action_size": 2}
SMALL = {
    "hidden_sizes": [8],
    "batch_size": 16,
    "value_minibatch_size": 8,
    "warmup_steps": 10,
    "replay_ratio": 1.0,
    "publish_every": 4,
}
NEEDS_TORCH = {"sac_v1", "trpo"}
NAMES = [pytest.param(name, marks=pytest.mark.needs("torch") if name in NEEDS_TORCH else ()) for name in algorithms()]
pytestmark = pytest.mark.parametrize("name", NAMES)


def config_of(name: str) -> LearnerConfig:
    known = settings_of(name).types()
    return learner_config(algorithm=name, **{key: value for key, value in SMALL.items() if key in known})


def make(name: str, seed: int = 3) -> Algorithm:
    return config_of(name).make(**SIZES, mirror=None, seed=seed)


def transition(number: int, **changes: Any) -> Transition:
    random = np.random.default_rng(number)
    observation, after = (np.random.default_rng(n).normal(size=3).astype(np.float32) for n in (number, number + 1))
    action = random.uniform(-1, 1, 2).astype(np.float32)
    values: dict[str, Any] = {
        "source": 1, "sequence": number, "episode": number // 10, "step": number % 10, "stamp": number,
        "policy_version": 0, "observation": observation, "action": action, "action_raw": action,
        "reward": float(random.normal()), "next_observation": after,
        "terminated": number % 20 == 9, "truncated": number % 20 == 19,
    }  # fmt: skip
    return Transition(**(values | changes))


class Driver:
    """Does what a training does: accepts, updates, publishes."""

    def __init__(self, algorithm: Algorithm) -> None:
        self.algorithm, self.version, self.taken = algorithm, 1, 0
        self.actor = algorithm.publish(1)

    def take(self, count: int) -> None:
        for number in range(self.taken, self.taken + count):
            use = self.algorithm.accept(transition(number, policy_version=self.version))
            assert use is Use.LEARNT
            while self.algorithm.updates_owed:
                self.algorithm.update(self.algorithm.updates_owed)
                if self.algorithm.is_publication_due:
                    self.version += 1
                    self.actor = self.algorithm.publish(self.version)
        self.taken += count


def same(first: State, second: State) -> bool:
    return first.numbers == second.numbers and all(
        np.array_equal(first.arrays[name], second.arrays[name], equal_nan=True) for name in first.arrays
    )


def through_json(state: State) -> tuple[dict[str, Any], dict[str, Any]]:
    return state.arrays, json.loads(json.dumps(state.numbers))


def until_update(driver: Driver) -> Iterator[int]:
    """Transitions one by one until an update was made."""
    for number in range(5000):
        if driver.algorithm.updates:
            return
        driver.take(1)
        yield number
    raise AssertionError("no update after 5,000 transitions")


def test_it_asks_for_transitions_or_owes_updates_and_never_neither(name: str) -> None:
    algorithm = make(name)
    for number in range(200):
        assert algorithm.welcome >= 0
        assert algorithm.welcome > 0 or algorithm.updates_owed, "it would wait for ever"
        algorithm.accept(transition(number))
        algorithm.update(algorithm.updates_owed)
        if algorithm.is_publication_due:
            algorithm.publish(0)
    assert algorithm.updates > 0
    assert algorithm.kept <= 200


def test_what_it_tells_has_the_names_that_it_announced_and_is_finite(name: str) -> None:
    driver = Driver(make(name))
    names = driver.algorithm.metric_names
    assert driver.algorithm.metrics() == {}, "before the first update"
    assert len(set(names)) == len(names) <= 32
    assert all(each.isidentifier() and len(each) <= 32 for each in names)
    assert not set(names) & {*RETURNS, *RATES, "env_steps"}, "columns of metrics.csv that mean something else"
    list(until_update(driver))
    metrics = driver.algorithm.metrics()
    assert metrics
    assert set(metrics) <= set(names)
    assert all(map(math.isfinite, metrics.values()))


def test_its_actor_runs_on_a_robot_and_changes_by_updates_alone(name: str) -> None:
    driver = Driver(make(name))
    observation = np.array([0.3, -1.0, 0.5], np.float32)
    first = Policy(driver.actor).act(observation)
    assert first.shape == (2,)
    again = Policy(driver.algorithm.publish(2)).act(observation)
    np.testing.assert_array_equal(first, again)
    list(until_update(driver))
    driver.take(40)
    assert driver.algorithm.is_finite()
    assert not np.array_equal(Policy(driver.algorithm.publish(99)).act(observation), first)


@pytest.mark.parametrize(
    "fault",
    [
        {"reward": math.nan}, {"reward": math.inf}, {"observation": np.array([0.0, math.nan, 0.0], np.float32)},
        {"next_observation": np.array([0.0, math.inf, 0.0], np.float32)}, {"observation": np.zeros(2, np.float32)},
        {"action": np.zeros(1, np.float32)}, {"action": np.array([0.0, 1.5], np.float32)},
    ],
    ids=str,
)  # fmt: skip
def test_an_unusable_transition_is_refused_in_a_sentence_and_changes_nothing(name: str, fault: dict[str, Any]) -> None:
    algorithm = make(name)
    algorithm.accept(transition(0))
    before, welcome = algorithm.state(), algorithm.welcome
    with pytest.raises(TransitionError) as refusal:
        algorithm.accept(transition(1, **fault))
    assert "\n" not in str(refusal.value)
    assert same(algorithm.state(), before)
    assert algorithm.welcome == welcome


def test_the_same_seed_makes_the_same_numbers_and_another_seed_others(name: str) -> None:
    first, second, other = Driver(make(name)), Driver(make(name)), Driver(make(name, seed=4))
    for driver in (first, second, other):
        driver.take(60)
    assert same(first.algorithm.state(), second.algorithm.state())
    assert not same(first.algorithm.state(), other.algorithm.state())


def test_it_goes_on_from_its_saved_state_to_the_last_bit(name: str) -> None:
    """From the end of an update: what an on-policy algorithm has collected since, it collects anew."""
    original = Driver(make(name))
    list(until_update(original))
    saved, memory = original.algorithm.state(), original.algorithm.memory
    resumed = Driver(make(name, seed=8))
    if memory is not None:
        assert resumed.algorithm.memory is not None
        resumed.algorithm.memory.restore(memory.rows(0, memory.added), memory.added)
    arrays, numbers = through_json(saved)
    resumed.algorithm.restore({**arrays, "other": np.zeros(1)}, {**numbers, "other": 1})
    assert same(resumed.algorithm.state(), saved)
    resumed.taken = original.taken
    for driver in (original, resumed):  # whoever resumes publishes anew
        driver.version = 1000
        driver.algorithm.publish(1000)
        driver.take(60)
    assert same(resumed.algorithm.state(), original.algorithm.state())


def test_a_state_of_other_networks_or_one_that_lacks_something_is_refused_and_changes_nothing(name: str) -> None:
    algorithm, arrays = make(name), make(name).state().arrays
    other = learner_config(algorithm=name, hidden_sizes=[5]).make(**SIZES, mirror=None, seed=0).state()
    before = algorithm.state()
    for wrong in (other.arrays, {key: array for key, array in arrays.items() if key != min(arrays)}):
        with pytest.raises(RunError):
            algorithm.restore(wrong, before.numbers)
        assert same(algorithm.state(), before)


def test_a_state_does_not_change_with_what_it_was_taken_from(name: str) -> None:
    driver = Driver(make(name))
    list(until_update(driver))
    saved = driver.algorithm.state()
    copies = {key: array.copy() for key, array in saved.arrays.items()}
    driver.take(40)
    assert all(np.array_equal(saved.arrays[key], copy, equal_nan=True) for key, copy in copies.items())


def test_a_roll_back_leads_to_what_was_published_and_to_smaller_steps(name: str) -> None:
    driver = Driver(make(name))
    list(until_update(driver))
    observation = np.array([0.3, -1.0, 0.5], np.float32)
    published, told = Policy(driver.algorithm.publish(50)).act(observation), driver.algorithm.metrics()
    if not driver.algorithm.is_on_policy:  # whose batch is gone
        driver.algorithm.update(1)
        assert driver.algorithm.metrics() != told
    assert driver.algorithm.step_scale == 1.0
    assert driver.algorithm.roll_back()
    assert driver.algorithm.metrics() == told
    assert 0.0 < driver.algorithm.step_scale < 1.0
    np.testing.assert_array_equal(Policy(driver.algorithm.publish(51)).act(observation), published)
    for _ in range(20):
        last = driver.algorithm.roll_back()
    assert not last, "steps are at their smallest"
    assert driver.algorithm.step_scale > 0.0


def test_a_return_to_what_was_learnt_before_keeps_memory_and_counts_and_takes_no_smaller_steps(name: str) -> None:
    driver = Driver(make(name))
    list(until_update(driver))
    algorithm, observation = driver.algorithm, np.array([0.3, -1.0, 0.5], np.float32)
    learnt, driver.version = algorithm.state().arrays, 50
    published = Policy(algorithm.publish(50)).act(observation)
    driver.take(60)
    assert not np.array_equal(Policy(algorithm.publish(90)).act(observation), published)
    updates, taken = algorithm.updates, None if algorithm.memory is None else algorithm.memory.added
    algorithm.return_to({**learnt, "other": np.zeros(1)})
    np.testing.assert_array_equal(Policy(algorithm.publish(91)).act(observation), published)
    assert (algorithm.updates, algorithm.rollbacks, algorithm.step_scale) == (updates, 0, 1.0)
    assert (None if algorithm.memory is None else algorithm.memory.added) == taken
    driver.version = 91
    driver.take(60)
    assert algorithm.updates > updates, "and it goes on"
    with pytest.raises(RunError):
        algorithm.return_to({key: array for key, array in learnt.items() if key != min(learnt)})


def test_its_replay_ratio_is_a_number_or_says_that_it_has_none(name: str) -> None:
    driver = Driver(make(name))
    list(until_update(driver))
    algorithm = driver.algorithm
    assert math.isnan(algorithm.replay_ratio) == math.isnan(algorithm.target_replay_ratio) == algorithm.is_on_policy
    assert algorithm.remedy.startswith("lower learner.")


def test_its_settings_can_be_looked_at_without_torch_and_know_what_must_not_change(name: str) -> None:
    settings = settings_of(name)
    assert set(settings.fixed) <= set(settings.types())
    assert settings.section() == "learner"
    assert not set(settings.types()) & set(LearnerConfig.types()), "settings of every training"
