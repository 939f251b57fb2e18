"""The rules of the double pendulum, in numbers. No physics."""

import math

import numpy as np
import pytest

from sac_control.observation import Observer
from sac_control.tasks.builtin import inverted_double_pendulum
from tasks_for_tests import rows_of

UPRIGHT = np.zeros(6)
FALLEN = np.array([0.0, 0.0, 1.5, 0.0, 0.0, 0.0])
TASK = inverted_double_pendulum()
FIRST, SECOND = 0.6, 0.3  # [m] length of the first pole, and from its end to the middle of the second


@pytest.mark.parametrize(
    ("theta", "gamma", "x", "height"),
    [
        (0.0, 0.0, 0.0, 0.9),
        (math.pi / 2, 0.0, 0.9, 0.0),
        (0.0, math.pi / 2, 0.3, 0.6),
        (math.pi / 2, -math.pi / 2, 0.6, 0.3),
        (math.pi, 0.0, 0.0, -0.9),
    ],
)
def test_reward_is_for_the_place_of_the_middle_of_the_second_pole_where_both_angles_put_it(
    theta: float, gamma: float, x: float, height: float
) -> None:
    state = [0.25, 7.0, theta, 7.0, gamma, 7.0]
    expected = 10.0 - 0.01 * (0.25 + x) ** 2 - (height - 1.7) ** 2
    assert TASK.reward(rows_of(TASK, FALLEN, state)) == pytest.approx(expected, abs=1e-12)


def test_third_term_of_the_observation_is_where_the_middle_of_the_second_pole_is() -> None:
    rng = np.random.default_rng(0)
    observer = Observer(TASK.specification.observation, TASK.specification.joints)
    out = np.zeros(9, np.float32)
    for state in rng.uniform(-3.0, 3.0, (20, 6)):
        observer.observe(state[0::2], state[1::2], out)
        middle = state[0] + FIRST * math.sin(state[2]) + SECOND * math.sin(state[2] + state[4])
        assert out[2] == pytest.approx(middle, abs=1e-6)


def test_best_reward_is_that_of_poles_upright_in_the_middle() -> None:
    assert TASK.reward(rows_of(TASK, FALLEN, UPRIGHT)) == pytest.approx(10.0 - 0.8**2)
    for place in (0, 2, 4):
        state = np.zeros(6)
        state[place] = 0.2
        assert TASK.reward(rows_of(TASK, UPRIGHT, state)) < TASK.reward(rows_of(TASK, UPRIGHT, UPRIGHT))


@pytest.mark.parametrize("x", [-0.5, 2.0])
def test_reward_falls_with_the_squared_distance_from_the_middle(x: float) -> None:
    state = np.array([x, 0.0, 0.0, 0.0, 0.0, 0.0])
    assert TASK.reward(rows_of(TASK, FALLEN, state)) == pytest.approx(9.36 - 0.01 * x**2)


def test_reward_and_end_are_those_of_the_state_before_the_step() -> None:
    assert TASK.is_terminated(rows_of(TASK, FALLEN, UPRIGHT)) is False
    assert TASK.is_terminated(rows_of(TASK, UPRIGHT, FALLEN)) is True
    assert TASK.reward(rows_of(TASK, UPRIGHT, FALLEN)) < TASK.reward(rows_of(TASK, FALLEN, UPRIGHT))


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_episode_terminates_only_once_the_middle_of_the_second_pole_is_0_7_high(sign: float) -> None:
    limit = math.acos(0.7 / 0.9)
    for lean, is_terminated in ((limit - 1e-6, False), (limit + 1e-6, True), (math.pi, True)):
        state = np.array([0.0, 0.0, sign * lean, 0.0, 0.0, 0.0])
        assert TASK.is_terminated(rows_of(TASK, UPRIGHT, state)) is is_terminated


@pytest.mark.parametrize("place", [0, 1, 3, 5])
def test_position_and_velocities_never_terminate(place: int) -> None:
    state = np.zeros(6)
    state[place] = 1e3
    assert TASK.is_terminated(rows_of(TASK, state, state)) is False


def test_both_start_angles_are_uniform_and_independent_and_all_else_rests() -> None:
    rng = np.random.default_rng(0)
    starts = np.array([TASK.sample_start(rng) for _ in range(20_000)])
    assert starts.shape == (20_000, 6)
    assert not starts[:, [0, 1, 3, 5]].any()
    uniform = np.linspace(-0.1, 0.1, len(starts))
    for angles in (starts[:, 2], starts[:, 4]):
        # Kolmogorov-Smirnov: the largest gap of the distribution function exceeds 1.95 / √n in one case of a thousand.
        assert np.abs(np.sort(angles) - uniform).max() / 0.2 < 1.95 / math.sqrt(len(angles))
        assert np.abs(angles).max() <= 0.1
    assert abs(np.corrcoef(starts[:, 2], starts[:, 4])[0, 1]) < 3.3 / math.sqrt(len(starts))


@pytest.mark.needs("pybullet")
def test_specification_says_what_the_published_task_says() -> None:
    specification = TASK.specification
    assert specification.joints == ("slider_to_cart", "cart_to_pole", "pole_to_second_pole")
    assert specification.actuated_joints == ("slider_to_cart",)
    assert len(specification.observation) == 9
    assert specification.command_limit == (200.0,)
    assert specification.control_period == 0.0165
    assert (TASK.max_episode_steps, TASK.solved_return) == (1000, 9100.0)
    robot = TASK.robot("pybullet")
    assert robot.joints == specification.joints
    assert set(robot.model_names) == set(specification.joints)
