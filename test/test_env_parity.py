"""Our physics and rules against those of pybullet_envs_gymnasium, whole episodes of each task."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import pybullet
import pybullet_envs_gymnasium  # noqa: F401 registers the originals with Gymnasium
import pytest

from sac_control.envs import make_robot_env
from sac_control.envs.env import Env
from sac_control.envs.registry import gymnasium_id
from sac_control.tasks.catalogue import make_robot_task
from sac_control.tasks.robot_task import RobotTask
from sac_control.types import Float32Array, FloatArray
from tasks_for_tests import pybullet_world

TOLERANCE = 1e-6  # absolute, on every number
Policy = Callable[[np.random.Generator, Float32Array], float]


def at_random(rng: np.random.Generator, observation: Float32Array) -> float:
    return float(rng.uniform(-1.0, 1.0))


def balancing(rng: np.random.Generator, observation: Float32Array) -> float:
    if len(observation) == 5:
        x, vx, cos, sin, rate = observation.tolist()
        share = 0.9 * x + 1.0 * vx + 7.2 * np.arctan2(sin, cos) + 1.4 * rate
    else:
        x, vx, _, cos, sin, rate, cos_2, sin_2, rate_2 = observation.tolist()
        lean, bend = np.arctan2(sin, cos), np.arctan2(sin_2, cos_2)
        share = -(0.7 * x + 1.0 * vx + 6.4 * lean + 3.1 * rate + 17.9 * bend + 2.9 * rate_2)
    return float(share + rng.normal(0.0, 0.05))


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


@dataclass(frozen=True, kw_only=True)
class Case:
    """One of our tasks beside its original, both used for every episode: what one leaves behind shows in the next."""

    task: RobotTask
    ours: Env
    original: Any
    joints: list[Any]  # the original's, in the order of our state
    late: list[int]  # places in the observation where the original has what was there one step before
    spread: FloatArray  # (2j,) start states of the tests are up to this from upright

    def start(self, state: FloatArray) -> Float32Array:
        """Put both into `state`, which the original's own reset cannot do; returns the observation that both give."""
        self.start_original(state)
        observation = self.original.robot.calc_state().astype(np.float32)
        ours, _ = self.ours.reset(options={"state": state})
        np.testing.assert_allclose(ours, observation, rtol=0.0, atol=TOLERANCE)
        return ours

    def start_original(self, state: FloatArray) -> None:
        self.original.reset()
        for joint, (position, velocity) in zip(self.joints, state.reshape(-1, 2), strict=True):
            joint.reset_current_position(position, velocity)

    def original_state(self) -> FloatArray:
        """The original's joint state, (2j,)."""
        return np.array([joint.get_state() for joint in self.joints]).ravel()

    def assert_episodes_agree(self, first: Float32Array, policy: Policy, rng: np.random.Generator) -> int:
        """Run both to the end of the episode under one action sequence; returns its number of steps."""
        observation = first
        ours, originals, ends = [], [], []
        for step in range(1000):
            action = np.array([policy(rng, observation)], dtype=np.float32)
            expected, reward, is_over, _, _ = self.original.step(action)
            originals.append([*expected, reward])
            late = observation[self.late]
            observation, reward, terminated, truncated, _ = self.ours.step(action)
            ours.append([*observation, reward])
            for place, value in zip(self.late, late, strict=True):
                ours[-1][place] = value
            ends.append((terminated, is_over, truncated, step == 999))
            if terminated or is_over:
                break
        np.testing.assert_allclose(ours, originals, rtol=0.0, atol=TOLERANCE)
        assert all(end[0] is end[1] and end[2] is end[3] for end in ends)
        return len(ends)


UNTIL_A_FALL = np.array([0.9, 1.0, 0.1, 0.3])
ORIGINALS: dict[str, tuple[list[str], list[int], FloatArray]] = {  # names of the joints, late places, spread
    "inverted_pendulum": (["slider", "j1"], [], UNTIL_A_FALL),
    "inverted_pendulum_swingup": (["slider", "j1"], [], np.array([0.9, 1.0, np.pi, 5.0])),
    "inverted_double_pendulum": (["slider", "j1", "j2"], [2], np.array([0.9, 1.0, 0.1, 0.3, 0.1, 0.3])),
}


@pytest.fixture(scope="module", params=ORIGINALS)
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    joints, late, spread = ORIGINALS[request.param]
    original: Any = original_spec(request.param).make(disable_env_checker=True).unwrapped
    original.reset()
    ours = make_robot_env(request.param)
    yield Case(
        task=ours.task,
        ours=ours,
        original=original,
        joints=[getattr(original.robot, name) for name in joints],
        late=late,
        spread=spread,
    )
    original.close()
    ours.close()


def original_spec(name: str) -> gymnasium.envs.registration.EnvSpec:
    return gymnasium.spec(f"{name.title().replace('_', '')}BulletEnv-v0")


def test_engine_has_the_settings_of_the_original(case: Case) -> None:
    # The solver's iterations change no trajectory of these tasks, where nothing touches; they would in others.
    world = pybullet_world(case.task.specification.task)
    settings = pybullet.getPhysicsEngineParameters(physicsClientId=world._client)
    world.close()
    assert settings == case.original._p.getPhysicsEngineParameters()
    assert settings["numSolverIterations"] == 5
    assert settings["fixedTimeStep"] == 0.0165


@pytest.mark.parametrize("name", ORIGINALS)
def test_episodes_are_as_long_as_the_originals_and_solved_by_as_much(name: str) -> None:
    original, ours = original_spec(name), gymnasium.spec(gymnasium_id(name))
    assert ours.max_episode_steps == original.max_episode_steps
    # What fell a little early would count as solved by the original's 950.
    expected = 1000.0 if name == "inverted_pendulum" else original.reward_threshold
    assert ours.reward_threshold == make_robot_task(name).solved_return == expected


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", POLICIES)
def test_whole_episodes_agree_from_the_same_state(case: Case, name: str, seed: int) -> None:
    rng = np.random.default_rng([seed, list(POLICIES).index(name)])
    state = rng.uniform(-case.spread, case.spread)
    if name == "balancing":
        state = rng.uniform(-0.1, 0.1, state.size) * np.resize(UNTIL_A_FALL, state.size)
    steps = case.assert_episodes_agree(case.start(state), POLICIES[name], rng)
    if name == "balancing" or case.task.specification.task == "inverted_pendulum_swingup":
        assert steps == 1000
    else:
        assert steps < 1000


@pytest.mark.parametrize("seed", range(5))
def test_a_seed_starts_the_episode_that_it_starts_in_the_original(case: Case, seed: int) -> None:
    for episode_seed in (seed, None, None):  # the later episodes go on with the same random numbers
        expected, _ = case.original.reset(seed=episode_seed)
        first, _ = case.ours.reset(seed=episode_seed)
        np.testing.assert_allclose(first, expected, rtol=0.0, atol=TOLERANCE)
        case.assert_episodes_agree(first, at_random, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(3))
def test_physics_agrees_after_the_pole_has_fallen_and_at_the_ends_of_the_rail(case: Case, seed: int) -> None:
    task = case.task
    world = pybullet_world(task.specification.task)
    rng = np.random.default_rng(seed)
    bounds = np.resize([1.0, 3.0, 3.0, 5.0], 2 * len(case.joints))
    state = rng.uniform(-bounds, bounds)
    case.start_original(state)
    world.reset(state.tolist())
    ours, originals = [], []
    push = 0.0
    for step in range(1000):
        if step % 40 == 0:
            push = float(rng.uniform(-1.0, 1.0))
        case.original.step(np.array([push]))
        world.step([task.specification.command_limit[0] * push])
        ours.append(world.state)
        originals.append(case.original_state())
    world.close()
    np.testing.assert_allclose(ours, originals, rtol=0.0, atol=TOLERANCE)
    furthest, largest = np.abs(originals).max(axis=0)[[0, 2]]
    assert furthest > 0.99  # the end stop was reached
    assert largest > np.pi / 2  # the pole hung
