"""A copy of an environment goes on as the original would, and neither moves the other; a pickle begins anew."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from gymnasium.utils.env_checker import check_env
from numpy.typing import NDArray

from sac_control.envs import TASKS, make_robot_env
from sac_control.envs.env import Env
from sac_control.envs.registry import gymnasium_id
from sac_control.errors import StateError
from sac_control.tasks.catalogue import make_robot_task
from tasks_for_tests import world_of

NAME, GYMNASIUM_ID = "inverted_pendulum", "sac_control/InvertedPendulum-v0"


def rows(env: Env, actions: NDArray[np.float32]) -> list[tuple[bytes, float, bool, bool]]:
    """All that `env` answers to `actions`, (n, a), beginning new episodes where one ends."""
    answers: list[tuple[bytes, float, bool, bool]] = []
    for action in actions:
        observation, reward, terminated, truncated, _ = env.step(action)
        answers.append((observation.tobytes(), float(reward), terminated, truncated))
        if terminated or truncated:
            answers.append((env.reset()[0].tobytes(), 0.0, False, False))
    return answers


def actions_of(env: Env, seed: int, count: int, size: float = 1.0) -> NDArray[np.float32]:
    shape = (count, *(env.action_space.shape or ()))
    return np.random.default_rng(seed).uniform(-size, size, shape).astype(np.float32)


def repickled(thing: Any) -> Any:
    return pickle.loads(pickle.dumps(thing))  # noqa: S301  our own


@pytest.mark.parametrize("make_copy", [copy.deepcopy, copy.copy])
@pytest.mark.parametrize("name", TASKS)
def test_a_copy_goes_on_to_the_last_bit_as_the_original_does(name: str, make_copy: Any) -> None:
    """In the middle of an episode, at an end of the rail too, and with the starts of the episodes after it."""
    for seed, size in ((1, 1.0), (2, 0.05)):
        env = make_robot_env(name, max_episode_steps=150)
        env.reset(seed=seed)
        before, after = actions_of(env, seed, 100, size), actions_of(env, seed + 10, 400, size)
        rows(env, before)
        copied = make_copy(env)
        assert rows(copied, after) == rows(env, after)
        assert copied.np_random.bit_generator.state == env.np_random.bit_generator.state
        env.close()
        copied.close()


@pytest.mark.parametrize("state", [[1.0, 2.0, 0.1, 0.0], [-1.0, -2.0, -0.1, 0.0]])
def test_a_copy_at_the_end_of_the_rail_keeps_what_is_between_cart_and_end(state: list[float]) -> None:
    env = make_robot_env("inverted_pendulum_swingup")
    env.reset(seed=1, options={"state": state})
    push = np.full((40, 1), np.sign(state[0]), np.float32)
    rows(env, push[:3])
    assert abs(env.joint_state()[0][0]) > 0.99
    copied = copy.deepcopy(env)
    assert rows(copied, push) == rows(env, push)
    env.close()
    copied.close()


def test_neither_of_original_and_copy_moves_the_other() -> None:
    env = make_robot_env(NAME)
    env.reset(seed=1)
    rows(env, actions_of(env, 1, 3, 0.1))
    copied = copy.deepcopy(env)
    at_rest = np.array(env.joint_state())
    rows(copied, actions_of(env, 2, 20))
    copied.action_space.seed(7)
    np.testing.assert_array_equal(np.array(env.joint_state()), at_rest)
    copied.close()
    env.step(np.zeros(1, np.float32))
    copied = copy.deepcopy(env)
    at_rest = np.array(copied.joint_state())
    rows(env, actions_of(env, 3, 20))
    env.close()
    np.testing.assert_array_equal(np.array(copied.joint_state()), at_rest)
    copied.step(np.zeros(1, np.float32))
    copied.close()


def test_a_copy_has_made_as_many_steps_as_the_original() -> None:
    env = make_robot_env(NAME, max_episode_steps=10)
    env.reset(seed=1)
    still = np.zeros(1, np.float32)
    for _ in range(7):
        env.step(still)
    copied = copy.deepcopy(env)
    for each in (env, copied):
        assert [each.step(still)[3] for _ in range(3)] == [False, False, True]
    over = copy.deepcopy(env)
    with pytest.raises(ResetNeeded):
        over.step(still)
    for each in (env, copied, over):
        each.close()


def test_a_copy_draws_its_own_pictures() -> None:
    env = make_robot_env(NAME, render_mode="rgb_array")
    env.reset(options={"state": [0.5, 0.0, 0.1, 0.0]})
    copied = copy.deepcopy(env)
    np.testing.assert_array_equal(copied.render(), env.render())
    copied.reset(options={"state": [-0.5, 0.0, 0.1, 0.0]})
    assert (np.array(copied.render()) != np.array(env.render())).any()
    env.close()
    copied.close()


def test_what_gymnasium_makes_is_copied_whole() -> None:
    env = gymnasium.make(GYMNASIUM_ID, max_episode_steps=8)
    env.reset(seed=3)
    still = np.zeros(1, np.float32)
    for _ in range(3):
        env.step(still)
    copied = copy.deepcopy(env)
    for _ in range(5):
        one, other = env.step(still), copied.step(still)
        np.testing.assert_array_equal(one[0], other[0])
        assert one[1:] == other[1:]
    assert one[3]
    env.close()
    copied.close()


def test_a_closed_environment_is_not_copied() -> None:
    env = make_robot_env(NAME)
    env.close()
    with pytest.raises(ClosedEnvironmentError, match="make a new one"):
        copy.deepcopy(env)


# Pickle


@pytest.mark.parametrize("name", TASKS)
def test_an_environment_that_was_pickled_begins_anew_with_the_same_arguments(name: str) -> None:
    env = make_robot_env(name, render_mode="rgb_array", max_episode_steps=12)
    env.reset(seed=1)
    env.step(np.zeros(1, np.float32))
    revived = repickled(env)
    with pytest.raises(ResetNeeded):
        revived.step(np.zeros(1, np.float32))
    assert (revived.render_mode, revived.max_episode_steps) == ("rgb_array", 12)
    assert revived.specification == env.specification
    env.reset(seed=5)
    revived.reset(seed=5)
    actions = actions_of(env, 1, 40)
    assert rows(revived, actions) == rows(env, actions)
    env.close()
    revived.close()


def test_what_gymnasium_makes_travels_to_another_process() -> None:
    env = gymnasium.make(GYMNASIUM_ID)
    program = (
        "import pickle, sys\n"
        "env = pickle.load(sys.stdin.buffer)\n"
        "sys.stdout.buffer.write(env.reset(seed=9)[0].tobytes())\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, input=pickle.dumps(env), capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == env.reset(seed=9)[0].tobytes()
    env.close()


# Worlds


def test_a_saved_world_is_loaded_by_any_world_of_its_machine_and_by_itself() -> None:
    world, other = (world_of("inverted_double_pendulum") for _ in range(2))
    world.reset([0.1, -0.2, 0.05, 0.3, -0.04, 0.2])
    world.step([0.4])
    saved = world.save()
    ends = []
    for each in (world, other, world, repickled(other)):
        each.load(saved)
        for _ in range(30):
            each.step([0.3])
        ends.append(each.state)
    for end in ends[1:]:
        np.testing.assert_array_equal(end, ends[0])
    world.close()
    other.close()


def test_a_saved_world_that_is_damaged_or_of_another_machine_is_refused_and_changes_nothing() -> None:
    worlds = [world_of(name) for name in TASKS]
    one, _, double = worlds
    one.reset([0.1, -0.2, 0.05, 0.3])
    state, saved = one.state, one.save()
    for wrong in (os.urandom(len(saved)), b"", saved[: len(saved) // 2], double.save()):
        with pytest.raises(StateError, match=r"cannot be loaded: expected what save\(\) gave for the same machine"):
            one.load(wrong)
    np.testing.assert_array_equal(one.state, state)
    one.step([1.0])
    expected = one.state
    one.load(saved)
    one.step([1.0])
    np.testing.assert_array_equal(one.state, expected)
    for world in worlds:
        world.close()


# What Gymnasium does with an environment


@pytest.mark.parametrize("name", TASKS)
def test_gymnasium_collects_pictures_into_lists(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gymnasium.make(gymnasium_id(name), render_mode="rgb_array_list")
    assert env.render_mode == "rgb_array_list"
    env.reset(seed=1)
    for _ in range(3):
        env.step(np.zeros(1, np.float32))
    pictures: Any = env.render()
    assert [picture.shape for picture in pictures] == [(480, 640, 3)] * 4
    env.close()


@pytest.mark.parametrize("name", TASKS)
def test_films_are_as_fast_as_the_control_period(name: str) -> None:
    env = gymnasium.make(gymnasium_id(name), render_mode="rgb_array")
    specification = make_robot_task(name).specification
    assert env.metadata["render_fps"] == round(1.0 / specification.control_period)
    assert isinstance(env.metadata["render_fps"], int), "gymnasium.utils.play asks for that"
    env.close()


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_several_at_once_move_as_each_alone_does(mode: Any) -> None:
    vector = gymnasium.make_vec(GYMNASIUM_ID, num_envs=2, vectorization_mode=mode)
    single = gymnasium.make(GYMNASIUM_ID)
    observations, _ = vector.reset(seed=4)
    starts = [single.reset(seed=seed)[0] for seed in (4, 5)]
    np.testing.assert_array_equal(observations, np.array(starts))
    action = np.array([[0.1], [-0.2]], np.float32)
    after, rewards, *_ = vector.step(action)
    np.testing.assert_array_equal(after[1], single.step(action[1])[0])
    assert rewards.tolist() == [1.0, 1.0]
    vector.close()
    single.close()


@pytest.mark.parametrize("name", TASKS)
def test_gymnasium_finds_nothing_wrong_with_a_copy_and_with_what_was_pickled(name: str) -> None:
    env = make_robot_env(name)
    for other in (copy.deepcopy(env), repickled(env)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            check_env(other, skip_render_check=True)  # the render check would open a window
        assert [text for text in map(str, (each.message for each in caught)) if "infinity" not in text] == []
        other.close()
    env.close()
