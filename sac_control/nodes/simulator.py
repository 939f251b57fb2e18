"""The simulator node: publishes what a task shows, and applies what is commanded. What acts it out lives in envs/."""

from __future__ import annotations

import math
import secrets
import sys
import time
from typing import Any

from rclpy.node import Node
from std_srvs.srv import SetBool, Trigger

from sac_control.envs.registry import make_env
from sac_control.health.diagnosis import ERROR, WARN, Finding
from sac_control.health.waiting import WaitWarning
from sac_control.identity import describe_run, frame_id
from sac_control.nodes import messages, topics
from sac_control.nodes.health import Health
from sac_control.nodes.joint_outlet import JointOutlet
from sac_control.nodes.parameters import NODE_OPTIONS, declare_parameters
from sac_control.nodes.process import LONGEST_SLEEP, STEADY_CLOCK, run
from sac_control.nodes.recorder_watch import RecorderWatch
from sac_control.nodes.transition_outlet import TransitionOutlet
from sac_control.policy.safe_command import SafeCommand
from sac_control.simulation.episode_runner import EpisodeRunner
from sac_control.simulation.exchange import Exchange
from sac_control.simulation.periods import Periods
from sac_control.simulation.simulator_config import SimulatorConfig
from sac_control.types import Float32Array, FloatArray, JointState


class SimulatorNode(Node):
    """Simulates a task.

    Publishes:   joint_states, or observation where the task has no joints; transitions, /diagnostics; /clock where
                 publish_clock is set; joint/<name>, for tools that plot
    Subscribes:  policy/action, learner/credit; realtime without run_id: effort_controller/commands
    Services:    simulator/reset (Trigger) abandons the episode and starts another; simulator/pause (SetBool)
    Parameters:  see simulation/simulator_config.py

    With a run_id it belongs to one training or evaluation: its states name that one, and what moves it are the answers
    on policy/action of that one's policy node, and nothing else. Without one it stands in for a robot, and in realtime
    stamps its states with system time as a robot does, unless publish_clock makes simulated time everybody's, which
    begins at 0. Elsewhere simulated time begins at system time, and in realtime it follows that: plots of several
    topics have one axis. Nothing is fresh or stale by these stamps.
    In lockstep a state waits for the action that echoes its stamp; an answer that does not come is asked for again and
    counted, and time stands still meanwhile. In realtime physics waits for nobody once a first command has come: the
    last command is held until the next, and the safe command holds while the newest is older than
    command_timeout. A command is as old as the newest look into its queue before it: one that waited there while this
    process stalled, as it may for a second in a middleware that lost a neighbour, is not fresh for being taken now.
    A period may be late, made up for together with the next, or unanswered: its action came after the next state or
    never; /diagnostics counts both.
    """

    def __init__(self) -> None:
        super().__init__("simulator", **NODE_OPTIONS)
        self._config = config = declare_parameters(self, SimulatorConfig)
        env = make_env(
            config.task,
            engine=config.engine,
            render_mode=None if config.headless else "human",
            max_episode_steps=config.max_episode_steps or None,
            is_paced=config.mode == "lockstep",
            randomise=config.randomise,
        )
        self._always_varies = config.randomise_when == "always"
        env.is_varied = self._always_varies
        config.check(env.specification)
        self._identity = config.run_id, env.specification.hash  # of actions that are for this simulator
        self._source = secrets.randbits(63)
        begin = 0 if config.publish_clock else time.time_ns()
        frame = frame_id(*self._identity)
        self._runner = EpisodeRunner(env, source=self._source, seed=config.seed, frame=frame, begin=begin)
        self._takes_commands = config.mode == "realtime" and not config.run_id
        self._exchange = Exchange(config.answer_timeout, config.flow_control)
        self._safe = SafeCommand.of(env.specification)  # what moves the robot where nobody commands it
        self._measure()
        period = env.specification.control_period / config.real_time_factor  # [s] of the steady clock
        self._periods = Periods(period)
        self._refusals = 0  # states and clocks that the middleware did not take
        self._is_paused = False
        self._commanded: FloatArray = self._safe.hold()
        self._applied: FloatArray = self._commanded  # in the newest step
        self._command_time: float | None = None  # [s] steady time after which the newest usable command came
        self._policy_version = 0
        self._action_raw: Float32Array | None = None  # of the newest action
        self._foreign_actions = 0
        self._foreign_action = ""  # why the newest of them was refused
        self._published_stamp = 0  # [ns] of the newest state
        self._answered_stamp: int | None = None  # [ns] of the state that the newest action answers
        self._rejected_commands = 0
        self._zeroed_periods = 0
        self._stepped_at = self._looked_at = _now()  # [s] steady times of the newest step and end of a period

        shown = topics.JOINT_STATES if env.specification.has_joints else topics.OBSERVATION
        self._state_msg, self._clock_msg = shown.type(), topics.CLOCK.type()
        self._states = topics.publisher(self, shown)
        self._transitions = TransitionOutlet(topics.publisher(self, topics.TRANSITIONS), config.run_id, env.task.hash)
        publishers = (self._states, self._transitions.publisher)
        self._recorder = RecorderWatch(self, publishers, config.await_recorder, _now())
        self._clock_topic = topics.publisher(self, topics.CLOCK) if config.publish_clock else None
        self._joints = JointOutlet(self, env.specification)
        topics.subscription(self, topics.ACTION, self._on_action)
        self.create_service(Trigger, topics.SIMULATOR_RESET, self._on_reset)
        self.create_service(SetBool, topics.SIMULATOR_PAUSE, self._on_pause)
        self._waiting = WaitWarning(self.resolve_topic_name("policy/action"), "policy", config.wait_warning, _now())
        if self._takes_commands:
            topics.subscription(self, topics.COMMANDS, self._on_command)
        else:
            topics.subscription(self, topics.CREDIT, self._on_credit)
        if config.mode == "realtime":
            self.create_timer(period, self._on_period, clock=STEADY_CLOCK)
        else:
            self.create_timer(min(config.answer_timeout / 2, LONGEST_SLEEP), self._on_overdue, clock=STEADY_CLOCK)
        self.create_timer(Health.period, self._on_second, clock=STEADY_CLOCK)
        self._health = Health(self, self._waiting, self.get_logger().warning, self._losses())
        self.get_logger().info(f"simulates {config.task} by {env.engine} in {config.mode}, seed {config.seed}")
        self._advance()

    is_done = False

    def work(self) -> bool:
        """Nothing to do between callbacks."""
        return False

    def fail(self, sentence: str) -> None:
        """Apply the safe command from now on, and say why on /diagnostics."""
        self._commanded = self._safe.hold()
        self._health.fail(sentence)

    def shut_down(self) -> None:
        """Close the physics."""
        self._runner.close()

    # lockstep

    def _advance(self) -> None:
        """Lockstep: publish the present state if it may be acted upon."""
        if self._recorder.is_awaited(_now()):
            return
        if self._config.mode == "lockstep" and not self._is_paused and self._exchange.has_credit:
            self._publish_state()
            self._exchange.state_sent(self._runner.stamp, _now())

    def _on_action(self, msg: Any) -> None:
        if (msg.run_id, msg.specification_hash) != self._identity:
            self._refuse(msg)
            return
        self._waiting.heard(_now())
        action = messages.action_from_msg(msg)
        self._policy_version, self._action_raw = action.policy_version, action.action
        self._answered_stamp = action.stamp
        if self._config.mode == "realtime":
            if not self._takes_commands:
                self._take_command(action.command)
        elif self._is_usable(action.command) and self._exchange.accept(action.stamp):
            self._step(action.command)
            self._exchange.transition_sent(_now())
            self._advance()  # the state first: the policy works while the rest is published
            self._transitions.publish()
            self._joints.publish(self._runner, self._applied, _now())

    def _refuse(self, msg: Any) -> None:
        """An action that is not for this simulator: of another run, or of a policy that sees or moves other things."""
        run_id, specification_hash = self._identity
        self._foreign_actions += 1
        self._foreign_action = (
            f"policy/action is of {describe_run(msg.run_id)}, this simulator belongs to {describe_run(run_id)}"
            if msg.run_id != run_id
            else f"policy/action is for specification {msg.specification_hash[:12]}, this simulator has "
            f"{specification_hash[:12]}: joints, observation, limits or control period differ"
        )

    def _on_credit(self, msg: Any) -> None:
        if msg.run_id != self._config.run_id:
            return
        self._runner.is_varied = msg.varied or self._always_varies
        until = messages.credit_from_msg(msg).get(self._source)
        if until is None or self._config.mode == "realtime":
            return
        self._exchange.grant(until)
        if not self._exchange.awaits_answer:
            self._advance()

    def _on_overdue(self) -> None:
        self._transitions.publish()  # those that were refused
        if self._is_paused or self._recorder.is_awaited(_now()):
            return
        if self._recorder.has_just_come:
            self._advance()
        if self._exchange.must_resend_state(_now()):
            self._publish_state()
        elif self._exchange.must_probe(_now()):
            self._transitions.publish_last_again()

    # realtime

    def _on_command(self, msg: Any) -> None:
        self._take_command(messages.command_from_msg(msg))

    def _take_command(self, command: FloatArray) -> None:
        if not self._is_usable(command):
            self._rejected_commands += 1  # counts as no message: it does not feed the watchdog
            return
        self._commanded, self._command_time = command, self._looked_at

    def _on_period(self) -> None:
        self._looked_at = _now()  # whatever had come was taken: messages are served before timers
        if self._recorder.is_awaited(_now()):
            return
        if self._command_time is None or self._is_paused:
            self._periods.stop()
        else:
            self._periods.unanswered += self._answered_stamp not in (None, self._published_stamp)
            for _ in range(self._periods.tick(_now())):
                self._step(self._held_command())
        if not (self._is_paused or self._config.publish_clock):
            self._follow_system_time()
        self._publish_state()
        self._transitions.publish()
        self._joints.publish(self._runner, self._applied, _now())

    def _follow_system_time(self) -> None:
        """Stamp the present state as a robot would, or as nearly as the gaps by which episodes are told allow."""
        runner, now = self._runner, time.time_ns()
        if self._takes_commands:
            runner.stamp = now
        elif self._command_time is None:
            runner.stamp = max(now, runner.stamp)
        elif self._config.real_time_factor == 1.0:
            runner.follow(now)

    def _held_command(self) -> FloatArray:
        """The newest command, or the safe one where it is too old: the watchdog that needs no policy process."""
        if self._command_time is None or _now() - self._command_time > self._config.command_timeout:
            self._zeroed_periods += 1
            return self._safe.hold()
        self._safe.let_go()
        return self._commanded

    # both

    def _step(self, command: FloatArray) -> None:
        self._stepped_at, self._applied = _now(), command
        transition = self._runner.step(command, self._policy_version, self._action_raw)
        self._measure()
        self._transitions.add(transition)

    def _measure(self) -> None:
        """Let the safe command be where the robot is, where that is a position."""
        if self._safe.needs_position and isinstance(state := self._runner.signals, JointState):
            self._safe.measure(state)

    def _is_usable(self, command: FloatArray) -> bool:
        return len(command) == len(self._safe.is_position) and all(map(math.isfinite, command.tolist()))

    def _publish_state(self) -> None:
        signals = self._runner.signals
        self._published_stamp = signals.stamp
        msg = messages.signals_to_msg(signals, self._state_msg)
        self._refusals += not topics.try_to_publish(self._states, msg)
        if self._clock_topic is not None and topics.is_heard(self._clock_topic):
            clock = messages.clock_to_msg(signals.stamp, self._clock_msg)
            self._refusals += not topics.try_to_publish(self._clock_topic, clock)

    def _on_reset(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._runner.reset()
        self._exchange.abandon()
        self._advance()
        response.success, response.message = True, f"episode {self._runner.episode} begins"
        return response

    def _on_pause(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        was_paused, self._is_paused = self._is_paused, request.data
        if was_paused and not self._exchange.awaits_answer:
            self._advance()
        response.success, response.message = True, "paused" if self._is_paused else "running"
        return response

    # health

    def _losses(self) -> dict[str, int]:
        """Counters that grow where something was lost, late or unusable."""
        return {
            "resent_states": self._exchange.resent_states,
            "rejected_commands": self._rejected_commands,
            "zeroed_periods": self._zeroed_periods,
            "refused_messages": self._refusals + self._transitions.refusals + self._joints.refusals,
            "foreign_actions": self._foreign_actions,
            "overruns": self._periods.given_up,
        }

    def _on_second(self) -> None:
        figures: dict[str, object] = {
            "mode": self._config.mode,
            "waits_for": self._awaited,
            "episode": self._runner.episode,
            "transitions": self._runner.sequence,
            "step_age": _now() - self._stepped_at,
            "command_age": math.nan if self._command_time is None else _now() - self._command_time,
            "variation": self._runner.variation,
            "policy_version": self._policy_version,
            "credit_probes": self._exchange.probes,
            "stray_actions": self._exchange.stray_actions,
            "last_foreign_action": self._foreign_action,
            "late_periods": self._periods.late,
            "unanswered_periods": self._periods.unanswered,
        }
        self._health.tell(figures, self._losses(), self._findings(), "paused" if self._is_paused else "runs")

    @property
    def _awaited(self) -> str:
        """What time stands still for; empty while it goes on."""
        if self._is_paused:
            return "simulator/pause"
        if self._config.mode == "realtime":
            return "" if self._command_time is not None else "a first command"
        if self._exchange.awaits_answer:
            return "an action"
        return "" if self._exchange.has_credit else "credit"

    def _findings(self) -> list[Finding]:
        """What is wrong at present."""
        now = _now()
        if self._is_paused:
            return []
        age = 0.0 if self._command_time is None else now - self._command_time
        if age > (limit := self._config.command_timeout):
            return [(ERROR, f"command is {age:.2f} s old, limit {limit:g} s: the safe command is applied")]
        silence = now - self._stepped_at
        is_long = self._awaited and silence > self._config.wait_warning
        return [(WARN, f"waits for {self._awaited} for {silence:.0f} s" if is_long else "")]


def _now() -> float:
    return time.monotonic()


def main() -> int:
    """Entry point of the executable `simulator`."""
    return run(SimulatorNode)


if __name__ == "__main__":
    sys.exit(main())
