"""Tasks that say they are mirror symmetric are so in the engine: mirror images move alike and earn the same."""

import math
from collections.abc import Iterator

import numpy as np
import pytest

from sac_control.envs import TASKS, make_robot_env
from sac_control.envs.env import Env
from sac_control.observation import mirror_signs
from sac_control.types import FloatArray
from tasks_for_tests import rows_of

STEPS = 300
SPREAD = [0.9, 2.0, math.pi, 5.0]  # of start states, per joint of the cart and of a pole
# The cart-pole's model draws its pole from (0, 0, 0) to (0.001, 0, 0.6): its mirror plane is at θ = -LEAN, not at 0.
LEAN = {"inverted_pendulum": math.atan(0.001 / 0.6), "inverted_pendulum_swingup": math.atan(0.001 / 0.6)}
SYMMETRIC = [name for name, task in TASKS.items() if task.is_mirror_symmetric]


@pytest.fixture(params=SYMMETRIC)
def env(request: pytest.FixtureRequest) -> Iterator[Env]:
    env = make_robot_env(request.param)
    yield env
    env.close()


def lean(env: Env) -> FloatArray:
    """What is added to a state, (2j,), so that the mirror plane is at 0."""
    states = np.zeros(2 * len(env.specification.joints))
    states[2] = LEAN.get(env.specification.task, 0.0)
    return states


def state_of(env: Env) -> FloatArray:
    return np.stack(env.joint_state(), axis=1).ravel()


def random_states(env: Env, rng: np.random.Generator, count: int) -> FloatArray:
    """States all over, (count, 2j): poles up and down, the cart on the whole rail."""
    spread = np.resize(SPREAD[2:], 2 * len(env.specification.joints))
    spread[:2] = SPREAD[:2]
    return rng.uniform(-spread, spread, (count, len(spread)))


def trajectory(env: Env, start: FloatArray, efforts: FloatArray) -> FloatArray:
    """States that follow from `start` under `efforts`, (steps, 2j), whatever the task says of them."""
    env._world.reset(start.tolist())
    states = []
    for effort in efforts:
        env._world.step([effort])
        states.append(state_of(env))
    return np.array(states)


def test_the_three_tasks_are_symmetric() -> None:
    assert SYMMETRIC == ["inverted_pendulum", "inverted_pendulum_swingup", "inverted_double_pendulum"]


def test_mirrored_efforts_lead_from_the_mirrored_start_along_the_mirrored_trajectory(env: Env) -> None:
    # About the plane in which the model itself is symmetric; rounding is all that remains, and chaos makes it grow.
    rng = np.random.default_rng(0)
    limit = env.specification.command_limit[0]
    for start in random_states(env, rng, 20):
        efforts = limit * np.repeat(rng.uniform(-1.0, 1.0, STEPS // 5), 5)
        states = trajectory(env, start, efforts)
        mirrored = trajectory(env, -start - 2.0 * lean(env), -efforts)
        np.testing.assert_allclose(mirrored + lean(env), -(states + lean(env)), rtol=0.0, atol=1e-5)
        assert np.ptp(states[:, 0]) > 0.1


def test_single_steps_of_mirror_images_are_exact_but_for_the_lean_of_the_cart_poles_pole(env: Env) -> None:
    rng = np.random.default_rng(0)
    limit = env.specification.command_limit[0]
    tolerance = 0.005 if env.specification.task in LEAN else 0.0  # 0.002 rad/s is the most that was seen
    for state in random_states(env, rng, 500):
        effort = rng.uniform(-limit, limit, 1)
        after, mirrored = trajectory(env, state, effort), trajectory(env, -state, -effort)
        np.testing.assert_allclose(mirrored, -after, rtol=0.0, atol=tolerance)


def test_mirrored_episodes_are_as_long_and_earn_the_same(env: Env) -> None:
    # About the plane in which the model is symmetric, while observation and reward are about 0: hence the tolerances.
    rng = np.random.default_rng(1)
    signs = mirror_signs(env.specification.observation)
    starts = [env.task.sample_start(rng) for _ in range(10)]
    for start in starts:
        actions = np.repeat(rng.uniform(-1.0, 1.0, STEPS // 5), 5).astype(np.float32)
        episodes = []
        for state, sign in ((start, 1.0), (-start - 2.0 * lean(env), -1.0)):
            observation, _ = env.reset(options={"state": state})
            rows, rewards = [observation], []
            for action in actions:
                observation, reward, terminated, _, _ = env.step(np.array([sign * action], np.float32))
                rows.append(observation)
                rewards.append(reward)
                if terminated:
                    break
            episodes.append((np.array(rows), np.array(rewards)))
        (ours, our_rewards), (theirs, their_rewards) = episodes
        steps = min(len(our_rewards), len(their_rewards))
        off = 2.0 * lean(env).max()
        assert max(len(our_rewards), len(their_rewards)) - steps <= (1 if off else 0)
        np.testing.assert_allclose(theirs[: steps + 1], signs * ours[: steps + 1], rtol=0.0, atol=off + 1e-5)
        np.testing.assert_allclose(their_rewards[:steps], our_rewards[:steps], rtol=0.0, atol=off + 1e-5)


def test_mirror_images_of_states_earn_the_same_and_end_in_the_same_step(env: Env) -> None:
    rng = np.random.default_rng(2)
    before, after = random_states(env, rng, 500), random_states(env, rng, 500) * 0.2
    before[:250] *= 0.2
    ends = set()
    for one, two in zip(before, after, strict=True):
        rows, mirrored = rows_of(env.task, two, one), rows_of(env.task, -two, -one)
        assert env.task.reward(mirrored) == env.task.reward(rows)
        assert env.task.is_terminated(mirrored) is env.task.is_terminated(rows)
        ends.add(env.task.is_terminated(rows))
    assert len(ends) == (1 if env.specification.task == "inverted_pendulum_swingup" else 2)


def test_observation_of_the_mirrored_state_is_the_observation_times_the_signs(env: Env) -> None:
    rng = np.random.default_rng(3)
    signs = mirror_signs(env.specification.observation)
    assert set(signs.tolist()) == {-1.0, 1.0}
    for state in random_states(env, rng, 50):
        observation, _ = env.reset(options={"state": state})
        mirrored, _ = env.reset(options={"state": -state})
        np.testing.assert_array_equal(mirrored, signs * observation)
