"""Says once what a node is waiting for, and why that happens. Knows no ROS."""

from __future__ import annotations

import os


class WaitWarning:
    """Turns a long silence of one topic into one sentence.

    Args:
        topic: resolved name of the silent topic.
        peer: the node that should publish it.
        patience: [s] silence that is normal at start.
        now: [s] steady time at which waiting begins.
    """

    def __init__(self, topic: str, peer: str, patience: float, now: float) -> None:
        self._topic, self._peer, self._patience = topic, peer, patience
        self._heard_at, self._may_say = now, True

    def heard(self, now: float) -> None:
        """The topic is alive: nothing will be said."""
        self._heard_at, self._may_say = now, False

    def silence(self, now: float) -> float:
        """Time since the topic was heard [s], or since waiting began."""
        return now - self._heard_at

    def is_long(self, now: float) -> bool:
        """Whether the silence has lasted longer than is normal."""
        return self.silence(now) >= self._patience

    def sentence(self, now: float) -> str | None:
        """The warning, at the one call after which the first silence has lasted too long; otherwise None."""
        if not self._may_say or not self.is_long(now):
            return None
        self._may_say = False
        domain = os.environ.get("ROS_DOMAIN_ID", "0")
        return (
            f"no message on {self._topic} for {self._patience:g} s: is the {self._peer} node running, "
            f"in this namespace and with ROS_DOMAIN_ID={domain}? (A peer on another machine is not seen "
            "while ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST.)"
        )
