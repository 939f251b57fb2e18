"""The adapter of Gymnasium's environments: units of actions, ends of episodes, pictures, and what is refused."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from gymnasium_environments import TOLD, Told
from sac_control.envs.gymnasium_env import GymnasiumEnv
from sac_control.errors import ConfigError, StateError
from sac_control.tasks.gymnasium_task import GymnasiumTask


def env_of(reference: str, **options: Any) -> GymnasiumEnv:
    return GymnasiumEnv(GymnasiumTask(reference), **options)


def given(env: GymnasiumEnv) -> list[Any]:
    told = env._env.unwrapped
    assert isinstance(told, Told)
    return told.actions


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", [-1.0, -0.5, 0.0, 1.0]),
        (",low=2.0,high=4.0", [2.0, 2.5, 3.0, 4.0]),
        (",low=-3.0e+38,high=3.0e+38", [-3.0e38, -1.5e38, 0.0, 3.0e38]),
        (",low=0,high=255,kind=uint8", [0, 64, 128, 255]),
        (",low=-2,high=2,kind=float64", [-2.0, -1.0, 0.0, 2.0]),
    ],
)
def test_actions_from_minus_one_to_one_span_the_box_linearly(arguments: str, expected: list[float]) -> None:
    env = env_of(f"{TOLD}{arguments}")
    env.reset(seed=0)
    for share in (-1.0, -0.5, 0.0, 1.0, 7.0):
        env.step(np.array([share], np.float32))
    np.testing.assert_array_equal(given(env), np.array([*expected, expected[-1]], given(env)[0].dtype)[:, None])


def test_torque_of_the_pendulum_is_twice_the_action() -> None:
    import gymnasium

    ours, theirs = env_of("gymnasium/Pendulum-v1"), gymnasium.make("Pendulum-v1")
    np.testing.assert_array_equal(ours.reset(seed=7)[0], theirs.reset(seed=7)[0])
    for action in np.linspace(-1.0, 1.0, 50, dtype=np.float32):
        observation, reward, *_ = ours.step(np.array([action]))
        expected = theirs.step(np.array([2.0 * action], np.float32))
        np.testing.assert_array_equal(observation, expected[0])
        assert reward == expected[1]


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        (
            "observation",
            r"observation of .*,fault=observation is \[3.0, nan\] at step 3 of an episode: expected 2 f",
        ),
        ("reward", "reward of .*Told-v0,fault=reward is inf at step 3 of an episode: expected a finite number"),
        ("size", "observation of .* at step 3 of an episode: expected 2 finite numbers"),
    ],
)
def test_what_is_not_finite_is_told_with_environment_and_step(fault: str, complaint: str) -> None:
    env = env_of(f"{TOLD},fault={fault}")
    env.reset(seed=0)
    for _ in range(2):
        env.step(np.zeros(1, np.float32))
    with pytest.raises(StateError, match=complaint):
        env.step(np.zeros(1, np.float32))


def test_end_of_an_environment_and_the_limit_of_steps_are_told_apart() -> None:
    env = env_of(f"{TOLD},fault=end", max_episode_steps=5)
    env.reset(seed=0)
    assert [env.step(np.zeros(1, np.float32))[2:4] for _ in range(3)] == [(False, False)] * 2 + [(True, False)]
    env = env_of(TOLD, max_episode_steps=2)
    env.reset(seed=0)
    assert [env.step(np.zeros(1, np.float32))[2:4] for _ in range(2)] == [(False, False), (False, True)]


def test_observation_of_double_precision_and_of_several_axes_is_flat_and_single() -> None:
    env = env_of(f"{TOLD},size=3")
    first, _ = env.reset(seed=0)
    assert first.shape == (3,)
    assert first.dtype == np.float32
    second = env.step(np.zeros(1, np.float32))[0]
    assert second is not first
    np.testing.assert_array_equal(env.signals(5, "frame").values, second)


def test_copy_is_refused_because_not_every_environment_can_be_copied() -> None:
    env = env_of("gymnasium/LunarLanderContinuous-v3")
    for make in (copy.copy, copy.deepcopy):
        with pytest.raises(ConfigError, match="gymnasium/LunarLanderContinuous-v3 cannot be copied as it stands"):
            make(env)


@pytest.mark.parametrize("name", ["Pendulum-v1", "BipedalWalker-v3"])
def test_picture_is_that_of_the_environment_and_changes_nothing(name: str) -> None:
    shown, plain = env_of(f"gymnasium/{name}", render_mode="rgb_array"), env_of(f"gymnasium/{name}")
    for env in (shown, plain):
        env.reset(seed=1)
    for _ in range(5):
        picture = shown.render()
        assert picture is not None
        assert picture.dtype == np.uint8
        assert picture.shape[2] == 3
        assert np.ptp(picture) > 0
        action = np.full(len(shown.specification.command_limit), 0.5, np.float32)
        np.testing.assert_array_equal(shown.step(action)[0], plain.step(action)[0])


def test_starts_differ_where_no_seed_is_given_even_behind_a_trial_of_the_renderer() -> None:
    starts = [env_of("gymnasium/Pendulum-v1", render_mode="rgb_array").reset()[0].tolist() for _ in range(2)]
    assert starts[0] != starts[1]


def test_window_runs_in_real_time_or_unpaced_as_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    took = {}
    for is_paced in (True, False):
        env = env_of("gymnasium/Pendulum-v1", render_mode="human", is_paced=is_paced)
        env.reset(seed=0)
        start = time.monotonic()
        for _ in range(30):
            env.step(np.zeros(1, np.float32))
        took[is_paced] = time.monotonic() - start
        env.close()
    assert took[True] > 0.9, "30 steps of 1/30 s each"
    assert took[False] < took[True]


def test_window_without_a_display_and_pictures_of_nothing_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="no window can be opened, because DISPLAY is not set"):
        env_of("gymnasium/Pendulum-v1", render_mode="human")
    with pytest.raises(ConfigError, match="Told-v0 cannot be shown"):
        env_of(TOLD, render_mode="rgb_array")
    with pytest.raises(ConfigError, match="render mode 'ansi' is not known"):
        env_of("gymnasium/Pendulum-v1", render_mode="ansi")


def test_pictures_without_pygame_are_refused_with_the_command_that_installs_it() -> None:
    code = (
        "import sys; sys.modules['pygame'] = None\n"
        "from sac_control.errors import ConfigError\n"
        "from sac_control.envs import make_env\n"
        "make_env('gymnasium/Pendulum-v1').close()\n"
        "try:\n    make_env('gymnasium/Pendulum-v1', 'rgb_array')\nexcept ConfigError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert 'pip install "gymnasium[classic-control]"' in done.stdout, done.stdout + done.stderr
