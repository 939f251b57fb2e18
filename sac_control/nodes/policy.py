"""The policy node: answers states with commands, in simulation and on hardware alike; thin over policy/."""

from __future__ import annotations

import functools
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from std_srvs.srv import Trigger

from sac_control.errors import ConfigError, PolicyFileError, SacControlError
from sac_control.health.aside import REST, Aside
from sac_control.health.waiting import WaitWarning
from sac_control.nodes import messages, topics
from sac_control.nodes.command_outlet import CommandOutlet
from sac_control.nodes.guard import Guard
from sac_control.nodes.health import Health
from sac_control.nodes.neighbours import StrangersCheck
from sac_control.nodes.parameters import NODE_OPTIONS, declare_parameters, take_live_parameters
from sac_control.nodes.policy_announcer import PolicyAnnouncer
from sac_control.nodes.policy_report import PolicyReport
from sac_control.nodes.process import LONGEST_SLEEP, STEADY_CLOCK, run
from sac_control.nodes.rival_watch import RivalWatch
from sac_control.nodes.shadow_relay import ShadowLink
from sac_control.policy.controller import Controller
from sac_control.policy.faults import FaultCounter
from sac_control.policy.live_limits import LIVE
from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.requirements import check_reach
from sac_control.policy.safety import Mode
from sac_control.policy.tick_statistics import TickStatistics
from sac_control.system.realtime import lock_memory, use_realtime_priority
from sac_control.types import JointState, Signals

SHORTEST_DELAY = 1e-4  # [s] between two looks of the watchdog
RIVALS_PERIOD = 0.1  # [s] between two looks for others that command the same robot
OWED_DELAY = 0.01  # [s] until a safe command that could not be published is tried again


class PolicyNode(LifecycleNode):
    """Runs a policy.

    Publishes:   policy/action, policy/status, /diagnostics; policy/shadow_action; effort_controller/commands, whatever
                 the interface, but not where it belongs to a training or an evaluation (run_id, lockstep)
    Subscribes:  joint_states; where it belongs to a training or an evaluation, observation; policy_weights where
                 accept_weights names a run
    Services:    policy/stop latches the safe command; policy/arm releases it; policy/rollback puts the previous policy
                 in force (all Trigger)
    Lifecycle:   configure loads and checks policy_file, activate begins to answer, deactivate sends the safe
                 command first
    Parameters:  see policy/policy_config.py; those in LIVE may be set at run time, see policy/live_limits.py

    The safe command is effort 0, velocity 0, or the position that was measured when the fault began. When joint_states
    stop for state_timeout, it is sent until three usable states in a row have come, and policy/arm was called where
    require_arm is set; see docs/reliability.md for every other cause. When policy_weights stop, the policy in force
    stays. Weights are checked and swapped between two callbacks of the one thread, so never during a tick, and piece by
    piece, so that a tick waits for one piece at most; what becomes of each offer, and the time of its longest piece, is
    on policy/status. A callback that raises holds the safe command first. What is published for those who watch may
    fail, and is counted then; a safe command that cannot be published is tried again.
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
        # In a run the answer is the command: one that was not taken is asked for again at once.
        self._action_rest = REST if config.drives_robot else 0.0
        self._strangers = StrangersCheck(self)
        self._refusal: SacControlError | None = None  # why the policy file could not be used

        # Ordinary publishers: a lifecycle publisher drops messages silently while inactive, and the safe command of a
        # deactivation must get out.
        self._commands = topics.publisher(self, topics.COMMANDS) if config.drives_robot else None
        self._actions = topics.publisher(self, topics.ACTION)
        self._status = topics.publisher(self, topics.POLICY_STATUS)
        self._outlet = CommandOutlet(self._controller, config, self._commands, self._actions, self._aside)
        self._rivals = RivalWatch(self, self._controller, self._outlet)
        shown = [topics.JOINT_STATES] if config.drives_robot else [topics.JOINT_STATES, topics.OBSERVATION]
        shown_on = " or ".join(self.resolve_topic_name(topic.name) for topic in shown)
        self._waiting = WaitWarning(shown_on, "simulator", config.wait_warning, time.monotonic())
        self._health = Health(self, self._waiting, self.get_logger().warning, self._report.losses())
        self._announcer = PolicyAnnouncer(
            self, self._controller, config, self._report, self._status, self._health, self._aside
        )
        self._guarded = Guard(
            self._outlet.hold, self._faults, self.get_logger().error, self._announcer.publish_diagnostics
        )
        on_joint_states = self._guarded(self._on_joint_states)
        on_joint_states.takes_info = True  # type: ignore[attr-defined]  # see event_loop.py
        states = topics.ROBOT_JOINT_STATES if config.drives_robot else topics.JOINT_STATES
        self._states = topics.subscription(self, states, on_joint_states)
        self._backlog = self._states.qos_profile.depth - 1 if config.drives_robot else 0  # states that may be overtaken
        if not config.drives_robot:
            topics.subscription(self, topics.OBSERVATION, self._guarded(self._on_observation))
        if config.accept_weights:
            topics.subscription(self, topics.WEIGHTS, self._guarded(self._on_policy_weights))
        requests = {
            topics.POLICY_STOP: self._stop,
            topics.POLICY_ARM: self._controller.arm,
            topics.POLICY_ROLLBACK: self._controller.roll_back,
        }
        for name, act in requests.items():
            self.create_service(Trigger, name, self._guarded(functools.partial(self._on_request, act)))
        self._watchdog = self.create_timer(LONGEST_SLEEP, self._guarded(self._on_watchdog), clock=STEADY_CLOCK)
        self._set_watchdog()
        if config.drives_robot:
            self.create_timer(RIVALS_PERIOD, self._guarded(self._rivals.look), clock=STEADY_CLOCK)
        self.create_timer(Health.period, self._guarded(self._on_second), clock=STEADY_CLOCK)
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
        """Hold and send the safe command, and say on /diagnostics why the process ends."""
        self._outlet.hold(sentence)
        self._aside.run("last words", time.monotonic(), self._health.fail, sentence)

    def shut_down(self) -> None:
        """Hold and send the safe command a last time."""
        self._outlet.hold("the node ends")
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
        self._announcer.publish_status()
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop answering, and send the safe command."""
        self._deactivate()
        self._announcer.publish_status()
        return super().on_deactivate(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop answering, and send the safe command if anything was commanded."""
        if self._controller.mode is not Mode.INACTIVE:
            self._deactivate()
        self._shadow.end()
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop answering, and send the safe command."""
        self._deactivate()
        return TransitionCallbackReturn.SUCCESS

    def _deactivate(self) -> None:
        self._controller.deactivate()
        if why := self._controller.lacks_position:
            self.get_logger().warning(why)
        self._outlet.make_safe()

    # topics

    def _on_joint_states(self, msg: Any, info: Any) -> None:
        start, now = time.perf_counter(), time.monotonic()
        self._waiting.heard(now)
        state = self._newest_for_us(msg, info, now)
        if state is not None:
            self._answer(state, start, now)

    def _on_observation(self, msg: Any) -> None:
        start, now = time.perf_counter(), time.monotonic()
        self._waiting.heard(now)
        state = messages.observation_from_msg(msg)
        if self._controller.own_states.include(state):
            self._answer(state, start, now)

    def _answer(self, state: Signals, start: float, now: float) -> None:
        """Answer a state that is for us.

        Args:
            state: of a robot, or of an environment without joints.
            start: [s] by the performance counter, when it came.
            now: [s] steady time, likewise.
        """
        controller, outlet = self._controller, self._outlet
        action = controller.answer(state)
        if action is None:
            return
        if not action.is_repeated:  # a state that comes again is answered again, but moves nothing twice
            if controller.is_late():
                outlet.hold("this process stalled while it computed an answer")
                return
            outlet.command(action)
        self._aside.run("policy/action", now, outlet.answer, action, rest=self._action_rest)
        self._ticks.add(start, time.perf_counter(), controller.control_period)
        if self._shadow.is_running and not action.is_repeated and isinstance(state, JointState):
            self._aside.run("the shadow policy", now, self._shadow.ask, state, action.command)

    def _newest_for_us(self, msg: Any, info: Any, now: float) -> JointState | None:
        """Of the states that have come, the newest that is for us: what is older is worth no answer."""
        newest, states, left = None, self._states, self._backlog
        while True:
            state = self._controller.robot_joints.state(messages.state_from_msg(msg))
            if self._controller.own_states.include(state):
                newest = state
                self._rivals.hear(info, now)
            taken = states.handle.take_message(states.msg_type, False) if left else None
            if not taken:
                return newest
            (msg, info), left = taken, left - 1

    def _on_policy_weights(self, msg: Any) -> None:
        self._controller.consider(messages.weights_from_msg(msg))

    def _work(self) -> None:
        report = self._controller.work()
        if report is not None:
            if not report.accepted:
                self.get_logger().warning(f"rejected policy version {report.offered_version}: {report.verdict}")
            self._announcer.publish_status()

    # services

    def _on_request(
        self, act: Callable[[], tuple[bool, str]], _request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        response.success, response.message = act()
        self.get_logger().warning(response.message)
        self._announcer.publish_status()
        return response

    def _stop(self) -> tuple[bool, str]:
        self._controller.stop("stopped by policy/stop")
        why = self._controller.lacks_position
        self._outlet.make_safe()
        return True, f"stopped until policy/arm: {why or 'the safe command is sent'}"

    # parameters

    def _take_limits(self, config: PolicyConfig) -> None:
        self._controller.take_limits(config)
        self._config = config
        self._aside.run("the shadow policy", time.monotonic(), self._shadow.take_limits, config)
        self._set_watchdog()  # which may have less time now
        self.get_logger().warning("new limits are in force")

    # timers

    def _on_watchdog(self) -> None:
        if self._controller.must_be_safe() or self._outlet.is_owed:
            self._outlet.make_safe()
        self._set_watchdog()

    def _set_watchdog(self) -> None:
        """Let it run when the newest state will be too old, not at a period: no state has to set anything for that."""
        delay = min(max(self._controller.watchdog_delay(), SHORTEST_DELAY), LONGEST_SLEEP)
        if self._outlet.is_owed:
            delay = min(delay, OWED_DELAY)
        self._watchdog.timer_period_ns = int(1e9 * delay)
        self._watchdog.reset()  # counted from now on

    def _on_second(self) -> None:
        self._look_at_clock()
        self._announcer.say_why_nothing_moves()
        self._announcer.publish_diagnostics()
        self._announcer.publish_status()
        self._ticks.clear()
        if self._config.run_id:
            self._strangers.check()

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
