"""The policy node: answers joint states with efforts, in simulation and on hardware alike; thin over policy/."""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from typing import Any

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

import sac_control.msg
from sac_control.config import PolicyConfig
from sac_control.errors import PolicyFileError
from sac_control.nodes import messages, topics
from sac_control.nodes.compatibility import CompatibilityCheck
from sac_control.nodes.parameters import NODE_OPTIONS, declare_parameters
from sac_control.nodes.process import LONGEST_SLEEP, STEADY_CLOCK, run
from sac_control.nodes.waiting import WaitWarning
from sac_control.policy.controller import Controller
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.safety import Mode
from sac_control.types import Action


class PolicyNode(LifecycleNode):
    """Runs a policy.

    Publishes:   effort_controller/commands, policy/action, policy/status, /diagnostics
    Subscribes:  joint_states, policy_weights
    Lifecycle:   configure loads and checks policy_file, activate begins to answer, deactivate commands zero first
    Parameters:  see config.PolicyConfig

    When joint_states stop for state_timeout, zero effort is commanded until a usable state comes again. When
    policy_weights stop, the policy in force stays. Weights are checked and swapped between two callbacks of the one
    thread, so never during a tick, and piece by piece, so that a tick waits for one piece at most; what becomes of each
    offer, and the time of its longest piece, is on policy/status.
    """

    def __init__(self) -> None:
        super().__init__("policy", **NODE_OPTIONS)
        self._config = config = declare_parameters(self, PolicyConfig)
        self._controller = Controller(config)
        self._tick_count, self._tick_total, self._tick_max = 0, 0.0, 0.0  # [s] since the last status
        self._answered: Action | None = None  # the newest answer
        self._warned_at = -math.inf  # [s] steady time of the last warning about a state

        self._command_msg, self._action_msg = topics.COMMANDS.type(), topics.ACTION.type()
        # Ordinary publishers: a lifecycle publisher drops messages silently while inactive, and the zero that
        # deactivation commands must get out.
        self._commands = topics.publisher(self, topics.COMMANDS)
        self._actions = topics.publisher(self, topics.ACTION)
        self._status = topics.publisher(self, topics.POLICY_STATUS)
        self._diagnostics = topics.publisher(self, topics.DIAGNOSTICS)
        topics.subscription(self, topics.JOINT_STATES, self._on_joint_states)
        topics.subscription(self, topics.WEIGHTS, self._on_policy_weights)
        self._waiting = WaitWarning(
            self.resolve_topic_name("joint_states"), "simulator", config.wait_warning, time.monotonic()
        )
        self.create_timer(min(config.state_timeout / 2, LONGEST_SLEEP), self._on_watchdog, clock=STEADY_CLOCK)
        self.create_timer(1.0, self._on_second, clock=STEADY_CLOCK)
        self._compatibility = CompatibilityCheck(self)
        if config.autostart:
            if self.trigger_configure() is not TransitionCallbackReturn.SUCCESS:
                raise PolicyFileError(self._controller.cause)
            self.trigger_activate()

    is_done = False

    def work(self) -> bool:
        """Check a piece of the weights that were offered; whether more is left to check."""
        controller = self._controller
        if not controller.swap.is_busy:
            return False
        report = controller.work()
        if report is not None:
            if not report.accepted:
                self.get_logger().warning(f"kept out policy version {report.offered_version}: {report.verdict}")
            self._publish_status()
        return controller.swap.is_busy

    def shut_down(self) -> None:
        """Command zero a last time."""
        self._command_zero()

    # lifecycle

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load and check the policy file; without one, weights are awaited."""
        if self._config.policy_file:
            try:
                self._controller.install(PolicyFile.read(Path(self._config.policy_file)))
            except PolicyFileError as error:
                self._controller.cause = str(error)
                self.get_logger().error(str(error))
                return TransitionCallbackReturn.FAILURE
            self.get_logger().info(f"runs {self._config.policy_file}")
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to answer states."""
        self._controller.activate()
        self._publish_status()
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Command zero, then stop answering."""
        self._command_zero()
        self._controller.deactivate()
        self._publish_status()
        return super().on_deactivate(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Command zero and stop answering."""
        self._command_zero()
        self._controller.deactivate()
        return TransitionCallbackReturn.SUCCESS

    # topics

    def _on_joint_states(self, msg: Any) -> None:
        start = time.perf_counter()
        self._waiting.heard()
        controller = self._controller
        action = controller.answer(messages.state_from_msg(msg))
        if action is None:
            self._warn_of_state()
            return
        if action is not self._answered:  # a state that comes again is answered again, but moves nothing twice
            self._answered = action
            if topics.is_heard(self._commands):
                self._commands.publish(messages.effort_to_msg(action.effort, self._command_msg))
        self._actions.publish(messages.action_to_msg(action, controller.mode, self._action_msg))
        duration = time.perf_counter() - start
        self._tick_count += 1
        self._tick_total += duration
        self._tick_max = max(self._tick_max, duration)

    def _on_policy_weights(self, msg: Any) -> None:
        self._controller.consider(messages.weights_from_msg(msg))

    # timers

    def _on_watchdog(self) -> None:
        if self._controller.hold_zero_if_stale():
            self._command_zero()

    def _on_second(self) -> None:
        for sentence in (self._waiting.sentence(time.monotonic()), self._compatibility.next_complaint()):
            if sentence:
                self.get_logger().warning(sentence)
        self._publish_diagnostics()
        self._publish_status()

    def _command_zero(self) -> None:
        zero = self._controller.zero()
        if zero.size:
            self._commands.publish(messages.effort_to_msg(zero, self._command_msg))

    def _warn_of_state(self) -> None:
        """Say why a state was not used, at most once per second."""
        controller, now = self._controller, time.monotonic()
        if controller.last_rejection and now - self._warned_at > 1.0:
            self._warned_at = now
            self.get_logger().warning(f"{controller.rejected_states} states unused: {controller.last_rejection}")

    def _publish_status(self) -> None:
        controller, swap = self._controller, self._controller.swap
        msg = sac_control.msg.PolicyStatus()
        msg.header.stamp = self.get_clock().now().to_msg()
        msg.mode, msg.cause = controller.mode, controller.cause[:256]
        if swap.file is not None:
            msg.run, msg.policy_version, msg.env_steps = swap.file.run, swap.file.policy_version, swap.file.env_steps
        if swap.last_report is not None:
            report = swap.last_report
            msg.offered_version, msg.offered_accepted = report.offered_version, report.accepted
            msg.offered_verdict, msg.swap_gap = report.verdict[:256], report.gap
        msg.ticks, msg.swaps = controller.ticks, swap.swaps
        msg.rejected_weights, msg.rejected_states = swap.rejected, controller.rejected_states
        msg.state_age = controller.watchdog.age(time.monotonic())
        if self._tick_count:
            msg.tick_duration_mean, msg.tick_duration_max = self._tick_total / self._tick_count, self._tick_max
        self._tick_count, self._tick_total, self._tick_max = 0, 0.0, 0.0
        self._status.publish(msg)

    def _publish_diagnostics(self) -> None:
        controller, swap = self._controller, self._controller.swap
        values: dict[str, object] = {
            "mode": controller.mode.name,
            "cause": controller.cause,
            "policy_version": swap.file.policy_version if swap.file else 0,
            "state_age": controller.watchdog.age(time.monotonic()),
            "ticks": controller.ticks,
            "swaps": swap.swaps,
            "rejected_weights": swap.rejected,
            "rejected_states": controller.rejected_states,
        }
        level = 0 if controller.mode in (Mode.ACTIVE, Mode.INACTIVE) else 1
        stamp = self.get_clock().now().nanoseconds
        self._diagnostics.publish(
            messages.diagnostics_to_msg(self.get_fully_qualified_name(), level, controller.cause, values, stamp)
        )


def main() -> int:
    """Entry point of the executable `policy`."""
    return run(PolicyNode)


if __name__ == "__main__":
    sys.exit(main())
