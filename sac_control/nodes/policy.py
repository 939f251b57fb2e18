"""The policy node: answers joint states with efforts, in simulation and on hardware alike; thin over policy/."""

from __future__ import annotations

import dataclasses
import functools
import math
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from std_srvs.srv import Trigger

from sac_control.config import PolicyConfig
from sac_control.errors import ConfigError, NeighbourError, PolicyFileError, SacControlError
from sac_control.nodes import messages, topics
from sac_control.nodes.health import Health
from sac_control.nodes.neighbours import CommandRivals, StrangersCheck
from sac_control.nodes.parameters import NODE_OPTIONS, declare_parameters, take_live_parameters
from sac_control.nodes.policy_report import PolicyReport
from sac_control.nodes.process import LONGEST_SLEEP, STEADY_CLOCK, run
from sac_control.nodes.realtime import lock_memory, use_realtime_priority
from sac_control.nodes.shadow import ShadowLink
from sac_control.nodes.waiting import WaitWarning
from sac_control.policy.controller import Controller
from sac_control.policy.faults import FaultCounter
from sac_control.policy.live_limits import LIVE
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.requirements import check_reach
from sac_control.policy.safety import Mode
from sac_control.policy.state_sources import StateSources
from sac_control.policy.tick_statistics import TickStatistics
from sac_control.types import Action, Specification

SHORTEST_DELAY = 1e-4  # [s] between two looks of the watchdog
RIVALS_PERIOD = 0.1  # [s] between two looks for others that command the same robot


class PolicyNode(LifecycleNode):
    """Runs a policy.

    Publishes:   policy/action, policy/status, /diagnostics; policy/shadow_action; effort_controller/commands, but not
                 where it belongs to a training or an evaluation (run_id, lockstep)
    Subscribes:  joint_states; policy_weights where accept_weights names a run
    Services:    policy/stop latches zero; policy/arm releases it; policy/rollback puts the policy before in force
                 (all Trigger)
    Lifecycle:   configure loads and checks policy_file, activate begins to answer, deactivate commands zero first
    Parameters:  see config.PolicyConfig; those in LIVE may be set at run time, see policy/live_limits.py

    When joint_states stop for state_timeout, zero effort is commanded until three usable states in a row have come, and
    policy/arm was called where require_arm is set; see docs/reliability.md for every other cause. When policy_weights
    stop, the policy in force stays. Weights are checked and swapped between two callbacks of the one thread, so never
    during a tick, and piece by piece, so that a tick waits for one piece at most; what becomes of each offer, and the
    time of its longest piece, is on policy/status. A callback that raises commands zero first.
    """

    def __init__(self) -> None:
        super().__init__("policy", **NODE_OPTIONS)
        self._config = config = declare_parameters(self, PolicyConfig, live=LIVE)
        check_reach(config, os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE", ""))
        self._controller = Controller(config)
        self._faults = FaultCounter()
        self._ticks = TickStatistics()  # since the last status
        self._shadow = ShadowLink(self, self._controller, config)
        self._report = PolicyReport(self._controller, self._ticks, self._faults, self._shadow)
        self._sources = StateSources()
        self._rivals = CommandRivals(self)
        self._strangers = StrangersCheck(self)
        self._is_silent = False  # no command leaves: somebody else commands, too, or states come from two
        self._answered: Action | None = None  # the newest answer
        self._marked: Specification | None = None  # what action messages are marked with
        self._warned_at = -math.inf  # [s] steady time of the last warning about a state
        self._refusal: SacControlError | None = None  # why the policy file could not be used

        self._command_msg, self._action_msg = topics.COMMANDS.type(), topics.ACTION.type(run_id=config.run_id)
        # Ordinary publishers: a lifecycle publisher drops messages silently while inactive, and the zero that
        # deactivation commands must get out.
        self._commands = topics.publisher(self, topics.COMMANDS) if config.drives_robot else None
        self._actions = topics.publisher(self, topics.ACTION)
        self._status = topics.publisher(self, topics.POLICY_STATUS)
        on_joint_states = self._guarded(self._on_joint_states)
        on_joint_states.takes_info = True  # type: ignore[attr-defined]  # see event_loop.py
        topics.subscription(self, topics.JOINT_STATES, on_joint_states)
        if config.accept_weights:
            topics.subscription(self, topics.WEIGHTS, self._guarded(self._on_policy_weights))
        requests = {
            topics.POLICY_STOP: self._stop,
            topics.POLICY_ARM: self._controller.arm,
            topics.POLICY_ROLLBACK: self._controller.roll_back,
        }
        for name, act in requests.items():
            self.create_service(Trigger, name, self._guarded(functools.partial(self._on_request, act)))
        self._waiting = WaitWarning(
            self.resolve_topic_name("joint_states"), "simulator", config.wait_warning, time.monotonic()
        )
        self._watchdog = self.create_timer(LONGEST_SLEEP, self._guarded(self._on_watchdog), clock=STEADY_CLOCK)
        self._set_watchdog()
        if config.drives_robot:
            self.create_timer(RIVALS_PERIOD, self._guarded(self._look_for_rivals), clock=STEADY_CLOCK)
        self.create_timer(Health.period, self._guarded(self._on_second), clock=STEADY_CLOCK)
        self._health = Health(self, self._waiting, self.get_logger().warning, self._report.losses())
        take_live_parameters(self, self._controller.checked_limits, self._take_limits)
        use_realtime_priority(config.realtime_priority)  # here, when the threads of DDS have been made
        if config.lock_memory:
            lock_memory()
        if config.dry_run:
            self.get_logger().warning("dry run: nothing is commanded")
        if config.autostart:
            if self.trigger_configure() is not TransitionCallbackReturn.SUCCESS:
                raise self._refusal or PolicyFileError("the node could not be configured")
            self.trigger_activate()

    is_done = False

    def work(self) -> bool:
        """Check a piece of the weights that were offered; whether more is left to check."""
        if self._shadow.is_running:
            self._shadow.tell()
        if not self._controller.swap.is_busy:
            return False
        self._guarded(self._work)()
        return self._controller.swap.is_busy

    def fail(self, sentence: str) -> None:
        """Command zero, and say on /diagnostics why the process ends."""
        self._command_zero()
        self._health.fail(sentence)

    def shut_down(self) -> None:
        """Command zero a last time."""
        self._command_zero()
        self._shadow.end()

    # lifecycle

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load and check the policy file, without which weights are awaited, and that of the shadow policy."""
        config = self._config
        try:
            if config.policy_file:
                self._controller.install(PolicyFile.read(Path(config.policy_file)))
                self.get_logger().info(f"runs {config.policy_file}")
                if doubt := self._controller.arming_region.objection or self._controller.arming_region.reservation:
                    self.get_logger().warning(doubt)
            if config.shadow_policy_file:
                self._shadow.start(Path(config.shadow_policy_file), config)
        except (PolicyFileError, ConfigError) as error:
            self._refusal = error
            self.get_logger().error(str(error))
            return TransitionCallbackReturn.FAILURE
        return super().on_configure(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Let the shadow policy go."""
        self._shadow.end()
        return super().on_cleanup(state)

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

    def _on_joint_states(self, msg: Any, info: Any) -> None:
        start = time.perf_counter()
        self._waiting.heard(time.monotonic())
        controller = self._controller
        state = controller.robot_joints.state(messages.state_from_msg(msg))
        action = controller.answer(state)
        if action is None:
            self._warn_of_state()
            return
        if controller.specification is not self._marked and controller.specification is not None:
            self._marked = controller.specification
            messages.mark_action_msg(self._action_msg, self._marked)
        is_new = action is not self._answered
        if is_new:  # a state that comes again is answered again, but moves nothing twice
            if controller.is_late():
                controller.hold("this process stood still while it made an answer")
                self._command_zero()
                return
            self._answered = action
            commands = self._open_commands
            if commands is not None and topics.is_heard(commands):
                command = controller.robot_joints.command(action.command)
                commands.publish(messages.effort_to_msg(command, self._command_msg))
        self._actions.publish(messages.action_to_msg(action, controller.mode, self._action_msg))
        self._ticks.add(start, time.perf_counter(), controller.control_period)
        if self._shadow.is_running and is_new:
            self._shadow.ask(state)
        if self._sources.hear(info["publisher_gid"]["data"] if "publisher_gid" in info else None, time.monotonic()):
            self._look_for_rivals()

    @property
    def _open_commands(self) -> Any | None:
        """The publisher of commands, where one may leave now."""
        return None if self._is_silent or self._config.dry_run else self._commands

    def _look_for_rivals(self) -> None:
        """Command no robot that somebody else commands, too: where it was armed, a last zero, then silence."""
        controller = self._controller
        complaint = self._rivals.complaint()
        if not complaint and (sources := self._sources.rivals(time.monotonic())):
            complaint = self._rivals.complaint_of_states(sources)
        if complaint and complaint != controller.blocked_by:  # whose name may become known only later
            self.get_logger().error(complaint)
        if complaint and not self._is_silent and controller.mode is Mode.ACTIVE:
            controller.stop(complaint)
            self._command_zero()
        controller.blocked_by, self._is_silent = complaint, bool(complaint)

    def _on_policy_weights(self, msg: Any) -> None:
        self._controller.consider(messages.weights_from_msg(msg))

    def _work(self) -> None:
        report = self._controller.work()
        if report is not None:
            if not report.accepted:
                self.get_logger().warning(f"kept out policy version {report.offered_version}: {report.verdict}")
            self._publish_status()

    # services

    def _on_request(
        self, act: Callable[[], tuple[bool, str]], _request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        response.success, response.message = act()
        self.get_logger().warning(response.message)
        self._publish_status()
        return response

    def _stop(self) -> tuple[bool, str]:
        self._controller.stop("stopped by policy/stop")
        self._command_zero()
        return True, "stopped: zero is commanded until policy/arm"

    # parameters

    def _take_limits(self, config: PolicyConfig) -> None:
        self._controller.take_limits(config)
        self._shadow.take_limits(config)
        self._config = config
        self._set_watchdog()  # which may have less time now
        self.get_logger().warning("new limits are in force")

    # timers

    def _on_watchdog(self) -> None:
        if self._controller.must_command_zero():
            self._command_zero()
        self._set_watchdog()

    def _set_watchdog(self) -> None:
        """Let it run when the newest state will be too old, not at a period: no state has to set anything for that."""
        delay = min(max(self._controller.watchdog_delay(), SHORTEST_DELAY), LONGEST_SLEEP)
        self._watchdog.timer_period_ns = int(1e9 * delay)
        self._watchdog.reset()  # counted from now on

    def _on_second(self) -> None:
        self._publish_diagnostics()
        self._publish_status()
        self._ticks.clear()
        if self._config.run_id:
            self._strangers.check()

    # faults

    def _guarded(self, callback: Callable[..., Any]) -> Callable[..., Any]:
        """`callback`, but where it raises, zero comes first and then the fault is told; after too many, the end."""

        def guarded(*arguments: Any) -> Any:
            try:
                return callback(*arguments)
            except (ConfigError, NeighbourError):  # no chance that it goes better next time
                self._command_zero()
                raise
            except Exception as error:  # noqa: BLE001 (not hidden: zero, then logged, diagnosed and counted)
                self._on_fault(error)
                response = arguments[-1] if arguments else None
                if isinstance(response, Trigger.Response):
                    response.success, response.message = False, self._faults.newest
                return response

        return guarded

    def _on_fault(self, error: Exception) -> None:
        self._command_zero()
        place = traceback.extract_tb(error.__traceback__)[-1]
        sentence = f"{type(error).__name__} in {place.name}: {error}"
        self._controller.hold(sentence)
        is_too_much = self._faults.add(sentence, time.monotonic())
        self.get_logger().error("".join(traceback.format_exception(error)))
        self._publish_diagnostics()
        if is_too_much:
            raise SacControlError(f"ended after {self._faults.count} faults, the last one: {sentence}") from error

    def _command_zero(self) -> None:
        """To a robot as a command, to a simulator that does not wait as an answer; one in lockstep stands still."""
        controller, config = self._controller, self._config
        zero = controller.zero()
        if not zero.size or config.dry_run:
            return
        if (commands := self._open_commands) is not None:
            commands.publish(messages.effort_to_msg(controller.robot_joints.command(zero), self._command_msg))
        elif config.run_id and not config.lockstep and self._answered is not None:
            answer = dataclasses.replace(self._answered, command=zero)
            self._actions.publish(messages.action_to_msg(answer, controller.mode, self._action_msg))

    def _warn_of_state(self) -> None:
        """Say why a state was not used, at most once per second."""
        admission, now = self._controller.admission, time.monotonic()
        if admission.last_rejection and now - self._warned_at > 1.0:
            self._warned_at = now
            self.get_logger().warning(f"{admission.rejected_states} states unused: {admission.last_rejection}")

    def _publish_status(self) -> None:
        msg = self._report.status(self._config)
        msg.header.stamp = self.get_clock().now().to_msg()
        self._status.publish(msg)

    def _publish_diagnostics(self) -> None:
        report, config = self._report, self._config
        self._health.tell(
            report.figures(config),
            report.losses(),
            report.findings(config, time.monotonic()),
            otherwise=self._controller.cause,
        )


def main() -> int:
    """Entry point of the executable `policy`."""
    return run(PolicyNode)


if __name__ == "__main__":
    sys.exit(main())
