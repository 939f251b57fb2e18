"""Whether a robot rests where its exam wants it: by linear controllers, of which is known where they hold it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from sac_control.envs.env import Env
from sac_control.envs.rest import rest_periods, unrest
from sac_control.tasks.builtin import inverted_pendulum
from sac_control.tasks.exam import ExamContent
from sac_control.types import Float32Array
from sac_control.variation.ranges import Ranges
from tasks_for_tests import changed, env_of

START = {"options": {"state": np.array([0.0, 0.0, 0.1, 0.0])}}


@pytest.fixture
def env() -> Iterator[Env]:
    task = inverted_pendulum()
    env = env_of(task, max_episode_steps=rest_periods(task.specification.control_period))
    yield env
    env.close()


def holding(place: float, stiffness: float = 1.0) -> Callable[[Float32Array], Float32Array]:
    """A linear-quadratic controller of the cart-pole, which holds the cart at `place` [m]."""
    gains = np.array([0.9, 0.9, 0.0, 5.7, 1.2]) * stiffness  # of x, ẋ, cos θ, sin θ and θ̇, in shares of the limit

    def act(observation: Float32Array) -> Float32Array:
        return np.array([gains @ (observation - [place, 0, 0, 0, 0])], np.float32)

    return act


def test_a_cart_that_is_held_in_the_middle_by_quiet_commands_is_at_rest(env: Env) -> None:
    assert unrest(env, holding(0.0), START) == []


def test_a_cart_that_comes_to_rest_too_far_out_is_complained_of_with_the_distance(env: Env) -> None:
    (complaint,) = unrest(env, holding(0.5), START)
    assert complaint.startswith("slider_to_cart rests at 0.5")


def test_where_it_was_in_the_first_minute_does_not_count(env: Env) -> None:
    far = {"options": {"state": np.array([0.6, 0.0, 0.0, 0.0])}}
    assert unrest(env, holding(0.0), far) == []


def test_commands_that_make_much_of_a_little_noise_are_complained_of_with_how_much(env: Env) -> None:
    task = changed(inverted_pendulum(), exam=ExamContent(ranges=Ranges(), chatter={"slider_to_cart": 1.0}))
    strict = env_of(task, max_episode_steps=env.max_episode_steps)
    (complaint,) = unrest(strict, holding(0.0), START)
    assert complaint.startswith("slider_to_cart chatters by ")
    assert 1.0 < float(complaint.rsplit(" ", 1)[1]) < 4.0
    strict.close()


def test_a_pole_that_falls_within_the_minute_is_told_with_the_time(env: Env) -> None:
    (complaint,) = unrest(env, lambda observation: 0 * observation[:1], START)
    assert complaint.startswith("ends after 0.")


def test_what_the_exam_does_not_ask_is_not_complained_of(env: Env) -> None:
    task = changed(inverted_pendulum(), exam=ExamContent(ranges=Ranges()))
    lenient = env_of(task, max_episode_steps=env.max_episode_steps)
    assert unrest(lenient, holding(0.5), START) == []
    lenient.close()
