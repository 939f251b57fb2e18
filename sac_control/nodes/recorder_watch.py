"""Lets a simulator's first state wait until a recorder hears it: what is published before is in no bag."""

from __future__ import annotations

from collections.abc import Sequence

from rclpy.node import Node
from rclpy.publisher import Publisher

RECORDER = "recorder"  # name of its node


class RecorderWatch:
    """Waits once.

    Args:
        node: whose publishers they are.
        publishers: that must be heard.
        patience: longest time to wait [s]; 0: not at all.
        now: steady time [s].
    """

    def __init__(self, node: Node, publishers: Sequence[Publisher], patience: float, now: float) -> None:
        self._node, self._publishers = node, publishers
        self._until = now + patience
        self._is_over = patience == 0.0
        self._was_waiting = False

    def is_awaited(self, now: float) -> bool:
        """Whether nothing may be published yet."""
        if self._is_over:
            return False
        is_heard = all(map(self._is_heard, self._publishers))
        if not is_heard and now < self._until:
            self._was_waiting = True
            return True
        self._is_over = True
        if not is_heard:
            self._node.get_logger().warning("no recorder came in time: the bag lacks the first transitions")
        return False

    @property
    def has_just_come(self) -> bool:
        """Whether it was waited for until now; said once."""
        was_waiting, self._was_waiting = self._was_waiting, False
        return was_waiting

    def _is_heard(self, publisher: Publisher) -> bool:
        """Whether the recorder is known, and everybody who is known gets what is published."""
        known = self._node.get_subscriptions_info_by_topic(publisher.topic_name)
        return any(each.node_name == RECORDER for each in known) and publisher.get_subscription_count() >= len(known)
