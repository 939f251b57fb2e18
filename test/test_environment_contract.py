"""What envs/environment.py promises, of each built-in task in each engine and of environments of Gymnasium."""

from __future__ import annotations

import copy
import itertools
import math
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from gymnasium.error import ClosedEnvironmentError, InvalidAction, ResetNeeded
from gymnasium.utils.env_checker import check_env
from numpy.typing import NDArray

from gymnasium_environments import TOLD
from policies import RUN_ID, make_file
from sac_control.envs import TASKS, make_env
from sac_control.envs.environment import Environment
from sac_control.errors import ConfigError
from sac_control.identity import frame_id
from sac_control.policy.controller import Controller
from sac_control.policy.policy_config import PolicyConfig
from sac_control.robots.engines import OURS, is_installed
from sac_control.simulation.episode_runner import EpisodeRunner
from sac_control.types import MOST_DRIVEN, MOST_STATE, MOST_TERMS, JointState, Observation

OF_GYMNASIUM = (
    "gymnasium/Pendulum-v1",
    "gymnasium/MountainCarContinuous-v0",
    "gymnasium/LunarLanderContinuous-v3,gravity=-5,enable_wind=true",
    "gymnasium/BipedalWalker-v3",
    f"{TOLD},size=5,actions=3",
)
CASES = [*itertools.product(TASKS, filter(is_installed, OURS)), *((name, "") for name in OF_GYMNASIUM)]
Case = tuple[str, str]  # task and engine


@pytest.fixture(params=CASES, ids=["-".join(filter(None, case)).replace("gymnasium/", "") for case in CASES])
def case(request: pytest.FixtureRequest) -> Case:
    return request.param  # type: ignore[no-any-return]


def make(case: Case, **options: Any) -> Environment:
    return make_env(case[0], engine=case[1], **options)


@pytest.fixture
def env(case: Case) -> Iterator[Environment]:
    env = make(case, max_episode_steps=30)
    yield env
    env.close()


def actions_of(env: Environment, count: int = 60) -> NDArray[np.float32]:
    size = len(env.specification.command_limit)
    return np.random.default_rng(5).uniform(-1.0, 1.0, (count, size)).astype(np.float32)


def played(env: Environment, seed: int | None) -> list[tuple[Any, ...]]:
    """What episodes in a row are like."""
    observation, _ = env.reset(seed=seed)
    rows: list[tuple[Any, ...]] = [(observation.tobytes(),)]
    for action in actions_of(env):
        observation, reward, terminated, truncated, _ = env.step(action)
        rows.append((observation.tobytes(), env.state.tobytes(), reward, terminated, truncated))
        if terminated or truncated:
            rows.append((env.reset()[0].tobytes(),))
    return rows


def test_spaces_and_sizes_are_those_of_the_specification_and_fit_into_messages(env: Environment) -> None:
    specification = env.specification
    assert specification is env.task.specification
    assert env.observation_space.shape == (len(specification.observation),)
    assert env.action_space.shape == (len(specification.command_limit),)
    observation, _ = env.reset(seed=0)
    assert observation.shape == env.observation_space.shape
    assert observation.dtype == np.float32
    assert env.state.shape == (2 * len(specification.joints),)
    assert len(specification.observation) <= MOST_TERMS
    assert len(specification.command_limit) <= MOST_DRIVEN
    assert len(env.state) <= MOST_STATE
    assert env.engine


@pytest.mark.filterwarnings("ignore")
def test_gymnasium_finds_nothing_wrong(env: Environment) -> None:
    check_env(env, skip_render_check=True)


def test_same_seed_and_actions_lead_to_the_same_numbers_whoever_runs_beside(case: Case, env: Environment) -> None:
    other = make(case, max_episode_steps=30)
    alone = played(env, 3)
    assert played(env, 3) == alone
    other.reset(seed=3)
    beside = [(env.reset(seed=3)[0].tobytes(),)]
    for action in actions_of(env, 5):
        other.step(-action)
        beside.append((env.step(action)[0].tobytes(),))
    assert beside == [row[:1] for row in alone[:6]]
    assert played(env, 4) != alone
    other.close()


def test_observations_and_states_that_were_handed_out_do_not_change_later(env: Environment) -> None:
    observation, _ = env.reset(seed=0)
    signals = env.signals(7, "frame")
    kept, shown = observation.copy(), repr(signals)
    for action in actions_of(env, 3):
        env.step(action)
    np.testing.assert_array_equal(observation, kept)
    assert repr(signals) == shown


def test_actions_beyond_the_limits_are_clipped(env: Environment) -> None:
    size = len(env.specification.command_limit)
    results = []
    for action in (np.ones(size), np.full(size, 3.0)):
        env.reset(seed=0)
        results.append([env.step(action.astype(np.float32))[0].tobytes() for _ in range(3)])
    assert results[0] == results[1]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_action_that_is_none_is_refused_and_moves_nothing(env: Environment, value: float) -> None:
    size = len(env.specification.command_limit)
    first, _ = env.reset(seed=0)
    for action in (np.full(size, value, np.float32), np.zeros(size + 1, np.float32)):
        with pytest.raises(InvalidAction):
            env.step(action)
    after = env.step(np.zeros(size, np.float32))[0]
    np.testing.assert_array_equal(env.reset(seed=0)[0], first)
    np.testing.assert_array_equal(env.step(np.zeros(size, np.float32))[0], after)


def test_episode_is_truncated_after_the_steps_that_were_asked_for_and_goes_on_by_a_reset_alone(case: Case) -> None:
    env = make(case, max_episode_steps=2)
    still = np.zeros(len(env.specification.command_limit), np.float32)
    with pytest.raises(ResetNeeded):
        env.step(still)
    env.reset(seed=0)
    assert [env.step(still)[2:4] for _ in range(2)] == [(False, False), (False, True)]
    with pytest.raises(ResetNeeded):
        env.step(still)
    env.reset()
    env.step(still)
    env.close()
    env.close()
    with pytest.raises(ClosedEnvironmentError):
        env.reset()


def test_signals_are_of_one_moment_and_a_policy_sees_in_them_what_the_environment_shows(env: Environment) -> None:
    specification = env.specification
    runner = EpisodeRunner(env, source=1, seed=0, frame=frame_id(RUN_ID, specification.hash))
    controller = Controller(PolicyConfig(task=specification.task, run_id=RUN_ID, lockstep=True))
    controller.install(make_file(specification=specification))
    controller.activate()
    for count in range(40):
        signals = runner.signals
        assert isinstance(signals, JointState if specification.joints else Observation)
        assert signals.frame == frame_id(RUN_ID, specification.hash)
        action = controller.answer(signals)
        assert action is not None, controller.admission.last_rejection
        assert action.stamp == signals.stamp == runner.stamp
        seen = controller.admission.observation.copy()
        transition = runner.step(action.command, action.policy_version)
        np.testing.assert_array_equal(seen, transition.observation, err_msg=f"step {count}")


def test_starts_of_an_evaluation_follow_from_the_stream_alone_and_can_be_begun_from(env: Environment) -> None:
    starts, again = (list(env.starts(np.random.default_rng(2), 6)) for _ in range(2))
    assert len(starts) == 6
    assert repr(starts) == repr(again)
    first = [env.reset(**start)[0].tobytes() for start in starts]
    assert first == [env.reset(**start)[0].tobytes() for start in again]
    assert len(set(first)) == 6 or TOLD in env.specification.task
    assert len(env.starts(np.random.default_rng(2), 0)) == 0
    extreme = env.extreme_starts(np.random.default_rng(2), 4)
    assert len(extreme) <= 4
    for start in extreme:
        env.reset(**start)


def test_copy_goes_on_alike_or_is_refused_and_what_is_unpickled_begins_anew(env: Environment) -> None:
    expected = played(env, 9)
    assert played(pickle.loads(pickle.dumps(env)), 9) == expected  # noqa: S301  our own bytes
    env.reset(seed=1)
    try:
        copied = copy.deepcopy(env)
    except ConfigError as error:
        assert "cannot be copied" in str(error)  # noqa: PT017  one of the two is promised
        return
    for action in actions_of(env, 5):
        assert env.step(action)[0].tobytes() == copied.step(action)[0].tobytes()
