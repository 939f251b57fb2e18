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
        self._since: float | None = now

    def heard(self) -> None:
        """The topic is alive: nothing will be said."""
        self._since = None

    def sentence(self, now: float) -> str | None:
        """The warning, at the one call after which the silence has lasted too long; otherwise None."""
        if self._since is None or now - self._since < self._patience:
            return None
        self._since = None
        domain = os.environ.get("ROS_DOMAIN_ID", "0")
        return (
            f"nothing came on {self._topic} for {self._patience:g} s: is the {self._peer} node running, "
            f"in this namespace and with ROS_DOMAIN_ID={domain}? (A peer on another machine is not seen "
            "while ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST.)"
        )
