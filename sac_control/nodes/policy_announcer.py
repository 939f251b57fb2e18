"""Publishes status and diagnostics of a policy node, and logs why nothing moves. All of it may fail."""

from __future__ import annotations

import time

from rclpy.node import Node
from rclpy.publisher import Publisher

from sac_control.health.aside import Aside
from sac_control.health.standstill import Standstill
from sac_control.nodes.health import Health
from sac_control.nodes.policy_report import PolicyReport
from sac_control.policy.controller import Controller
from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.safety import Mode


class PolicyAnnouncer:
    """Tells it when it is asked to.

    Args:
        node: whose clock stamps and whose log is written.
        controller: what it is about.
        config: says to which run the node belongs, and what is worth a warning; none of that is set at run time.
        report: what is told.
        status: policy/status.
        health: takes diagnostics.
        aside: runs what may fail.
    """

    def __init__(
        self,
        node: Node,
        controller: Controller,
        config: PolicyConfig,
        report: PolicyReport,
        status: Publisher,
        health: Health,
        aside: Aside,
    ) -> None:
        self._node, self._controller, self._config = node, controller, config
        self._report, self._status, self._health, self._aside = report, status, health, aside
        self._standstill = Standstill(0.0 if config.drives_robot else config.wait_warning)
        self._unused_states = 0  # of which it was said in the log

    def publish_status(self) -> None:
        """On policy/status."""
        self._aside.run("policy/status", time.monotonic(), self._tell_status)

    def publish_diagnostics(self) -> None:
        """On /diagnostics."""
        self._aside.run("/diagnostics", time.monotonic(), self._tell_health)

    def say_why_nothing_moves(self) -> None:
        """Log why nothing moves, once per cause; or why states were rejected."""
        controller, admission, now = self._controller, self._controller.admission, time.monotonic()
        cause = "" if controller.mode is Mode.ACTIVE else controller.cause
        sentence = self._standstill.sentence(cause, now)
        is_pause = bool(sentence) and controller.is_left_alone
        if not sentence and admission.rejected_states > self._unused_states:
            sentence = f"{admission.rejected_states} states rejected, the newest because {admission.last_rejection}"
        self._unused_states = admission.rejected_states
        if is_pause:
            self._node.get_logger().info(f"{sentence}; while a training examines a policy it asks for none")
        elif sentence:
            self._node.get_logger().warning(sentence)

    def _tell_status(self) -> None:
        msg = self._report.status(self._config)
        msg.header.stamp = self._node.get_clock().now().to_msg()
        self._status.publish(msg)

    def _tell_health(self) -> None:
        report, config = self._report, self._config
        self._health.tell(
            report.figures(config),
            report.losses(),
            report.findings(config, time.monotonic()),
            otherwise=self._controller.cause,
        )
