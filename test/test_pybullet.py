"""What the pybullet engine alone could do wrong: engine numbers that are used again, and its talkative window."""

from __future__ import annotations

import copy
import gc
import os
from typing import Any

import numpy as np
import pybullet
import pytest

from sac_control.envs import make_robot_env
from sac_control.envs.pacer import Pacer
from sac_control.errors import ConfigError
from sac_control.worlds import pybullet_window as window
from tasks_for_tests import pybullet_world

NAME = "inverted_pendulum"
STATE = [0.1, -0.2, 0.05, 0.3]


# Engine numbers


def count_engines() -> int:
    return sum(pybullet.getConnectionInfo(client)["isConnected"] for client in range(256))


def test_a_closed_world_cannot_reach_the_one_that_inherits_its_engine_number() -> None:
    closed = pybullet_world(NAME)
    closed.close()
    heir = pybullet_world(NAME)
    heir.reset(STATE)
    for disturb in (lambda: closed.step([100.0]), lambda: closed.reset([0.0] * 4), closed.render):
        with pytest.raises(pybullet.error, match="Not connected"):
            disturb()
    heir.step([0.0])
    alone = heir.state
    heir.reset(STATE)
    heir.step([0.0])
    heir.close()
    np.testing.assert_array_equal(heir.state, alone)


def test_a_forgotten_environment_releases_its_engine() -> None:
    before = count_engines()
    env = make_robot_env(NAME)
    assert count_engines() == before + 1
    del env
    gc.collect()
    assert count_engines() == before


# Windows


@pytest.fixture
def engine_modes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Records which kind of engine is asked for, and gives a headless one where a window needs a display."""
    modes: list[int] = []
    connect = pybullet.connect

    def recording_connect(mode: int) -> Any:
        modes.append(mode)
        if mode == pybullet.GUI:
            os.write(1, b"as talkative as the window's code")
        return connect(pybullet.DIRECT)

    monkeypatch.setattr(pybullet, "connect", recording_connect)
    monkeypatch.setattr(window, "_has_display", lambda: True)
    return modes


def test_only_human_mode_opens_a_window_and_standard_output_stays_clean(
    engine_modes: list[int], capfd: pytest.CaptureFixture[str]
) -> None:
    for mode in (None, "rgb_array", "human"):
        make_robot_env(NAME, render_mode=mode).close()
    assert engine_modes == [pybullet.DIRECT, pybullet.DIRECT, pybullet.GUI]
    printed = capfd.readouterr()
    assert printed.out == ""
    assert "talkative" in printed.err


@pytest.mark.parametrize("is_paced", [True, False])
def test_human_mode_waits_after_each_step_only_where_paced(
    engine_modes: list[int], monkeypatch: pytest.MonkeyPatch, is_paced: bool
) -> None:
    waits: list[str] = []
    monkeypatch.setattr(Pacer, "wait", lambda pacer: waits.append("wait"))
    env = make_robot_env(NAME, render_mode="human", is_paced=is_paced)
    env.reset(seed=0)
    env.step(np.zeros(1, np.float32))
    env.step(np.zeros(1, np.float32))
    env.step_command([0.0])
    assert env.render() is None
    env.close()
    assert len(waits) == (2 if is_paced else 0)


@pytest.mark.parametrize("make_copy", [copy.deepcopy, copy.copy])
def test_what_is_shown_in_a_window_is_not_copied(make_copy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = pybullet.connect
    monkeypatch.setattr(pybullet, "connect", lambda mode: connect(pybullet.DIRECT))  # no display is needed
    monkeypatch.setattr(window, "_has_display", lambda: True)
    env = make_robot_env(NAME, render_mode="human")
    env.reset(seed=1)
    for shown in (env, env._world):
        with pytest.raises(ConfigError, match="window cannot be copied.*render_mode None or rgb_array"):
            make_copy(shown)
    env.step(np.zeros(1, np.float32))
    env.close()
