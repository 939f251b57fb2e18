"""Names peers whose QoS is incompatible with ours: no message passes between such two.

The middleware tells this through event handlers, each of which costs every wait of the executor; a look at the graph
now and then costs less and can name the peer.
"""

from __future__ import annotations

from rclpy.node import Node
from rclpy.qos import QoSCompatibility, qos_check_compatible

from sac_control.nodes.neighbours import full_name


class CompatibilityCheck:
    """Looks at one topic of `node` after the other."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._turn = 0
        self._excluded: dict[str, list[str]] = {}  # sentences by topic, as of the last look at it
        self._told: set[str] = set()

    @property
    def complaint(self) -> str:
        """All peers with an incompatible QoS at present, and why; empty where there are none."""
        return "; ".join(sentence for sentences in self._excluded.values() for sentence in sentences)

    def next_complaint(self) -> str | None:
        """Look at the next topic; sentences about peers that were not told of before, or None."""
        names = sorted({endpoint.topic_name for endpoint in (*self._node.publishers, *self._node.subscriptions)})
        self._turn = (self._turn + 1) % len(names)
        name = names[self._turn]
        self._excluded[name] = [
            f"{name} has an incompatible QoS with node {peer} "
            f"({reason.strip()}). Change one side, ours by the parameters qos_overrides.{name}.*"
            for peer, reason in self._incompatible_on(name)
        ]
        news = [sentence for sentence in self._excluded[name] if sentence not in self._told]
        self._told.update(news)
        return "; ".join(news) or None

    def _incompatible_on(self, name: str) -> list[tuple[str, str]]:
        """Peers with an incompatible QoS on a topic, and why. Both sides are as the graph knows them."""
        ours = self._node.get_fully_qualified_name()
        excluded = []
        for publisher in self._node.get_publishers_info_by_topic(name):
            for subscription in self._node.get_subscriptions_info_by_topic(name):
                nodes = [full_name(publisher), full_name(subscription)]
                verdict, reason = qos_check_compatible(publisher.qos_profile, subscription.qos_profile)
                if ours in nodes and verdict == QoSCompatibility.ERROR:
                    nodes.remove(ours)
                    excluded.append((nodes[0], reason))
        return excluded
