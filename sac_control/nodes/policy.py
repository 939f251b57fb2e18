"""The policy node: answers joint states with efforts, in simulation and on hardware alike; thin over policy/."""

from __future__ import annotations

import dataclasses
import functools
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
from sac_control.nodes.aside import REST, Aside
from sac_control.nodes.health import Health
from sac_control.nodes.neighbours import CommandRivals, StrangersCheck
from sac_control.nodes.parameters import NODE_OPTIONS, declare_parameters, take_live_parameters
from sac_control.nodes.policy_report import PolicyReport
from sac_control.nodes.process import LONGEST_SLEEP, STEADY_CLOCK, run
from sac_control.nodes.realtime import lock_memory, use_realtime_priority
from sac_control.nodes.shadow import ShadowLink
from sac_control.nodes.standstill import Standstill
from sac_control.nodes.waiting import WaitWarning
from sac_control.policy.controller import Controller
from sac_control.policy.faults import FaultCounter
from sac_control.policy.live_limits import LIVE
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.requirements import check_reach
from sac_control.policy.safety import Mode
from sac_control.policy.state_sources import StateSources
from sac_control.policy.tick_statistics import TickStatistics
from sac_control.types import Action, JointState, Specification

SHORTEST_DELAY = 1e-4  # [s] between two looks of the watchdog
RIVALS_PERIOD = 0.1  # [s] between two looks for others that command the same robot
OWED_DELAY = 0.01  # [s] until a zero that could not be published is tried again


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
    time of its longest piece, is on policy/status. A callback that raises holds zero first. What is published for those
    who watch may fail, and is counted then; a zero that cannot be published is published again until it can.
    Of the states that wait, the newest that holds our joints is answered. Why nothing moves is on policy/status, on
    /diagnostics and in the log.
    """

    def __init__(self) -> None:
        super().__init__("policy", **NODE_OPTIONS)
        self._config = config = declare_parameters(self, PolicyConfig, live=LIVE)
        check_reach(config, os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE", ""))
        self._controller = Controller(config, wall_clock=self._time)
        self._look_at_clock()
        self._faults = FaultCounter()
        self._ticks = TickStatistics()  # since the last status
        self._shadow = ShadowLink(self, self._controller, config)
        self._aside = Aside(self.get_logger().error)
        self._report = PolicyReport(self._controller, self._ticks, self._faults, self._shadow, self._aside)
        self._standstill = Standstill(0.0 if config.drives_robot else config.wait_warning)
        # In a run the answer is the command: one that was not taken is asked for again at once.
        self._action_rest = REST if config.drives_robot else 0.0
        self._sources = StateSources()
        self._rivals = CommandRivals(self)
        self._strangers = StrangersCheck(self)
        self._is_silent = False  # no command leaves: somebody else commands, too, or states come from two
        self._answered: Action | None = None  # the newest answer
        self._marked: Specification | None = None  # what action messages are marked with
        self._is_zero_owed = False  # the last zero could not be published
        self._unused_states = 0  # of which it was said in the log
        self._refusal: SacControlError | None = None  # why the policy file could not be used

        self._command_msg, self._action_msg = topics.COMMANDS.type(), topics.ACTION.type(run_id=config.run_id)
        # Ordinary publishers: a lifecycle publisher drops messages silently while inactive, and the zero that
        # deactivation commands must get out.
        self._commands = topics.publisher(self, topics.COMMANDS) if config.drives_robot else None
        self._actions = topics.publisher(self, topics.ACTION)
        self._status = topics.publisher(self, topics.POLICY_STATUS)
        on_joint_states = self._guarded(self._on_joint_states)
        on_joint_states.takes_info = True  # type: ignore[attr-defined]  # see event_loop.py
        states = topics.ROBOT_JOINT_STATES if config.drives_robot else topics.JOINT_STATES
        self._states = topics.subscription(self, states, on_joint_states)
        self._backlog = self._states.qos_profile.depth - 1 if config.drives_robot else 0  # states that may be overtaken
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
            self._aside.run("policy/shadow_action", time.monotonic(), self._shadow.tell)
        if not self._controller.swap.is_busy:
            return False
        self._guarded(self._work)()
        return self._controller.swap.is_busy

    def fail(self, sentence: str) -> None:
        """Hold and command zero, and say on /diagnostics why the process ends."""
        self._controller.hold(sentence)
        self._command_zero()
        self._aside.run("last words", time.monotonic(), self._health.fail, sentence)

    def shut_down(self) -> None:
        """Hold and command zero a last time."""
        self._controller.hold("the node ends")
        self._command_zero()
        self._aside.run("end of the shadow policy", time.monotonic(), self._shadow.end)

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
        """Stop answering, and command zero."""
        self._controller.deactivate()
        self._command_zero()
        self._publish_status()
        return super().on_deactivate(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop answering, and command zero."""
        self._controller.deactivate()
        self._command_zero()
        return TransitionCallbackReturn.SUCCESS

    # topics

    def _on_joint_states(self, msg: Any, info: Any) -> None:
        start, now = time.perf_counter(), time.monotonic()
        self._waiting.heard(now)
        controller = self._controller
        state = self._newest_for_us(msg, info, now)
        if state is None:
            return
        action = controller.answer(state)
        if action is None:
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
        self._aside.run("policy/action", now, self._publish_action, action, rest=self._action_rest)
        self._ticks.add(start, time.perf_counter(), controller.control_period)
        if self._shadow.is_running and is_new:
            self._aside.run("the shadow policy", now, self._shadow.ask, state)

    def _newest_for_us(self, msg: Any, info: Any, now: float) -> JointState | None:
        """Of the states that have come, the newest that is for us: what is older is worth no answer."""
        newest, states, left = None, self._states, self._backlog
        while True:
            state = self._controller.robot_joints.state(messages.state_from_msg(msg))
            if self._controller.is_for_us(state):
                newest = state
                if self._sources.hear(info["publisher_gid"]["data"] if "publisher_gid" in info else None, now):
                    self._look_for_rivals()
            taken = states.handle.take_message(states.msg_type, False) if left else None
            if not taken:
                return newest
            (msg, info), left = taken, left - 1

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
        self._config = config
        self._aside.run("the shadow policy", time.monotonic(), self._shadow.take_limits, config)
        self._set_watchdog()  # which may have less time now
        self.get_logger().warning("new limits are in force")

    # timers

    def _on_watchdog(self) -> None:
        if self._controller.must_command_zero() or self._is_zero_owed:
            self._command_zero()
        self._set_watchdog()

    def _set_watchdog(self) -> None:
        """Let it run when the newest state will be too old, not at a period: no state has to set anything for that."""
        delay = min(max(self._controller.watchdog_delay(), SHORTEST_DELAY), LONGEST_SLEEP)
        if self._is_zero_owed:
            delay = min(delay, OWED_DELAY)
        self._watchdog.timer_period_ns = int(1e9 * delay)
        self._watchdog.reset()  # counted from now on

    def _on_second(self) -> None:
        self._look_at_clock()
        self._say_why_nothing_moves()
        self._publish_diagnostics()
        self._publish_status()
        self._ticks.clear()
        if self._config.run_id:
            self._strangers.check()

    # faults

    def _guarded(self, callback: Callable[..., Any]) -> Callable[..., Any]:
        """`callback`, but where it raises, zero is held first, then the fault is told; after too many, the end."""

        def guarded(*arguments: Any) -> Any:
            try:
                return callback(*arguments)
            except (ConfigError, NeighbourError) as error:  # no chance that it goes better next time
                self._controller.hold(str(error))
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
        place = traceback.extract_tb(error.__traceback__)[-1]
        sentence = f"{type(error).__name__} in {place.name}: {error}"
        self._controller.hold(sentence)
        self._command_zero()
        is_too_much = self._faults.add(sentence, time.monotonic())
        self.get_logger().error("".join(traceback.format_exception(error)))
        self._publish_diagnostics()
        if is_too_much:
            raise SacControlError(f"ended after {self._faults.count} faults, the last one: {sentence}") from error

    def _command_zero(self) -> None:
        """What cannot be published is owed, and published again by the watchdog: this never raises."""
        self._is_zero_owed = not self._aside.run("a zero command", time.monotonic(), self._publish_zero, rest=0.0)

    def _publish_zero(self) -> None:
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

    # what is told

    def _publish_action(self, action: Action) -> None:
        self._actions.publish(messages.action_to_msg(action, self._controller.mode, self._action_msg))

    def _say_why_nothing_moves(self) -> None:
        controller, admission, now = self._controller, self._controller.admission, time.monotonic()
        cause = "" if controller.mode is Mode.ACTIVE else controller.cause
        sentence = self._standstill.sentence(cause, now)
        if not sentence and admission.rejected_states > self._unused_states:
            sentence = f"{admission.rejected_states} states unused: {admission.last_rejection}"
        self._unused_states = admission.rejected_states
        if sentence:
            self.get_logger().warning(sentence)

    def _publish_status(self) -> None:
        self._aside.run("policy/status", time.monotonic(), self._tell_status)

    def _tell_status(self) -> None:
        msg = self._report.status(self._config)
        msg.header.stamp = self.get_clock().now().to_msg()
        self._status.publish(msg)

    def _publish_diagnostics(self) -> None:
        self._aside.run("/diagnostics", time.monotonic(), self._tell_health)

    def _tell_health(self) -> None:
        report, config = self._report, self._config
        self._health.tell(
            report.figures(config),
            report.losses(),
            report.findings(config, time.monotonic()),
            otherwise=self._controller.cause,
        )

    def _look_at_clock(self) -> None:
        """With use_sim_time, which may be set at any time, states may come at any speed."""
        is_real = self._config.drives_robot and not self.get_clock().ros_time_is_active
        self._controller.period.compares_clocks = is_real

    def _time(self) -> int:
        """What stamps are compared with [ns]: time of the system, or simulated time with use_sim_time."""
        clock = self.get_clock()
        return int(clock.now().nanoseconds) if clock.ros_time_is_active else time.time_ns()


def main() -> int:
    """Entry point of the executable `policy`."""
    return run(PolicyNode)


if __name__ == "__main__":
    sys.exit(main())
