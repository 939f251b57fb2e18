"""Conflicting nodes: another one that commands the robot of a policy node, or a robot in the namespace of a simulation.

They are found in the ROS graph. A node that was killed stays there for some seconds, and counts as long as it does; a
process that is started later never discovers it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rclpy.node import Node

from sac_control.errors import NeighbourError
from sac_control.nodes import topics

NAMELESS = "a node whose name is not known yet"  # an endpoint may be discovered some time before its node


def full_name(endpoint: Any) -> str:
    """The name of the node that an endpoint of the graph belongs to, with its namespace, or `NAMELESS`."""
    if endpoint.node_name == "_NODE_NAME_UNKNOWN_":  # so rmw_dds_common says it
        return NAMELESS
    return f"{endpoint.node_namespace.rstrip('/')}/{endpoint.node_name}"


class CommandRivals:
    """Other publishers of the topic on which `node` commands a robot; `node` has exactly one."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._topic = node.resolve_topic_name(topics.COMMANDS.name)
        self._states = node.resolve_topic_name(topics.JOINT_STATES.name)

    def complaint(self) -> str:
        """Who else commands, in a sentence; empty where nobody does. Cheap where that is so."""
        if self._node.count_publishers(self._topic) <= 1:
            return ""
        names = [full_name(each) for each in self._node.get_publishers_info_by_topic(self._topic)]
        ours = self._node.get_fully_qualified_name()
        if ours in names:
            names.remove(ours)
        names = [f"another node called {name}" if name == ours else name for name in names]
        return f"{_listed(names)} commands {self._topic}, too: stop one of the two" if names else ""

    def complaint_of_states(self, sources: Iterable[Any]) -> str:
        """Which nodes publish states of our joints, in a sentence; `sources` are the identifiers (gid) of several."""
        known = {
            bytes(each.endpoint_gid): full_name(each) for each in self._node.get_publishers_info_by_topic(self._states)
        }
        names = [known.get(source, "a node that has gone") for source in sources]
        return f"{_listed(names)} publish states of our joints on {self._states}: stop all but one" if names else ""


class StrangersCheck:
    """Robots in the namespace of a training or an evaluation, whose policy node is `node`.

    There `joint_states` and `observation` come from its own simulator alone, and nobody takes commands, for there are
    none. Tools that hide their nodes, as the command line `ros2` does, may listen.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._states = [node.resolve_topic_name(topic.name) for topic in (topics.JOINT_STATES, topics.OBSERVATION)]
        self._commands = node.resolve_topic_name(topics.COMMANDS.name)
        self._simulator = f"{node.get_namespace().rstrip('/')}/simulator"

    def check(self) -> None:
        """Look at the graph.

        Raises:
            NeighbourError: there is one; its name is told.
        """
        for states in self._states:
            for endpoint in self._node.get_publishers_info_by_topic(states):
                if full_name(endpoint) not in (self._simulator, NAMELESS):
                    self._refuse(f"{full_name(endpoint)} publishes {states}")
        for endpoint in self._node.get_subscriptions_info_by_topic(self._commands):
            if not endpoint.node_name.startswith("_"):  # nameless ones do, too, until the next look
                self._refuse(f"{full_name(endpoint)} listens to {self._commands}")

    def _refuse(self, what: str) -> None:
        raise NeighbourError(
            f"{what} and is not of this run: a robot or another simulation is in its namespace. "
            "Choose another --namespace (launch: namespace:=), or another ROS_DOMAIN_ID"
        )


def _listed(names: Iterable[str]) -> str:
    return " and ".join(sorted(names))
