"""Sends far more than anybody can take: transitions from many sources, malformed ones among them, or joint states.

``python flooder.py transitions|states RATE SECONDS``. Says what it has sent as one line of JSON after each part, and
goes on when a line comes in. Every transition that is sent is counted by what a learner must make of it.
"""

from __future__ import annotations

import array
import json
import math
import random
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import rclpy
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node

from policies import RUN_ID
from sac_control.nodes import messages, topics
from wire import TASK_HASH

RCLError = rclpy_implementation.RCLError
SOURCES = 100
STRANGERS = 2000  # sources that say one malformed thing and are never heard again
MALFORMED = 0.1  # share
OBSERVATION, ACTION = array.array("f", [0.0, 0.1, 1.0, 0.0, 0.2]), array.array("f", [0.5])


def well_formed() -> Any:
    msg = topics.TRANSITIONS.type(run_id=RUN_ID, task_hash=TASK_HASH)
    msg.observation, msg.action, msg.next_observation, msg.reward = OBSERVATION, ACTION, OBSERVATION, 1.0
    return msg


def malformed() -> list[Any]:
    """One of each kind: wrong sizes, values that are not finite, an action beyond its limits."""
    found = []
    for name, value in (
        ("observation", array.array("f")),
        ("observation", array.array("f", [0.0] * 256)),
        ("observation", array.array("f", [math.nan] * 5)),
        ("action", array.array("f", [0.1] * 16)),
        ("action", array.array("f", [-1.5])),
        ("reward", math.inf),
        ("reward", math.nan),
        ("next_observation", array.array("f", [0.0] * 4)),
        ("next_observation", array.array("f", [0.0, -math.inf, 0.0, 0.0, 0.0])),
    ):
        msg = well_formed()
        setattr(msg, name, value)
        found.append(msg)
    return found


class Transitions:
    """The transitions that are sent, in three parts: in peace, as a flood, and in peace again."""

    def __init__(self, node: Node) -> None:
        self._publisher = topics.publisher(node, topics.TRANSITIONS)
        self._random = random.Random(1)
        self._good, self._bad = well_formed(), malformed()
        self._next = [0] * SOURCES
        self.sent = 0
        self.malformed = 0
        self.strangers = 0
        self.again = 0
        self.refused = 0

    @property
    def is_heard(self) -> bool:
        return topics.is_heard(self._publisher)

    def parts(self, flood: Callable[[Callable[[], None]], None]) -> Iterator[None]:
        """Makes the next part whenever it is asked for it."""
        for source in range(SOURCES):
            self._send(source, is_good=True)
        for _ in range(STRANGERS):
            msg = self._random.choice(self._bad)
            msg.source, msg.sequence = self._random.randrange(2**40, 2**63), self._random.randrange(2**63)
            self._publish(msg)
            self.strangers += 1
        yield
        flood(self._send_any)
        yield
        for source in range(SOURCES):
            self._send(source, is_good=True)
            self._good.sequence = 0
            self._publish(self._good)
            self.again += 1
        yield

    def _send_any(self) -> None:
        is_good = self._random.random() >= MALFORMED
        self._send(int(SOURCES * self._random.random()), is_good=is_good)

    def _send(self, source: int, *, is_good: bool) -> None:
        msg = self._good if is_good else self._random.choice(self._bad)
        msg.source, msg.sequence = 1 + source, self._next[source]
        self._next[source] += 1
        self.malformed += not is_good
        self._publish(msg)

    def _publish(self, msg: Any) -> None:
        while True:
            try:
                self._publisher.publish(msg)
            except RCLError:  # the middleware was too busy for 0.1 s with what was lost on the way: try again
                self.refused += 1
            else:
                break
        self.sent += 1


class States:
    """Joint states with the time of their sending."""

    def __init__(self, node: Node) -> None:
        self._publisher = topics.publisher(node, topics.JOINT_STATES)
        self._msg = topics.JOINT_STATES.type()
        self._msg.name = ["slider_to_cart", "cart_to_pendulum"]
        self._msg.position = self._msg.velocity = array.array("d", [0.1, 0.05])
        self.sent = 0

    @property
    def is_heard(self) -> bool:
        return topics.is_heard(self._publisher)

    def parts(self, flood: Callable[[Callable[[], None]], None]) -> Iterator[None]:
        flood(self._send)
        yield

    def _send(self) -> None:
        messages.stamp_to_msg(time.time_ns(), self._msg.header.stamp)
        self._publisher.publish(self._msg)
        self.sent += 1


def main() -> int:
    what, rate, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])

    def flood(send: Callable[[], None]) -> None:
        """Send at the rate, or as fast as it goes; what was not sent in time is made up for."""
        began, sent = time.monotonic(), 0
        while (elapsed := time.monotonic() - began) < seconds:
            for _ in range(min(100, int(elapsed * rate) - sent)):
                send()
                sent += 1
            if sent >= int(elapsed * rate):
                time.sleep(0.0005)

    rclpy.init()
    node = Node("flooder")
    sender = Transitions(node) if what == "transitions" else States(node)
    while not sender.is_heard:
        time.sleep(0.01)
    for _ in sender.parts(flood):
        counts = {name: value for name, value in vars(sender).items() if not name.startswith("_")}
        sys.stdout.write(json.dumps(counts) + "\n")
        sys.stdout.flush()
        if not sys.stdin.readline():
            break  # whoever asked for it is gone
    node.destroy_node()
    rclpy.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
