"""What nodes say reaches the page's process by their topics, without a publisher of its own; it ends with that."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import diagnostic_msgs.msg
import sac_control.msg
import sensor_msgs.msg

from ros_world import PATIENCE, RosWorld
from sac_control.cli.runner import node_environment
from sac_control.nodes import topics
from sac_control.nodes.watcher import FAST, MEASURING, Watcher
from sac_control.watch.feed import Feed


def heard(
    ros: RosWorld, feed: Feed, say: Callable[[int], None], is_enough: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """All news, put together, while `say` is called again and again with a growing number."""
    found: dict[str, Any] = {}
    until = time.monotonic() + PATIENCE
    number = 0
    while not is_enough(found):
        assert time.monotonic() < until, found
        assert feed.is_alive
        say(number)
        number += 1
        time.sleep(0.02)
        for news in feed.take():
            for name, value in news.items():
                found[name] = found.get(name, []) + value if isinstance(value, list) else value
    return found


def state(number: int) -> sensor_msgs.msg.JointState:
    msg = sensor_msgs.msg.JointState(name=["cart", "pole"], position=[0.1 * number, 2.0], velocity=[3.0, 4.0])
    msg.header.stamp.sec, msg.header.stamp.nanosec = divmod(number * 20_000_000, 1_000_000_000)
    return msg


def test_states_actions_and_status_are_heard_in_their_namespace_and_the_watcher_publishes_nothing() -> None:
    with RosWorld("/training") as ros:
        node = ros.probe
        states, actions = topics.publisher(node, topics.JOINT_STATES), topics.publisher(node, topics.ACTION)
        policy = topics.publisher(node, topics.POLICY_STATUS)
        training = topics.publisher(node, topics.TRAINING_STATUS)
        diagnostics = topics.publisher(node, topics.DIAGNOSTICS)
        policy.publish(
            sac_control.msg.PolicyStatus(mode=2, policy_version=7, cause="answers", run="r")
        )  # before: latched

        def say(number: int) -> None:
            states.publish(state(number))
            action = sac_control.msg.PolicyAction(policy_version=7, mode=2, command=[5.0])
            action.header.stamp = state(number).header.stamp
            actions.publish(action)
            training.publish(sac_control.msg.TrainingStatus(env_steps=number, alpha=0.5))
            status = diagnostic_msgs.msg.DiagnosticStatus(name="learner", level=b"\x01", message="slow")
            diagnostics.publish(diagnostic_msgs.msg.DiagnosticArray(status=[status]))

        environment = node_environment(os.environ, domain=node.context.get_domain_id())
        feed = Feed(environment)
        try:
            feed.listen({}, "/training", with_states=True)
            wanted = {"states", "actions", "policy/status", "learner/status", "diagnostics"}
            found = heard(ros, feed, say, lambda found: found.keys() >= wanted and len(found["states"]) > 20)
            assert found["states"][-1]["names"] == ["cart", "pole"]
            assert found["states"][-1]["velocity"] == [3.0, 4.0]
            stamps = [each["t"] for each in found["states"]]
            assert stamps == sorted(set(stamps))
            assert found["actions"][-1] | {"t": 0} == {
                "t": 0, "version": 7, "mode": 2, "region": 0, "command": [5.0], "command_raw": [],
            }  # fmt: skip
            assert (found["policy/status"]["cause"], found["policy/status"]["policy_version"]) == ("answers", 7)
            assert found["learner/status"]["alpha"] == 0.5
            assert {"name": "learner", "level": 1, "message": "slow"} in found["diagnostics"]
            (watcher,) = (name for name in node.get_node_names() if name.startswith("watcher"))
            published = node.get_publisher_names_and_types_by_node(watcher, "/training")
            assert [name for name, _ in published] == ["/parameter_events"]  # which rclpy gives to every node
        finally:
            feed.close()
        assert not feed.is_alive


class OneTopic(Watcher):
    """Counts how often the states are looked at, of which there are as many as one likes."""

    def __init__(self) -> None:
        self.stamp = 0
        self._fast = {"joint_states": self, "observation": self, "policy/action": self}
        self._slow = {}
        self._look_at, self._slow_at = -1.0, float("inf")
        self._seen, self._speed, self._pace = None, 1.0, MEASURING


def test_states_of_fast_time_are_looked_at_once_per_second_and_those_of_real_time_always(monkeypatch: Any) -> None:
    for factor, looks in ((50.0, range(9, 14)), (1.0, range(560, 602))):
        watcher, count = OneTopic(), 0

        def taken(_: object, watcher: OneTopic = watcher) -> list[sensor_msgs.msg.JointState]:
            return [state(watcher.stamp // 20_000_000)]

        monkeypatch.setattr("sac_control.nodes.watcher._taken", taken)
        monkeypatch.setattr("sac_control.nodes.watcher._action", lambda _: {})
        for step in range(600):  # 10 s
            now = step / 60.0
            watcher.stamp = int(1e9 * factor * now)
            count += "states" in watcher.look(now)
        assert count in looks, (factor, count, FAST)


def test_watcher_ends_when_nobody_reads_or_asks() -> None:
    command = [sys.executable, "-m", "sac_control.nodes.watcher"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=node_environment(os.environ, domain=99)
    )
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(PATIENCE) == 0
    with RosWorld() as ros:
        environment = node_environment(os.environ, domain=ros.probe.context.get_domain_id())
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b'{"environment": {}, "namespace": "/x", "with_states": false}\n')
        process.stdin.flush()
        assert process.stdout.readline() == b"{}\n"
        process.stdout.close()
        assert process.wait(PATIENCE) == 0
