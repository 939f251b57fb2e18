"""The averaged actor: by hand, whatever the statistics of each actor, and saved to the last bit."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from policies import make_file
from sac_control.algorithms.actor_average import ActorAverage
from sac_control.policy.policy import Policy
from sac_control.types import ActorParameters

HORIZON = 100.0  # transitions


def actor(seed: int) -> ActorParameters:
    return make_file(seed).actor


def with_statistics(other: ActorParameters, mean: float, std: float) -> ActorParameters:
    """The same function, for observations that are normalised by other statistics."""
    (weight, bias), *rest = other.layers
    own = weight / other.observation_std[:, None]
    bias = bias - other.observation_mean @ own
    means, stds = np.full_like(other.observation_mean, mean), np.full_like(other.observation_std, std)
    layers = ((own * stds[:, None], bias + means @ own), *rest)
    return dataclasses.replace(other, layers=layers, observation_mean=means, observation_std=stds)


def assert_acts_like(one: ActorParameters, other: ActorParameters) -> None:
    for observation in np.random.default_rng(0).normal(size=(20, len(one.observation_mean))).astype(np.float32):
        np.testing.assert_allclose(Policy(one).act(observation), Policy(other).act(observation), atol=1e-5)


def parameters(of: ActorParameters) -> list[float]:
    return [float(value) for layer in of.layers for array in layer for value in array.ravel()]


def test_first_actor_is_its_own_average() -> None:
    assert_acts_like(ActorAverage(HORIZON).include(actor(0), 7), actor(0))


def test_a_horizon_of_nothing_leaves_the_newest() -> None:
    average = ActorAverage(0)
    average.begin(actor(0), 0)
    newest = actor(1)
    assert average.include(newest, 5) is newest


def test_an_actor_counts_for_one_over_e_after_the_horizon() -> None:
    old, new = (with_statistics(actor(seed), 0.0, 1.0) for seed in (0, 1))
    average = ActorAverage(HORIZON)
    average.begin(old, 50)
    expected = np.array(parameters(old)) / math.e + np.array(parameters(new)) * (1.0 - 1.0 / math.e)
    assert parameters(average.include(new, 150)) == pytest.approx(expected.tolist(), abs=1e-6)


def test_asking_more_often_changes_nothing() -> None:
    often, seldom = ActorAverage(HORIZON), ActorAverage(HORIZON)
    for average in (often, seldom):
        average.begin(actor(0), 0)
    for at in (10, 10, 25, 30):
        often.include(actor(1), at)
    assert parameters(often.include(actor(1), 60)) == pytest.approx(parameters(seldom.include(actor(1), 60)), abs=1e-6)


def test_statistics_that_change_do_not_change_what_the_average_does() -> None:
    average = ActorAverage(HORIZON)
    average.begin(with_statistics(actor(0), 0.3, 2.0), 0)
    averaged = average.include(with_statistics(actor(0), -0.5, 0.1), 80)
    assert averaged.observation_std[0] == pytest.approx(0.1)
    assert_acts_like(averaged, actor(0))


def test_all_but_the_layers_is_that_of_the_newest() -> None:
    average = ActorAverage(HORIZON)
    average.begin(actor(0), 0)
    newest = dataclasses.replace(actor(1), noise_correlation=0.75)
    averaged = average.include(newest, 10)
    assert dataclasses.replace(averaged, layers=newest.layers) == newest
    assert parameters(averaged) != parameters(newest)


def test_restored_average_goes_on_to_the_last_bit() -> None:
    one, other = ActorAverage(HORIZON), ActorAverage(HORIZON)
    assert one.state() == {}
    one.begin(actor(0), 0)
    one.include(actor(1), 10)
    other.restore({**one.state(), "actor.0.weight": np.zeros(1)})
    one.begin(actor(2), 0)  # what was saved is not what goes on
    other.include(actor(1), 10)
    one.restore(other.state())
    assert parameters(one.include(actor(3), 40)) == parameters(other.include(actor(3), 40))
