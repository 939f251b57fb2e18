"""Names peers with whom a topic connects nobody, because their qualities of service exclude each other.

The middleware tells this through event handlers, each of which costs every wait of the executor; a look at the graph
now and then costs less and can name the peer.
"""

from __future__ import annotations

from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSCompatibility, qos_check_compatible


class CompatibilityCheck:
    """Looks at one endpoint of `node` after the other."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._turn = 0
        self._told: set[str] = set()

    def next_complaint(self) -> str | None:
        """Look at the next endpoint; a sentence about a peer that was not told of before, or None."""
        endpoints = [*self._node.publishers, *self._node.subscriptions]
        self._turn = (self._turn + 1) % len(endpoints)
        endpoint = endpoints[self._turn]
        for peer, verdict, reason in self._verdicts(endpoint):
            sentence = (
                f"{endpoint.topic_name} does not connect us with node {peer}: the qualities of service exclude each "
                f"other ({reason.strip()}). Change one side, ours by parameters qos_overrides.{endpoint.topic_name}.*"
            )
            if verdict == QoSCompatibility.ERROR and sentence not in self._told:
                self._told.add(sentence)
                return sentence
        return None

    def _verdicts(self, endpoint: Any) -> list[tuple[str, QoSCompatibility, str]]:
        ours, name = endpoint.qos_profile, endpoint.topic_name
        if endpoint in self._node.subscriptions:
            peers = self._node.get_publishers_info_by_topic(name)
            verdicts = [qos_check_compatible(peer.qos_profile, ours) for peer in peers]
        else:
            peers = self._node.get_subscriptions_info_by_topic(name)
            verdicts = [qos_check_compatible(ours, peer.qos_profile) for peer in peers]
        names = [f"{peer.node_namespace.rstrip('/')}/{peer.node_name}" for peer in peers]
        return [(peer, *verdict) for peer, verdict in zip(names, verdicts, strict=True)]
