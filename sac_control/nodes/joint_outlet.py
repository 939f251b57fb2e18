"""Where each joint of a simulation goes out by its name, for tools that plot. Nothing depends on it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rclpy.node import Node

from sac_control.nodes import topics
from sac_control.simulation.episode_runner import EpisodeRunner
from sac_control.simulation.joint_topics import SHORTEST_PERIOD, joint_topics
from sac_control.types import FloatArray, JointState, Specification


class JointOutlet:
    """Publishes joints, each on its topic, as often as is worth drawing and only to those that listen.

    Args:
        node: the simulator.
        specification: of what it simulates; without joints there is nothing to publish.
    """

    def __init__(self, node: Node, specification: Specification) -> None:
        names = joint_topics(specification.joints)
        self._publishers = [topics.publisher(node, topics.joint(name)) for name in names.values()]
        self._msg = topics.joint("").type()
        driven: Sequence[str] = specification.actuated_joints
        self._driven = [driven.index(joint) if joint in driven else None for joint in names]
        self._due = -math.inf  # [s] steady time
        self.refusals = 0  # messages that the middleware did not take

    def publish(self, runner: EpisodeRunner, command: FloatArray, now: float) -> None:
        """Publish the present state where that is due and somebody listens.

        Args:
            runner: whose state it is.
            command: (a,) float64, what was applied before [unit of its interface].
            now: [s] steady time.
        """
        if now < self._due:
            return
        self._due = now + SHORTEST_PERIOD
        heard = [k for k, publisher in enumerate(self._publishers) if topics.is_heard(publisher)]
        signals = runner.signals if heard else None
        if not isinstance(signals, JointState):
            return
        for k in heard:
            msg, place = self._msg, self._driven[k]
            msg.position, msg.velocity = float(signals.position[k]), float(signals.velocity[k])
            msg.command = math.nan if place is None else float(command[place])
            self.refusals += not topics.try_to_publish(self._publishers[k], msg)
