"""What topics say, as lines of JSON on standard output, for a page that shows it. Publishes nothing.

It polls: no callback, no executor, and messages that nobody has time for are overwritten in the middleware's queue.
"""

from __future__ import annotations

import collections
import json
import os
import sys
import time
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from sac_control.nodes import middleware, topics
from sac_control.nodes.messages import stamp_from_msg
from sac_control.system.background import yield_to_others

RATE = 60.0  # [1/s] of looking at what comes at the rate of control
SLOW_PERIOD = 0.25  # [s] between two looks at all else, as often as the page shows it
KEPT = 128  # messages that wait to be looked at, of each topic that is as fast as control
BURST_PERIOD = 1.0  # [s] between two looks where simulated time runs faster than it can be shown
MEASURING = 0.25  # [s] over which it is measured how fast time runs
FAST = 2.0  # simulated seconds per second, from which on that is so
HEARTBEAT = 1.0  # [s]
_SCALARS = [
    "phase",
    "env_steps",
    "max_steps",
    "episodes",
    "updates",
    "policy_version",
    "wall_time",
    "last_return",
    "mean_return",
    "evaluation_return",
    "critic_loss",
    "actor_loss",
    "alpha",
    "entropy",
    "steps_per_second",
    "updates_per_second",
    "replay_ratio",
    "plants_passed",
    "plants",
    "eta",
]


class Watcher:
    """Looks at the topics of one namespace.

    Subscribes:  policy/status, learner/status, /diagnostics; where states are wanted joint_states, observation and
                 policy/action, too; best effort, but for what is latched
    Publishes:   nothing

    Args:
        node: which subscribes.
        with_states: whether states and actions are wanted: each of them costs whoever publishes it a little.
    """

    def __init__(self, node: Node, *, with_states: bool) -> None:
        fast = (topics.JOINT_STATES, topics.OBSERVATION, topics.ACTION) if with_states else ()
        self._fast = {topic.name: _subscribe(node, topic, KEPT) for topic in fast}
        self._slow = {
            topic.name: _subscribe(node, topic, 10)
            for topic in (topics.POLICY_STATUS, topics.TRAINING_STATUS, topics.DIAGNOSTICS)
        }
        self._look_at = self._slow_at = -1.0
        self._seen: tuple[float, int] | None = None  # steady time [s] and stamp [ns] of the newest state
        self._speed = 1.0  # simulated seconds per second
        self._pace = MEASURING  # [s] between two looks

    def look(self, now: float) -> dict[str, Any]:
        """What is new at steady time `now` [s]."""
        news: dict[str, Any] = {}
        if self._fast and now >= self._look_at:
            states = [_state(msg) for msg in _taken(self._fast["joint_states"])]
            states = states or [_values(msg) for msg in _taken(self._fast["observation"])]
            actions = [_action(msg) for msg in _taken(self._fast["policy/action"])]
            if states:
                self._measure_speed(now, states[-1]["t"])
                news |= {"states": states, "speed": self._speed}
            if actions:
                news["actions"] = actions
            self._look_at = now + (BURST_PERIOD if self._speed > FAST else self._pace)
        if now >= self._slow_at:
            self._slow_at = now + SLOW_PERIOD
            for name, as_json in (("policy/status", _policy), ("learner/status", _training)):
                newest = collections.deque(_taken(self._slow[name]), maxlen=1)
                if newest:
                    news[name] = as_json(newest[0])
            found = [each for msg in _taken(self._slow["/diagnostics"]) for each in _diagnostics(msg)]
            if found:
                news["diagnostics"] = found
        return news

    def _measure_speed(self, now: float, stamp: int) -> None:
        if self._seen is not None and now - self._seen[0] >= MEASURING:
            speed = (stamp - self._seen[1]) / 1e9 / (now - self._seen[0])
            self._speed = speed if speed > 0.0 else self._speed
            self._seen, self._pace = (now, stamp), 0.0
        elif self._seen is None:
            self._seen = now, stamp


def _subscribe(node: Node, topic: topics.Topic, depth: int) -> Any:
    latched = topic.publisher_qos.durability == DurabilityPolicy.TRANSIENT_LOCAL
    qos = QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if latched else ReliabilityPolicy.BEST_EFFORT,  # else nothing is latched
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )
    return node.create_subscription(topic.type, topic.name, lambda _: None, qos)


def _taken(subscription: Any) -> Any:
    """All messages that wait."""
    for _ in range(KEPT):
        taken = subscription.handle.take_message(subscription.msg_type, False)
        if not taken:
            return
        yield taken[0]


def _state(msg: Any) -> dict[str, Any]:
    return {
        "t": stamp_from_msg(msg.header.stamp),
        "names": list(msg.name),
        "position": list(msg.position),
        "velocity": list(msg.velocity),
    }


def _values(msg: Any) -> dict[str, Any]:
    return {"t": stamp_from_msg(msg.header.stamp), "values": list(msg.values)}


def _action(msg: Any) -> dict[str, Any]:
    return {
        "t": stamp_from_msg(msg.header.stamp),
        "version": msg.policy_version,
        "mode": msg.mode,
        "region": msg.region,
        "command": list(msg.command),
        "command_raw": list(msg.command_raw),
    }


def _policy(msg: Any) -> dict[str, Any]:
    names = [
        "mode",
        "cause",
        "run",
        "policy_version",
        "offered_verdict",
        "region",
        "swaps",
        "rejected_weights",
        "rejected_states",
        "state_age",
    ]
    return {name: getattr(msg, name) for name in names} | {"joints": list(msg.joints)}


def _training(msg: Any) -> dict[str, Any]:
    return {name: getattr(msg, name) for name in _SCALARS}


def _diagnostics(msg: Any) -> list[dict[str, Any]]:
    return [{"name": each.name, "level": each.level[0], "message": each.message} for each in msg.status]


def _make_node(namespace: str) -> Node:
    middleware.init()
    return Node(f"watcher_{os.getpid()}", namespace=namespace, enable_rosout=False, start_parameter_services=False)


def main() -> int:
    """Wait to be told where to look, one line of JSON on standard input; then look until whoever reads is gone."""
    line = sys.stdin.readline()
    if not line.strip():
        return 0  # nobody wants to know any more
    told = json.loads(line)
    os.environ.update(told["environment"])
    node = _make_node(told["namespace"])
    yield_to_others()  # only this thread: one of the middleware's that were put off would hold a publisher up
    watcher, said_at = Watcher(node, with_states=told["with_states"]), 0.0
    try:
        while True:
            now = time.monotonic()
            news = watcher.look(now)
            if news or now - said_at >= HEARTBEAT:
                said_at = now
                sys.stdout.write(json.dumps(news) + "\n")
                sys.stdout.flush()
            time.sleep(1.0 / RATE if told["with_states"] else SLOW_PERIOD)
    except (BrokenPipeError, KeyboardInterrupt):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing left to flush into a closed pipe
        return 0
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    sys.exit(main())
