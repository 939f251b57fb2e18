"""Blocks the controller while another node commands the robot, too, or its joint states have several publishers."""

from __future__ import annotations

import time
from typing import Any

from rclpy.node import Node

from sac_control.nodes.command_outlet import CommandOutlet
from sac_control.nodes.neighbours import CommandRivals
from sac_control.policy.controller import Controller
from sac_control.policy.safety import Mode
from sac_control.policy.state_sources import StateSources


class RivalWatch:
    """Blocks a controller while there is a rival: where it was armed, a last safe command, then silence.

    Args:
        node: knows the graph, and says who it is.
        controller: is blocked.
        outlet: takes the last command.
    """

    def __init__(self, node: Node, controller: Controller, outlet: CommandOutlet) -> None:
        self._logger, self._controller, self._outlet = node.get_logger(), controller, outlet
        self._rivals = CommandRivals(node)
        self._sources = StateSources()
        self._has_latched = False  # the rival that is there has

    def hear(self, info: Any, now: float) -> None:
        """A state of our joints came with `info` of rclpy at `now` [s]."""
        if self._sources.hear(info["publisher_gid"]["data"] if "publisher_gid" in info else None, now):
            self.look()

    def look(self) -> None:
        """Look for rivals; cheap where there are none."""
        controller = self._controller
        complaint = self._rivals.complaint()
        if not complaint and (sources := self._sources.rivals(time.monotonic())):
            complaint = self._rivals.complaint_of_states(sources)
        if complaint and complaint != controller.blocked_by:  # whose name may become known only later
            self._logger.error(complaint)
            if self._has_latched:
                controller.safety.restate(complaint)
        if complaint and not controller.blocked_by and controller.mode is Mode.ACTIVE:
            controller.stop(complaint)
            self._outlet.make_safe()
            self._has_latched = True
        self._has_latched = self._has_latched and bool(complaint)
        controller.blocked_by = complaint
