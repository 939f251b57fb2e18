"""Which clock stamps are of: a stand-in for a robot has system time, as robots do; simulated time is that of /clock."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from std_srvs.srv import SetBool

from policies import make_file
from ros_world import RosWorld
from sac_control.nodes import messages, topics
from sac_control.nodes.policy import PolicyNode
from sac_control.nodes.simulator import SimulatorNode
from sac_control.policy.safety import Mode

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
