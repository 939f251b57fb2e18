"""What an environment promises to Gymnasium, to the simulator node and to whoever repeats a trajectory."""

import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ClosedEnvironmentError, InvalidAction, ResetNeeded
from gymnasium.utils.env_checker import check_env

from sac_control.envs import TASKS, make_robot_env
from sac_control.envs.env import Env
from sac_control.envs.registry import gymnasium_id
from sac_control.errors import ConfigError, StateError
from sac_control.tasks.builtin import inverted_pendulum
from sac_control.tasks.catalogue import make_robot_task
from sac_control.types import Float32Array, FloatArray
from tasks_for_tests import changed, env_of

NAME, GYMNASIUM_ID = "inverted_pendulum", "sac_control/InvertedPendulum-v0"
STATE = [0.1, -0.2, 0.05, 0.3]


@pytest.fixture
def env() -> Iterator[Env]:
    env = make_robot_env(NAME)
    yield env
    env.close()


def balance(observation: Float32Array) -> Float32Array:
    """A linear controller that keeps the pole up for ever; (1,) float32."""
    x, vx, cos, sin, rate = observation.tolist()
    return np.array([0.9 * x + 1.0 * vx + 7.2 * np.arctan2(sin, cos) + 1.4 * rate], dtype=np.float32)


def episode(env: Env, state: list[float], actions: FloatArray) -> FloatArray:
    """Joint states of an episode from `state` under `actions` until it ends: (steps, 2, 2)."""
    env.reset(options={"state": state})
    rows = []
    for action in actions:
        _, _, terminated, truncated, _ = env.step(np.array([action], dtype=np.float32))
        rows.append(env.joint_state())
        if terminated or truncated:
            break
    return np.array(rows)


# Gymnasium


@pytest.mark.parametrize("make", [make_robot_env, lambda name: gymnasium.make(gymnasium_id(name)).unwrapped])
@pytest.mark.parametrize("name", TASKS)
def test_gymnasium_finds_nothing_wrong(name: str, make: Any) -> None:
    # The render check would open a window, which needs a display; test_env_rendering.py tests rendering.
    env = make(name)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_env(env, skip_render_check=True)
    env.close()
    complaints = [str(warning.message) for warning in caught]
    assert [text for text in complaints if "infinity" not in text] == []  # velocities have no bound


def test_tasks_have_the_names_of_their_specifications_and_such_names_in_gymnasium() -> None:
    assert [task.specification.task for task in TASKS.values()] == list(TASKS)
    assert [gymnasium_id(name) for name in TASKS] == [
        "sac_control/InvertedPendulum-v0",
        "sac_control/InvertedPendulumSwingup-v0",
        "sac_control/InvertedDoublePendulum-v0",
    ]


def test_spaces_are_the_normalised_action_and_the_observation_of_the_specification(env: Env) -> None:
    assert env.action_space == gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)
    assert env.observation_space == gymnasium.spaces.Box(-np.inf, np.inf, (5,), np.float32)
    assert env.specification is make_robot_task(NAME).specification


def test_a_balanced_episode_is_truncated_at_exactly_1000_steps(env: Env) -> None:
    observation, _ = env.reset(seed=1)
    for step in range(1, 1001):
        observation, reward, terminated, truncated, _ = env.step(balance(observation))
        assert (reward, terminated, truncated) == (1.0, False, step == 1000)
    with pytest.raises(ResetNeeded, match="call reset"):
        env.step(balance(observation))


@pytest.mark.parametrize("limit", [None, 7, 1200])
def test_gymnasium_make_truncates_once_and_where_it_is_told(limit: int | None) -> None:
    env = gymnasium.make(GYMNASIUM_ID, max_episode_steps=limit)
    observation, _ = env.reset(seed=1)
    steps, truncated = 0, False
    while not truncated:
        observation, _, terminated, truncated, _ = env.step(balance(observation))
        steps += 1
        assert not terminated
    env.close()
    assert steps == (limit or 1000)
    assert env.spec is not None
    assert env.spec.max_episode_steps == steps


def test_own_limit_of_steps_replaces_that_of_the_task() -> None:
    env = make_robot_env(NAME, max_episode_steps=3)
    env.reset(seed=0)
    assert [env.step(np.zeros(1, np.float32))[3] for _ in range(3)] == [False, False, True]
    env.close()


def test_a_fall_terminates_and_is_not_a_truncation(env: Env) -> None:
    env.reset(options={"state": [0.0, 0.0, 0.19, 3.0]})
    _, reward, terminated, truncated, _ = env.step(np.zeros(1, np.float32))
    assert abs(env.joint_state()[0][1]) > 0.2
    assert (reward, terminated, truncated) == (1.0, True, False)
    with pytest.raises(ResetNeeded):
        env.step(np.zeros(1, np.float32))
    env.reset(seed=0)
    env.step(np.zeros(1, np.float32))


# Repeatability


def test_reset_starts_from_the_given_state(env: Env) -> None:
    observation, _ = env.reset(options={"state": STATE})
    position, velocity = env.joint_state()
    assert position.tolist() == [0.1, 0.05]
    assert velocity.tolist() == [-0.2, 0.3]
    assert observation.dtype == np.float32
    np.testing.assert_array_equal(observation, np.array([0.1, -0.2, np.cos(0.05), np.sin(0.05), 0.3], np.float32))


@pytest.mark.parametrize("name", TASKS)
def test_reset_of_every_task_starts_from_the_given_state(name: str) -> None:
    env = make_robot_env(name)
    state = np.linspace(-0.3, 0.4, 2 * len(env.specification.joints))
    env.reset(options={"state": state})
    np.testing.assert_array_equal(np.array(env.joint_state()), [state[0::2], state[1::2]])
    env.close()


def test_seeded_resets_repeat_exactly_and_seeds_differ(env: Env) -> None:
    def angles(seed: int) -> list[float]:
        env.reset(seed=seed)
        first = float(env.joint_state()[0][1])
        env.reset()
        return [first, float(env.joint_state()[0][1])]

    assert angles(5) == angles(5)
    assert len({*angles(5), *angles(6)}) == 4


def test_an_episode_does_not_depend_on_those_before(env: Env) -> None:
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1.0, 1.0, 1000)
    fresh = episode(env, STATE, actions)
    for start in ([0.99, 4.0, 0.1, 0.0], [-0.5, 0.0, -0.15, -1.0]):
        episode(env, start, np.sign(rng.normal(size=1000)))
    np.testing.assert_array_equal(episode(env, STATE, actions), fresh)


def test_environments_in_one_process_do_not_touch_each_other() -> None:
    rng = np.random.default_rng(0)
    one, two = make_robot_env(NAME), make_robot_env(NAME)
    starts = ([0.0, 0.0, 0.02, 0.0], [0.3, 0.5, -0.05, 0.1])
    actions = rng.uniform(-0.3, 0.3, (2, 1000))
    alone = [episode(env, start, row) for env, start, row in zip((one, two), starts, actions, strict=True)]
    together: list[list[Any]] = [[], []]
    one.reset(options={"state": starts[0]})
    two.reset(options={"state": starts[1]})
    for step in range(min(map(len, alone))):
        for k, env in enumerate((one, two)):
            env.step(actions[k, step : step + 1].astype(np.float32))
            together[k].append(env.joint_state())
    one.close()
    two.close()
    assert len(together[0]) > 10
    for k in range(2):
        np.testing.assert_array_equal(np.array(together[k]), alone[k][: len(together[k])])


def test_observations_handed_out_are_not_overwritten_later(env: Env) -> None:
    first, _ = env.reset(options={"state": STATE})
    positions, _ = env.joint_state()
    copies = first.copy(), positions.copy()
    second = env.step(np.ones(1, np.float32))[0]
    env.step(np.ones(1, np.float32))
    np.testing.assert_array_equal(first, copies[0])
    np.testing.assert_array_equal(positions, copies[1])
    assert (second != first).any()


# Tasks


def test_task_is_shown_the_states_before_and_after_each_step() -> None:
    # Pays for the way the cart has gone, so that rewards add up to the distance.
    env = env_of(changed(inverted_pendulum(), reward="slider_to_cart - slider_to_cart@1"))
    env.reset(options={"state": [0.1, 0.0, 0.0, 0.0]})
    distance = sum(env.step(np.ones(1, np.float32))[1] for _ in range(3))
    assert distance == pytest.approx(env.joint_state()[0][0] - 0.1, abs=1e-12)
    assert distance > 0.01
    env.close()


# Actions


@pytest.mark.parametrize(
    ("action", "effort"), [(0.5, 50.0), (1.0, 100.0), (3.0, 100.0), (1.0, 1e9), (-7.0, -1e9), (-0.25, -25.0)]
)
def test_action_is_a_share_of_the_effort_limit_and_both_are_clipped(env: Env, action: float, effort: float) -> None:
    env.reset(options={"state": STATE})
    by_action = env.step(np.array([action], dtype=np.float32))
    env.reset(options={"state": STATE})
    by_effort = env.step_command(np.array([effort]))
    np.testing.assert_array_equal(by_action[0], by_effort[0])
    assert by_action[1:] == by_effort[1:]
    env.reset(options={"state": STATE})
    assert (env.step(np.zeros(1, np.float32))[0] != by_action[0]).any()


@pytest.mark.parametrize("action", [0.5, [], [0.1, 0.2], [[0.1]]])
def test_action_of_the_wrong_shape_is_refused(env: Env, action: Any) -> None:
    env.reset(seed=0)
    with pytest.raises(InvalidAction, match=r"action has shape .*: expected \(1,\)"):
        env.step(np.array(action, dtype=np.float32))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_action_that_is_not_finite_is_refused_and_moves_nothing(env: Env, value: float) -> None:
    env.reset(options={"state": STATE})
    with pytest.raises(InvalidAction, match=r"action is .*: expected finite numbers"):
        env.step(np.array([value], dtype=np.float32))
    with pytest.raises(InvalidAction, match=r"command is .*: expected finite numbers"):
        env.step_command([value])
    np.testing.assert_array_equal(np.array(env.joint_state()), [[0.1, 0.05], [-0.2, 0.3]])


# Mistakes


def test_step_before_the_first_reset_is_refused(env: Env) -> None:
    with pytest.raises(ResetNeeded, match="call reset"):
        env.step(np.zeros(1, np.float32))


def test_unknown_reset_option_names_the_valid_one(env: Env) -> None:
    with pytest.raises(ConfigError, match="'sate' is not known; did you mean state"):
        env.reset(options={"sate": STATE})


@pytest.mark.parametrize("state", [[0.0, 0.0, 0.1], [[0.0, 0.0], [0.1, 0.0]], [0.0, np.nan, 0.0, 0.0], 0.1])
def test_start_state_must_be_four_finite_numbers(env: Env, state: Any) -> None:
    with pytest.raises(StateError, match="expected 4 finite numbers, position and velocity of each of slider_to_cart"):
        env.reset(options={"state": state})


def test_unknown_task_and_render_mode_name_the_nearest_valid_one() -> None:
    with pytest.raises(ConfigError, match="'inverted_pendulm' is not known; did you mean inverted_pendulum"):
        make_robot_env("inverted_pendulm")
    with pytest.raises(ConfigError, match="'rgb' is not known; did you mean rgb_array"):
        make_robot_env(NAME, render_mode="rgb")
    with pytest.raises(ConfigError, match="max_episode_steps is 0: expected at least 1"):
        make_robot_env(NAME, max_episode_steps=0)


# Life and death


def test_a_closed_environment_refuses_to_go_on_and_leaves_others_alone() -> None:
    closed = make_robot_env(NAME)
    closed.reset(seed=0)
    closed.close()
    closed.close()
    other = make_robot_env(NAME)
    other.reset(options={"state": STATE})
    with pytest.raises(ResetNeeded):
        closed.step(np.ones(1, np.float32))
    with pytest.raises(ClosedEnvironmentError, match="make a new one"):
        closed.reset(seed=0)
    with pytest.raises(ClosedEnvironmentError, match="make a new one"):
        closed.render()
    closed.close()
    other.step(np.ones(1, np.float32))
    other.close()


def test_nothing_is_printed_on_standard_output() -> None:
    program = (
        "from sac_control.envs import make_robot_env\n"
        "env = make_robot_env('inverted_pendulum', render_mode='rgb_array')\n"
        "env.reset(seed=0); env.step(env.action_space.sample()); env.render()\n"
        "import copy; copy.deepcopy(env).close(); env.close()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=600, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
