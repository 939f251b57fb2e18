"""The rules of the swing-up, in numbers. No physics."""

import math

import numpy as np
import pytest

from sac_control.tasks.builtin import inverted_pendulum, inverted_pendulum_swingup
from tasks_for_tests import rows_of

UPRIGHT = np.zeros(4)
TASK = inverted_pendulum_swingup()


@pytest.mark.parametrize("turns", [-2, 0, 3])
@pytest.mark.parametrize(("angle", "reward"), [(0.0, 1.0), (math.pi, -1.0), (-math.pi / 2, 0.0), (1.0, 0.5403023)])
def test_reward_is_the_cosine_of_the_angle_after_the_step_whatever_the_turns(
    angle: float, turns: int, reward: float
) -> None:
    after = np.array([0.3, -2.0, angle + 2.0 * math.pi * turns, 9.0])
    assert TASK.reward(rows_of(TASK, after, [0.0, 0.0, 2.0, 0.0])) == pytest.approx(reward, abs=1e-6)


@pytest.mark.parametrize("state", [[0.0] * 4, [0.0, 0.0, math.pi, 0.0], [1.0, 50.0, 400.0, -300.0]])
def test_nothing_terminates(state: list[float]) -> None:
    assert TASK.is_terminated(rows_of(TASK, state, state)) is False


def test_start_angles_are_within_a_tenth_of_hanging_and_all_else_rests() -> None:
    rng = np.random.default_rng(0)
    starts = np.array([TASK.sample_start(rng) for _ in range(20_000)])
    assert not starts[:, [0, 1, 3]].any()
    angles = np.sort(starts[:, 2])
    uniform = np.linspace(3.0415, 3.2415, len(angles))
    # Kolmogorov-Smirnov: the largest gap of the distribution function exceeds 1.95 / √n in one case of a thousand.
    assert np.abs(angles - uniform).max() / 0.2 < 1.95 / math.sqrt(len(angles))
    assert 3.0415 <= angles[0] < angles[-1] <= 3.2415


@pytest.mark.needs("pybullet")
def test_machine_and_observation_are_those_of_the_inverted_pendulum() -> None:
    ours, other = TASK.specification, inverted_pendulum().specification
    assert (ours.task, other.task) == ("inverted_pendulum_swingup", "inverted_pendulum")
    assert (ours.joints, ours.actuated_joints, ours.observation) == (
        other.joints,
        other.actuated_joints,
        other.observation,
    )
    assert (ours.command_limit, ours.control_period) == ((100.0,), 0.0165)
    assert ours.hash == other.hash  # what is seen and moved is the same
    assert TASK.hash != inverted_pendulum().hash  # what is asked is not: neither teaches the other
    for engine in ("pybullet", "mujoco"):
        assert TASK.robot(engine).description == inverted_pendulum().robot(engine).description
    assert (TASK.max_episode_steps, TASK.solved_return) == (1000, 800.0)
