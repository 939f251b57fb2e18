"""What every node tells of itself once per second: figures, what is wrong, and who is missing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from rclpy.duration import Duration
from rclpy.node import Node

from sac_control.health.diagnosis import ERROR, Finding, RecentGrowth, diagnosis
from sac_control.health.waiting import WaitWarning
from sac_control.nodes import messages, topics
from sac_control.nodes.compatibility import CompatibilityCheck

LAST_WORDS = 1.0  # [s] for which a process that must end waits for them to arrive


class Health:
    """Publishes /diagnostics.

    Attributes:
        period: [s] from one `tell` to the next.

    Args:
        node: which is told of.
        waiting: whom it waits for.
        say: takes sentences for people.
        losses: counters that are a reason to warn while they grow, by name, as they stand now.
    """

    period = 1.0

    def __init__(
        self, node: Node, waiting: WaitWarning, say: Callable[[str], object], losses: Mapping[str, int]
    ) -> None:
        self._node, self._waiting, self._say = node, waiting, say
        self._topic = topics.publisher(node, topics.DIAGNOSTICS)
        self._compatibility = CompatibilityCheck(node)
        self._growth = RecentGrowth(losses)
        self._refused = 0  # diagnostics that the middleware did not take

    def tell(
        self, figures: Mapping[str, object], losses: Mapping[str, int], findings: Sequence[Finding], otherwise: str
    ) -> None:
        """Publish `figures` and `losses`, by name, with the worst of `findings`; `otherwise` is said where all is well.

        What excludes a peer is a finding of its own, and is said to people once.
        """
        now = time.monotonic()
        for sentence in (self._waiting.sentence(now), self._compatibility.next_complaint()):
            if sentence:
                self._say(sentence)
        level, message = diagnosis(
            [*findings, (ERROR, self._compatibility.complaint), self._growth.finding(losses, now)], otherwise
        )
        self._publish(level, message, {**figures, **losses})

    def fail(self, sentence: str) -> None:
        """Publish that the process ends, and why; wait for those who listen to have heard it, at most `LAST_WORDS`."""
        self._publish(ERROR, sentence, {})
        self._topic.wait_for_all_acked(Duration(seconds=LAST_WORDS))  # what is not sent by then goes with the process

    def _publish(self, level: int, message: str, values: dict[str, object]) -> None:
        name, stamp = self._node.get_fully_qualified_name(), self._node.get_clock().now().nanoseconds
        if self._refused:
            values = {**values, "refused_diagnostics": self._refused}
        msg = messages.diagnostics_to_msg(name, level, message, values, stamp)
        self._refused += not topics.try_to_publish(self._topic, msg)
