"""The rules of the inverted pendulum, in numbers. No physics."""

import math

import numpy as np
import pytest

from sac_control.tasks.builtin import inverted_pendulum
from tasks_for_tests import rows_of

UPRIGHT = np.zeros(4)
TASK = inverted_pendulum()


@pytest.mark.parametrize(
    ("angle", "is_terminated"),
    [
        (0.0, False),
        (0.2, False),
        (-0.2, False),
        (math.nextafter(0.2, 1.0), True),
        (-math.nextafter(0.2, 1.0), True),
        (math.pi, True),
    ],
)
def test_episode_terminates_only_beyond_the_limit_angle(angle: float, is_terminated: bool) -> None:
    assert TASK.is_terminated(rows_of(TASK, [0.0, 0.0, angle, 0.0], UPRIGHT)) is is_terminated


@pytest.mark.parametrize("place", [0, 1, 3])
def test_position_and_velocities_never_terminate(place: int) -> None:
    state = np.zeros(4)
    state[place] = 1e3
    assert TASK.is_terminated(rows_of(TASK, state, UPRIGHT)) is False


def test_the_state_before_the_step_does_not_terminate() -> None:
    assert TASK.is_terminated(rows_of(TASK, UPRIGHT, [0.0, 0.0, 1.0, 0.0])) is False


def test_every_step_earns_one_even_the_last() -> None:
    assert TASK.reward(rows_of(TASK, UPRIGHT)) == 1.0
    assert TASK.reward(rows_of(TASK, [3.0, -2.0, 1.5, 9.0])) == 1.0


def test_start_angles_are_uniform_and_all_else_rests() -> None:
    rng = np.random.default_rng(0)
    starts = np.array([TASK.sample_start(rng) for _ in range(20_000)])
    assert starts.shape == (20_000, 4)
    assert not starts[:, [0, 1, 3]].any()
    angles = np.sort(starts[:, 2])
    uniform = np.linspace(-0.1, 0.1, len(angles))
    # Kolmogorov-Smirnov: the largest gap of the distribution function exceeds 1.95 / √n in one case of a thousand.
    assert np.abs(angles - uniform).max() / 0.2 < 1.95 / math.sqrt(len(angles))
    assert -0.1 <= angles[0] < angles[-1] <= 0.1


@pytest.mark.needs("pybullet")
def test_specification_says_what_the_published_task_says() -> None:
    specification = TASK.specification
    assert specification.joints == ("slider_to_cart", "cart_to_pendulum")
    assert specification.actuated_joints == ("slider_to_cart",)
    assert specification.command_limit == (100.0,)
    assert specification.control_period == 0.0165
    assert TASK.max_episode_steps == 1000
    robot = TASK.robot("pybullet")
    assert robot.joints == specification.joints
    assert set(robot.model_names) == set(specification.joints)
