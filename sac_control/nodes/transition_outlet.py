"""Where transitions leave a simulator node: in their order, and those that the middleware refused once more."""

from __future__ import annotations

import math
import time
from collections import deque

from rclpy.publisher import Publisher

from sac_control.nodes import messages, topics
from sac_control.types import Transition

REFUSAL_PERIOD = 2.5  # [s] for which transitions wait where the middleware did not take one


class TransitionOutlet:
    """Publishes transitions.

    Args:
        publisher: of the topic transitions.
        run_id: run that they belong to.
        task_hash: what they are transitions of.

    Attributes:
        publisher: the same.
        refusals: how often the middleware did not take one.
    """

    def __init__(self, publisher: Publisher, run_id: str, task_hash: str) -> None:
        self.publisher = publisher
        self._msg = topics.TRANSITIONS.type(run_id=run_id, task_hash=task_hash)
        self._unpublished: deque[Transition] = deque(maxlen=topics.TRANSITIONS.publisher_qos.depth)
        self._last: Transition | None = None
        self._refused_until = -math.inf  # [s] steady time before which no transition is offered to it again
        self.refusals = 0

    def add(self, transition: Transition) -> None:
        """Have `transition` published by `publish`, behind those that wait."""
        self._last = transition
        self._unpublished.append(transition)

    def publish_last_again(self) -> None:
        """Publish the newest transition once more: a probe, which a learner takes or drops as a duplicate."""
        if self._last is not None:
            self._unpublished.append(self._last)
            self.publish()

    def publish(self) -> None:
        """Publish what waits. After a refusal it waits for a while: each takes 0.1 s, and control goes on."""
        while self._unpublished and time.monotonic() >= self._refused_until:
            msg = messages.transition_to_msg(self._unpublished[0], self._msg)
            if topics.try_to_publish(self.publisher, msg):
                self._unpublished.popleft()
            else:
                self.refusals += 1
                self._refused_until = time.monotonic() + REFUSAL_PERIOD
