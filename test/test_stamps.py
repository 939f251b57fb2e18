"""Which clock stamps are of: system time, as a robot's, or simulated time that begins there; or that of /clock."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from std_srvs.srv import SetBool

from policies import RUN_ID, make_file
from ros_world import RosWorld
from sac_control.envs.registry import make_env
from sac_control.nodes import messages, topics
from sac_control.nodes.policy import PolicyNode
from sac_control.nodes.simulator import SimulatorNode
from sac_control.policy.safety import Mode
from sac_control.simulation.episode_runner import EpisodeRunner

PERIOD = 16_500_000  # [ns] of the pendulum's control
CLOSE = 0.25  # [s] on a computer that has more to do; stamps are late by as much as the states were held up
CALM: dict[str, object] = {"state_timeout": 2.0, "allow_long_timeout": True, "period_error": 100.0}


@pytest.fixture
def policy_path(tmp_path: Path) -> Path:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(make_file().to_bytes())
    return path


def stamp_of(msg: Any) -> int:
    return messages.stamp_from_msg(msg.header.stamp)


def test_stand_in_for_a_robot_stamps_with_system_time_and_stands_still_while_it_is_paused() -> None:
    with RosWorld(simulator={"mode": "realtime"}) as ros:
        states = ros.hear(topics.JOINT_STATES)
        ros.add(SimulatorNode)
        ros.until(lambda: len(states) > 20, "no states")
        stamps = [stamp_of(state) for state in states]
        assert stamps == sorted(set(stamps)), "each its own, before a first command, too"
        assert abs(time.time_ns() - stamps[-1]) < 60e9
        ros.call(SetBool, topics.SIMULATOR_PAUSE, SetBool.Request(data=True))
        count = len(states)
        ros.until(lambda: len(states) > count + 20, "no states")
        assert len({stamp_of(state) for state in states[count + 2 :]}) == 1


@pytest.mark.parametrize("use_sim_time", [True, False])
def test_simulated_time_on_the_clock_topic_is_what_stamps_are_compared_with(
    policy_path: Path, use_sim_time: bool
) -> None:
    """The policy node takes the same states for half a century old without use_sim_time."""
    policy: dict[str, object] = {"policy_file": str(policy_path), **CALM, "use_sim_time": use_sim_time}
    with RosWorld(simulator={"mode": "realtime", "publish_clock": True}, policy=policy) as ros:
        statuses = ros.hear(topics.POLICY_STATUS)
        ros.add(SimulatorNode)
        node = ros.add(PolicyNode)
        assert node._controller.period.compares_clocks is not use_sim_time
        if use_sim_time:
            ros.until(lambda: node._controller.ticks > 50, "states are not answered")
            assert node._controller.admission.stamp < 10**15, "simulated"
        else:
            ros.until(lambda: any("s old, limit " in status.cause for status in statuses), "the reason is not told")
            assert node._controller.mode is Mode.ARMING
            assert node._controller.ticks == 0


def test_simulated_time_begins_at_system_time_and_passes_by_whole_periods(policy_path: Path) -> None:
    policy: dict[str, object] = {"policy_file": str(policy_path), "lockstep": True, "run_id": RUN_ID}
    simulator: dict[str, object] = {"flow_control": False, "run_id": RUN_ID}
    with RosWorld(simulator=simulator, policy=policy) as ros:
        states = ros.hear(topics.JOINT_STATES)
        began = time.time_ns()
        ros.add(SimulatorNode)
        ros.add(PolicyNode)
        ros.until(lambda: len(states) > 100, "no states")
        assert began <= stamp_of(states[0]) <= time.time_ns()
        stamps = sorted({stamp_of(state) for state in states})
        assert {after - before for before, after in itertools.pairwise(stamps)} <= {PERIOD, 2 * PERIOD, 3 * PERIOD}


def test_in_real_time_stamps_stay_at_system_time_through_waiting_and_episodes(policy_path: Path) -> None:
    """Each episode begins with a gap, by which those who look back tell it, and which takes no time."""
    policy: dict[str, object] = {"policy_file": str(policy_path), "run_id": RUN_ID, **CALM}
    simulator: dict[str, object] = {"mode": "realtime", "run_id": RUN_ID, "max_episode_steps": 15}
    ages: list[float] = []
    with RosWorld(simulator=simulator, policy=policy) as ros:
        ros.hear(topics.JOINT_STATES, lambda state: ages.append(1e-9 * (time.time_ns() - stamp_of(state))))
        transitions = ros.hear(topics.TRANSITIONS)
        ros.add(SimulatorNode)
        ros.spin_for(0.5)
        assert max(map(abs, ages)) < CLOSE, "while nobody commands anything"
        ros.add(PolicyNode)
        ros.until(lambda: transitions and transitions[-1].episode == 12, "no episodes")
    assert max(map(abs, ages)) < CLOSE
    for before, after in itertools.pairwise(transitions):
        periods = (stamp_of(after) - stamp_of(before)) / PERIOD
        assert 0.9 < periods < 1.1 if after.episode == before.episode else periods > 1.5


def test_a_clock_that_is_set_back_by_an_hour_sets_no_stamp_back() -> None:
    env = make_env("inverted_pendulum", max_episode_steps=7)
    runner = EpisodeRunner(env, source=1, seed=0, begin=10**18)
    try:
        for _ in range(30):
            before = runner.stamp
            runner.step(np.zeros(1), policy_version=0)
            runner.follow(10**18 - 3600 * 10**9)
            assert runner.stamp - before > 0.9 * PERIOD
    finally:
        runner.close()
