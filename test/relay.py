"""A bad network: stands between real nodes and drops, doubles, reorders and delays what they say to each other.

What it does depends on its seed and on the order of messages alone. It keeps a log, so that a test can tell what must
have become of each message.
"""

from __future__ import annotations

import heapq
import itertools
import random
import time
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node

from sac_control.nodes import topics
from sac_control.nodes.topics import Topic

PREFIX = "before_the_relay/"


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What happens to messages: probabilities, and the longest delay [s]."""

    drop: float = 0.0
    double: float = 0.0
    swap: float = 0.0  # waits until the next message has passed
    delay: float = 0.0  # uniform from 0 on, each copy for itself


@dataclass(frozen=True, kw_only=True)
class Passed:
    """A message, and the steady time [s] at which it came or was passed on."""

    at: float
    message: Any


class Relay(Node):
    """Passes on the messages of some topics: takes them from ``PREFIX + name``, as its senders must be remapped to.

    Attributes:
        came: messages by the name of their topic, in the order in which they came.
        passed_on: likewise, in the order in which they were passed on, copies included.
        dropped: messages that were not passed on, by the name of their topic.
    """

    def __init__(self, seed: int, faults: Faults, *relayed: Topic) -> None:
        super().__init__("relay")
        self._faults = faults
        self._random = {topic.name: random.Random(f"{seed} {topic.name}") for topic in relayed}
        self._outputs = {topic.name: topics.publisher(self, topic) for topic in relayed}
        self.came: dict[str, list[Passed]] = {topic.name: [] for topic in relayed}
        self.passed_on: dict[str, list[Passed]] = {topic.name: [] for topic in relayed}
        self.dropped = {topic.name: 0 for topic in relayed}
        self._delayed: list[tuple[float, int, str, Any]] = []  # steady time when due [s], number, topic, message
        self._held: dict[str, list[Any]] = {topic.name: [] for topic in relayed}  # until the next has passed
        self._numbers = itertools.count()
        for topic in relayed:
            self._listen(topic)

    is_done = False

    @property
    def is_heard(self) -> bool:
        """Whether all that is passed on reaches somebody."""
        return all(map(topics.is_heard, self._outputs.values()))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is under way, but for what waits for another message."""
        return not self._delayed

    def work(self) -> bool:
        while self._delayed and self._delayed[0][0] <= time.monotonic():
            self._pass_on(*heapq.heappop(self._delayed)[2:])
        return bool(self._delayed)

    def shut_down(self) -> None:
        pass

    def _listen(self, topic: Topic) -> None:
        def on_message(message: Any) -> None:
            self._take(topic.name, message)

        self.create_subscription(topic.type, PREFIX + topic.name, on_message, topics.TRANSITIONS.subscription_qos)

    def _take(self, name: str, message: Any) -> None:
        faults, chance = self._faults, self._random[name].random
        self.came[name].append(Passed(at=time.monotonic(), message=message))
        waiting, self._held[name] = self._held[name], []
        if chance() < faults.drop:
            self.dropped[name] += 1
        else:
            for _ in range(1 + (chance() < faults.double)):
                if chance() < faults.swap:
                    self._held[name].append(message)
                else:
                    self._send(name, message, chance() * faults.delay)
        for each in waiting:
            self._send(name, each, chance() * faults.delay)

    def _send(self, name: str, message: Any, delay: float) -> None:
        if delay:
            heapq.heappush(self._delayed, (time.monotonic() + delay, next(self._numbers), name, message))
        else:
            self._pass_on(name, message)

    def _pass_on(self, name: str, message: Any) -> None:
        self.passed_on[name].append(Passed(at=time.monotonic(), message=message))
        self._outputs[name].publish(message)
