"""Joints of a simulation go out by their names, for those who plot, and cost nothing where nobody does."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import pytest

from policies import RUN_ID, SPECIFICATION, make_file
from ros_world import RosWorld
from sac_control.nodes import topics
from sac_control.nodes.joint_outlet import JointOutlet
from sac_control.nodes.policy import PolicyNode
from sac_control.nodes.simulator import SimulatorNode
from sac_control.simulation.joint_topics import FIELDS, SHORTEST_PERIOD, joint_topics

CART, POLE = SPECIFICATION.joints


def test_names_of_joints_become_names_of_topics_each_its_own() -> None:
    assert joint_topics((CART, POLE)) == {CART: f"joint/{CART}", POLE: f"joint/{POLE}"}
    names = joint_topics(("left/arm", "left-arm", "left arm", "2nd", "gelenk_ä", "ось", "_", "joint_5"))
    assert list(names.values()) == [
        "joint/left_arm", "joint/left_arm_1", "joint/left_arm_2", "joint/joint_2nd", "joint/gelenk", "joint/joint_5",
        "joint/joint_6", "joint/joint_5_7",
    ]  # fmt: skip
    assert joint_topics(()) == {}


def test_fields_are_those_of_the_message() -> None:
    assert tuple(topics.joint("").type.get_fields_and_field_types()) == FIELDS


@pytest.mark.parametrize("mode", ["lockstep", "realtime"])
def test_each_joint_is_heard_by_name_as_often_as_is_worth_drawing(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(make_file().to_bytes())
    policy: dict[str, object] = {
        "policy_file": str(path), "run_id": RUN_ID, "lockstep": mode == "lockstep", "period_error": 100.0,
    }  # fmt: skip
    simulator: dict[str, object] = {"mode": mode, "run_id": RUN_ID, "flow_control": False}
    with RosWorld("/lab", simulator=simulator, policy=policy) as ros:
        states, transitions = ros.hear(topics.JOINT_STATES), ros.hear(topics.TRANSITIONS)
        cart, pole = (ros.hear(topics.joint(f"joint/{name}")) for name in (CART, POLE))
        began = time.monotonic()
        ros.add(SimulatorNode)
        ros.add(PolicyNode)
        ros.until(lambda: len(pole) > 30 and any(msg.command for msg in cart), "nobody tells of the joints")
        ros.until(lambda: len(transitions) > 100, "no transitions")
        assert max(len(cart), len(pole)) <= (time.monotonic() - began) / SHORTEST_PERIOD + 1
        seen = {tuple(state.position) for state in states}
        drawn = [(first.position, second.position) for first, second in zip(cart[5:25], pole[5:25], strict=False)]
        assert set(drawn) & seen, "what is drawn is what was published"
        assert all(math.isnan(msg.command) for msg in pole), "nothing drives it"
        assert max(abs(msg.command) for msg in cart) <= 100.0


def test_nothing_is_made_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    with RosWorld() as ros:
        outlet = JointOutlet(ros.probe, SPECIFICATION)
        runner: object = None  # whose state nobody asks for
        for now in range(10):
            outlet.publish(runner, np.zeros(1), float(now))  # type: ignore[arg-type]
        assert outlet.refusals == 0
        monkeypatch.setattr(topics, "is_heard", lambda _: pytest.fail("it is not looked at more often than it is told"))
        outlet.publish(runner, np.zeros(1), 9.0 + 0.5 * SHORTEST_PERIOD)  # type: ignore[arg-type]
