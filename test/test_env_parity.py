"""Our physics and rules against pybullet_envs_gymnasium's ``InvertedPendulumBulletEnv-v0``, whole episodes."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pybullet
import pytest
from pybullet_envs_gymnasium.gym_pendulum_envs import InvertedPendulumBulletEnv

from sac_control.envs import make_env, make_task
from sac_control.envs.env import Env
from sac_control.envs.world import World
from sac_control.types import Float32Array, FloatArray

TOLERANCE = 1e-6  # absolute, on every number
Policy = Callable[[np.random.Generator, Float32Array], float]


def at_random(rng: np.random.Generator, observation: Float32Array) -> float:
    return float(rng.uniform(-1.0, 1.0))


def balancing(rng: np.random.Generator, observation: Float32Array) -> float:
    x, vx, cos, sin, rate = observation.tolist()
    return float(0.9 * x + 1.0 * vx + 7.2 * np.arctan2(sin, cos) + 1.4 * rate + rng.normal(0.0, 0.05))


def bang_bang_out_of_range(rng: np.random.Generator, observation: Float32Array) -> float:
    return float(rng.choice([-1.0, 1.0]) * rng.uniform(1.0, 30.0))


def outwards(rng: np.random.Generator, observation: Float32Array) -> float:
    return 2.0 if observation[0] > 0 else -2.0


POLICIES: dict[str, Policy] = {
    "random": at_random,
    "balancing": balancing,
    "bang_bang_out_of_range": bang_bang_out_of_range,
    "outwards": outwards,
}


@pytest.fixture(scope="module")
def original() -> Iterator[Any]:
    env: Any = InvertedPendulumBulletEnv()
    yield env
    env.close()


@pytest.fixture(scope="module")
def ours() -> Iterator[Env]:
    env = make_env("inverted_pendulum")
    yield env
    env.close()


def start_original(original: Any, state: FloatArray) -> Float32Array:
    """Put the original into `state`, (4,), which its own reset cannot do; returns the observation."""
    original.reset()
    original.robot.slider.reset_current_position(state[0], state[1])
    original.robot.j1.reset_current_position(state[2], state[3])
    observation: Float32Array = original.robot.calc_state().astype(np.float32)
    return observation


def assert_episodes_agree(
    original: Any, ours: Env, first: Float32Array, policy: Policy, rng: np.random.Generator
) -> int:
    """Run both to the end of the episode under one action sequence; returns its number of steps."""
    observation = first
    for step in range(1000):
        action = np.array([policy(rng, observation)], dtype=np.float32)
        observation, reward, terminated, _, _ = original.step(action)
        our_observation, our_reward, our_terminated, our_truncated, _ = ours.step(action)
        np.testing.assert_allclose(our_observation, observation, rtol=0.0, atol=TOLERANCE)
        assert our_reward == pytest.approx(reward, abs=TOLERANCE)
        assert our_terminated is terminated
        assert our_truncated is (step == 999)
        if terminated:
            break
    return step + 1


def test_engine_has_the_settings_of_the_original(original: Any) -> None:
    # The solver's iterations change no trajectory of this task, where nothing touches; they would in others.
    original.reset()
    task = make_task("inverted_pendulum")
    world = World(task.mechanism, task.specification)
    settings = pybullet.getPhysicsEngineParameters(physicsClientId=world._client)
    world.close()
    assert settings == original._p.getPhysicsEngineParameters()
    assert settings["numSolverIterations"] == 5
    assert settings["fixedTimeStep"] == 0.0165


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", POLICIES)
def test_whole_episodes_agree_from_the_same_state(original: Any, ours: Env, name: str, seed: int) -> None:
    # Both environments are used again for every episode: what one leaves behind would show in the next.
    rng = np.random.default_rng([seed, list(POLICIES).index(name)])
    state = rng.uniform([-0.9, -1.0, -0.1, -0.3], [0.9, 1.0, 0.1, 0.3])
    if name == "balancing":
        state *= 0.2
    first = start_original(original, state)
    our_first, _ = ours.reset(options={"state": state})
    np.testing.assert_allclose(our_first, first, rtol=0.0, atol=TOLERANCE)
    steps = assert_episodes_agree(original, ours, first, POLICIES[name], rng)
    assert steps == 1000 if name == "balancing" else steps < 1000


@pytest.mark.parametrize("seed", range(5))
def test_a_seed_starts_the_episode_that_it_starts_in_the_original(original: Any, ours: Env, seed: int) -> None:
    for episode_seed in (seed, None, None):  # the later episodes go on with the same random numbers
        first, _ = original.reset(seed=episode_seed)
        our_first, _ = ours.reset(seed=episode_seed)
        np.testing.assert_allclose(our_first, first, rtol=0.0, atol=TOLERANCE)
        assert_episodes_agree(original, ours, first, at_random, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(3))
def test_physics_agrees_after_the_pole_has_fallen_and_at_the_ends_of_the_rail(original: Any, seed: int) -> None:
    task = make_task("inverted_pendulum")
    world = World(task.mechanism, task.specification)
    rng = np.random.default_rng(seed)
    state = rng.uniform([-1.0, -3.0, -3.0, -5.0], [1.0, 3.0, 3.0, 5.0])
    start_original(original, state)
    world.reset(state)
    furthest = largest = 0.0
    push = 0.0
    for step in range(1000):
        if step % 40 == 0:
            push = float(rng.uniform(-1.0, 1.0))
        original.step(np.array([push]))
        world.step([100.0 * push])
        expected = [*original.robot.slider.get_state(), *original.robot.j1.get_state()]
        np.testing.assert_allclose(world.state, expected, rtol=0.0, atol=TOLERANCE)
        furthest, largest = max(furthest, abs(expected[0])), max(largest, abs(expected[2]))
    world.close()
    assert furthest > 0.99  # the end stop was reached
    assert largest > np.pi / 2  # the pole hung
