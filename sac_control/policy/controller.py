"""Joint state in, limited command out. The object that a policy node owns; knows nothing of ROS."""

from __future__ import annotations

import dataclasses
import functools
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sac_control.config import PolicyConfig
from sac_control.errors import PolicyFileError, StateError
from sac_control.identity import describe_run, frame_id, is_of_a_run
from sac_control.policy import live_limits
from sac_control.policy.admission import Admission
from sac_control.policy.arming_region import ArmingRegion
from sac_control.policy.envelope import Envelope
from sac_control.policy.frozen_joints import FrozenJoints
from sac_control.policy.hot_swap import HotSwap
from sac_control.policy.joint_limits import command_limits, command_rates
from sac_control.policy.limits import EffortLimiter
from sac_control.policy.period_watch import PeriodWatch
from sac_control.policy.policy import Policy
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.requirements import check_requirements
from sac_control.policy.robot_joints import RobotJoints
from sac_control.policy.safety import Mode, Safety
from sac_control.policy.shadow import check_shadow
from sac_control.policy.signature import TrustedKeys
from sac_control.policy.unused_states import UnusedStates, names_of
from sac_control.types import Action, FloatArray, JointState, Specification, SwapReport, Weights


class Controller:
    """Answers each joint state with an action of the policy in force, whose command is zero unless `safety` is active.

    Args:
        config: what to run and when to stop trusting the input.
        clock: steady clock [s].
        wall_clock: time [ns] with which stamps are compared: of the system, or simulated where use_sim_time is set.
    """

    def __init__(
        self,
        config: PolicyConfig,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._config, self._clock = config, clock
        self._rng = None if config.deterministic else np.random.default_rng(config.seed)
        self.swap = self._new_swap()
        self.safety = Safety(config.timeout(0.0), require_arm=config.require_arm, is_lockstep=config.lockstep)
        self.robot_joints = RobotJoints(config)  # through which states come in and commands go out
        self.admission = Admission(config, wall_clock)
        self.arming_region = ArmingRegion(config)
        self.period = PeriodWatch(config)
        self.unused = UnusedStates()
        may_push = config.drives_robot and not config.dry_run
        self._frozen = FrozenJoints(config.frozen_periods if may_push else 0, config.frozen_share)
        self.ticks = 0  # states answered
        self.active_ticks = 0  # of these, while active
        self.blocked_by = ""  # why nothing may move, whatever states say; empty: nothing of the kind
        self.clamped_ticks = 0  # of these again, with a command that the limits changed
        self.specification: Specification | None = None  # of the policy in force; the object stays while it does
        self._frame = ""  # that states must have; empty: any
        self._hash = ""  # specification that the tools below were made for
        self.control_period = 0.0  # [s] of the policy; 0 before there is one
        self._passed_over = 0  # [ns] after a state that was answered, for which others are not; 0: none
        self._limiter: EffortLimiter | None = None
        self._scale: FloatArray = np.zeros(0)
        self._answer: Action | None = None
        self._period_objection = ""  # against the rate of states
        self._answered_at = 0.0  # [s] steady time of the newest answer
        self._has_own_limits_alone = _has_own_limits_alone(config)
        self._in_force_since = -math.inf  # [s]
        self._explorer: Policy | None = None  # the policy that was in force when `_prepare` was last called

    @property
    def mode(self) -> Mode:
        """What is done with the actuators."""
        return self.safety.mode

    @property
    def cause(self) -> str:
        """Why that, and what is wrong with what comes where nothing moves."""
        safety = self.safety
        if safety.mode not in (Mode.ARMING, Mode.HOLD_ZERO):
            return safety.cause
        explanation = self._explanation()
        return f"{safety.cause}: {explanation}" if explanation else safety.cause

    def watchdog_delay(self) -> float:
        """Time until `must_command_zero` is to be called again [s].

        That is, to the point, when the newest usable state becomes too old; while zero is commanded, or no state came
        yet, twice per control period.
        """
        safety = self.safety
        if safety.mode < Mode.HOLD_ZERO and (remaining := safety.timeout - self.state_age()) >= 0.0:
            return remaining
        if self._config.lockstep or not self.control_period:
            return 0.5 * safety.timeout
        return 0.5 * min(safety.timeout, self.control_period)

    def policy_age(self) -> float:
        """Time since the policy in force came into force [s]; infinite without one."""
        return self._clock() - self._in_force_since

    def state_age(self) -> float:
        """Time since the newest usable state [s]; infinite before the first."""
        return self.safety.age(self._clock())

    # policies

    def install(self, file: PolicyFile) -> None:
        """Put a policy read from disk in force; see `HotSwap.install` for what is raised.

        Raises:
            ConfigError: the envelope names what this policy's joints do not have; so do `offer` and `work`.
        """
        self.swap.install(file)
        self._prepare(file)

    def admit_shadow(self, file: PolicyFile) -> None:
        """See that `file` may run on this robot beside the policy in force, if there is one yet.

        Raises:
            PolicyFileError: it may not, for what would refuse it as the policy itself, or because that one differs.
        """
        self._new_swap().install(file)
        if self.swap.file is not None:
            check_shadow(file.specification, self.swap.file.specification)

    def offer(self, weights: Weights) -> SwapReport | None:
        """Check `weights` at once and put them in force if all is well; None where they are in force already."""
        return self._prepared(self.swap.offer(weights))

    def consider(self, weights: Weights) -> None:
        """Have `weights` checked by `work`."""
        self.swap.consider(weights)

    def work(self) -> SwapReport | None:
        """Do a piece of the check of weights under consideration; the verdict if it was the last."""
        return self._prepared(self.swap.work())

    def roll_back(self) -> tuple[bool, str]:
        """Put the policy before in force from the next state on; whether there is one, and a sentence about it."""
        try:
            file = self.swap.roll_back()
        except PolicyFileError as error:
            return False, str(error)
        self._prepare(file)
        return True, f"version {file.policy_version} of run {file.run!r} is in force"

    # limits

    def authority(self, now: float) -> float:
        """Share of the command limits that may be used, growing from 0 to 1 after arming."""
        ramp = self._config.ramp_s
        return min(1.0, (now - self.safety.armed_at) / ramp) if ramp else 1.0

    def checked_limits(self, values: Mapping[str, Any]) -> PolicyConfig:
        """The settings with new `values` by name; they are not in force yet.

        Raises:
            ConfigError: they may not be, at least not now; see `live_limits`.
        """
        file = self.swap.file
        config = live_limits.changed(
            self._config,
            values,
            is_active=self.mode is Mode.ACTIVE,
            control_period=self.control_period,
            specification=file.specification if file is not None else None,
        )
        if file is not None:
            Envelope(config.envelope).check(file.specification.joints)
        return config

    def take_limits(self, config: PolicyConfig) -> None:
        """Put limits in force that `checked_limits` has found good."""
        self._config = config
        self.safety.timeout = config.timeout(self.control_period)
        self.admission.set(config)
        self._has_own_limits_alone = _has_own_limits_alone(config)
        if self._limiter is not None:
            self._limiter.set(self._limits(), self._rates())
            self._frozen.set_limit(self._limits())

    # whether anything may move

    def activate(self) -> None:
        """Begin to answer states; zero is commanded until armed."""
        self.safety.activate()
        self._answer = self.admission.stamp = None

    def deactivate(self) -> None:
        """Answer no more states."""
        self.safety.deactivate()
        self._withdraw()
        self._answer = self.admission.stamp = None

    def arm(self) -> tuple[bool, str]:
        """Release latched zero and let states arm; see `Safety.arm`. Refused while something blocks.

        So it is where training has not been.
        """
        if self.blocked_by:
            return False, f"not armed: {self.blocked_by}"
        now, safety = self._clock(), self.safety
        may_arm = safety.mode not in (Mode.INACTIVE, Mode.ACTIVE) and not safety.is_stale(now)
        if may_arm and (objection := self._period_objection or self.arming_region.objection):
            return False, f"not armed: {objection}"
        is_done, sentence = safety.arm(now)
        if not is_done:
            explanation = self._explanation()
            return False, f"{sentence}: {explanation}" if explanation else sentence
        reservation = self.arming_region.reservation
        return True, f"{sentence}; {reservation}" if reservation else sentence

    def stop(self, cause: str) -> None:
        """Latch zero."""
        self.safety.latch(cause)
        self._withdraw()

    def hold(self, cause: str) -> None:
        """Zero until usable states have armed again."""
        self.safety.hold(cause)
        self._withdraw()

    def must_command_zero(self) -> bool:
        """Whether zero must be commanded now, because no usable state has come in time or for another cause."""
        must = self.safety.watch(self._clock())
        if must and not self._config.lockstep:
            self._withdraw()
        return must

    def zero(self) -> FloatArray:
        """The command that does nothing, (a,) float64; of length 0 before a policy tells how many joints there are."""
        return self._limiter.zero if self._limiter is not None else np.zeros(0)

    @property
    def last_command(self) -> FloatArray:
        """What was commanded last, (a,) float64 [unit of the interface]; zero before anything was."""
        return self._answer.command if self._answer is not None else self.zero()

    # ticks

    def answer(self, state: JointState) -> Action | None:
        """The action for `state`; None where there is none (inactive, no policy, unusable state).

        State and command are those of the policy's joints: see `robot_joints` for what the robot calls them.
        A state that is asked for again (same stamp) gets the same answer, whatever has been swapped meanwhile; only its
        command becomes zero where zero was commanded meanwhile.
        """
        safety, policy, file, limiter = self.safety, self.swap.policy, self.swap.file, self._limiter
        if safety.mode is Mode.INACTIVE:
            return None
        if policy is None or file is None or limiter is None:
            safety.wait("waits for policy_weights")
            return None
        if not self.is_for_us(state):
            return None
        if self._answer is not None and self._answer.stamp == state.stamp and not self._config.drives_robot:
            return self._answer
        last = self.admission.stamp
        if self._passed_over and last is not None and 0 < state.stamp - last < self._passed_over:
            self.unused.passed_over += 1
            return None
        now = self._clock()
        is_stale = safety.is_stale(now)
        try:
            objection = self.admission.admit(state, safety.timeout, is_fresh=not is_stale)
        except StateError:
            self.unused.reject(now)
            if state.stamp != last:  # what is only repeated is no reason to mistrust what follows
                safety.refuse()
            return None
        if self._frozen.is_used:
            objection = self._frozen.objection(state, self.last_command) or objection
        if self.period.is_used:
            objection = self._judge_period(state.stamp, now, is_stale, objection)
        if self.arming_region.is_used:
            self.arming_region.judge(state)
            if safety.mode is not Mode.ACTIVE:  # once armed, the envelope alone stops it
                objection = objection or self.arming_region.objection
        is_active = safety.take(now, objection or self.blocked_by)
        action = policy.act(self.admission.observation, self._rng)
        command_raw = self._scale * action
        if is_active:
            command = self._limited(command_raw, limiter, state.stamp, now)
            self.active_ticks += 1
            if command is limiter.zero:
                safety.latch(f"policy version {file.policy_version} gave an action that is not finite")
        else:
            command = limiter.release()
        self.admission.stamp, self._answered_at = state.stamp, now
        self.ticks += 1
        self._answer = Action(
            stamp=state.stamp,
            policy_version=file.policy_version,
            action=action,
            command_raw=command_raw,
            command=command,
            region=self.arming_region.place,
        )
        return self._answer

    def is_late(self) -> bool:
        """Whether the newest answer moves something and is too old for that: this process stood still meanwhile."""
        return self.mode is Mode.ACTIVE and not self._config.lockstep and self.safety.is_stale(self._clock())

    def _new_swap(self) -> HotSwap:
        config = self._config
        return HotSwap(
            config.task,
            config.max_weights_bytes,
            self._clock,
            functools.partial(check_requirements, config),
            TrustedKeys.required_by(config),
            config.accept_weights,
        )

    def is_for_us(self, state: JointState) -> bool:
        """Whether `state` is of the simulator of our run, or of a robot, and of our joints; others are counted."""
        if state.frame != self._frame and (self._frame or is_of_a_run(state.frame)):
            run_id, _, specification_hash = state.frame.partition("/")
            whose = describe_run(run_id) if specification_hash else "no run of ours"
            foreign = (
                f"joint_states are of {whose}, this node belongs to {describe_run(self._config.run_id)}"
                if run_id != self._config.run_id
                else f"joint_states are of specification {specification_hash[:12]}, the policy has {self._hash[:12]}: "
                "joints, observation, limits or control period differ"
            )
            self.admission.last_rejection = foreign
        elif self.admission.concerns(state.names):
            return True
        else:
            assert self.specification is not None
            foreign = (
                f"joint_states hold {names_of(state.names)}, none of the policy's joints "
                f"{names_of(self.specification.joints)}: let joint_state_broadcaster publish these, or set "
                "policy.joint_map"
            )
        self.unused.ignore(foreign, self._clock())
        return False

    def _judge_period(self, stamp: int, now: float, is_stale: bool, objection: str) -> str:
        """What speaks against moving anything, the rate of states included, which holds zero and does not latch it."""
        is_active = self.mode is Mode.ACTIVE
        fault = self.period.judge(stamp, now, is_stale=is_stale, is_active=is_active)
        self._period_objection = fault
        if fault and is_active and not objection:
            self.hold(fault)
        return objection or fault

    def _explanation(self) -> str:
        """Why there is no usable state or no row of them, as far as it is known."""
        if self.swap.policy is None:
            return self._absence()
        now = self._clock()
        admission, age = self.admission, self.safety.age(now)
        return self.unused.explanation(
            now, age, admission.rejected_states, admission.last_rejection
        ) or self.period.slowness(now, self.safety.timeout)

    def _absence(self) -> str:
        """Why there is no policy."""
        if self.swap.last_report is not None:
            return f"version {self.swap.last_report.offered_version} was refused: {self.swap.last_report.verdict}"
        if self._config.accept_weights:
            return f"none came on policy_weights of {describe_run(self._config.accept_weights)}"
        return "there is no policy: set policy.policy_file, or the run whose weights are taken, policy.accept_weights"

    def _limited(self, command: FloatArray, limiter: EffortLimiter, stamp: int, now: float) -> FloatArray:
        """What may be commanded of `command`; the limiter's zero itself where that is not finite."""
        if self._has_own_limits_alone:
            return limiter.limit(command)  # within its limits already, for an action is from -1 to 1
        limited = limiter.limit(command, self._elapsed(stamp, now), self.authority(now))
        self.clamped_ticks += limited.tolist() != command.tolist()
        return limited

    def _elapsed(self, stamp: int, now: float) -> float:
        """Time for which commands may have changed since the last answer [s], at most a control period.

        In lockstep it is simulated, so that the same states give the same commands.
        """
        if not self._config.lockstep:
            return min(now - self._answered_at, self.control_period)
        last = self.admission.stamp
        if last is None or stamp < last:
            return self.control_period
        return min(1e-9 * (stamp - last), self.control_period)

    def _withdraw(self) -> None:
        """Make zero of the command of the newest answer, in case its state is asked for again."""
        if self._limiter is not None:
            zero = self._limiter.release()
            if self._answer is not None and self._answer.command is not zero:
                self._answer = dataclasses.replace(self._answer, command=zero)

    def _prepared(self, report: SwapReport | None) -> SwapReport | None:
        if report is not None and report.accepted and self.swap.file is not None:
            self._prepare(self.swap.file)
        return report

    def _prepare(self, file: PolicyFile) -> None:
        """Let exploration go on, and make what depends on the specification, once: a swap within a run keeps it."""
        policy = self.swap.policy
        if policy is not None and self._explorer is not None:
            policy.keep_exploration_of(self._explorer)
        self._explorer = policy
        self._in_force_since = self._clock()
        self.arming_region.fit(file)
        if file.specification_hash == self._hash:
            return
        specification = file.specification
        self.admission.fit(specification)
        self.robot_joints.fit(specification)
        self.specification = specification
        self._hash = file.specification_hash
        self._frame = frame_id(self._config.run_id, self._hash)
        self.control_period = period = specification.control_period
        self.period.fit(period)
        decimation = self._config.decimation
        self._passed_over = round(1e9 * period * (1.0 - 0.5 / decimation)) if decimation > 1 else 0
        self.safety.timeout = self._config.timeout(self.control_period)
        self._scale = np.array(specification.command_limit)
        self._limiter = EffortLimiter(self._limits(), self._rates())
        self._frozen.fit(specification, self._limits())

    def _limits(self) -> FloatArray:
        """Largest commands, (a,) float64 [unit of the interface]: the policy's own, or less by the settings."""
        assert self.specification is not None
        return command_limits(self._config, self.specification)

    def _rates(self) -> FloatArray:
        """Largest changes of commands, (a,) float64 [unit of the interface per second]."""
        assert self.specification is not None
        return command_rates(self._config, self.specification)


def _has_own_limits_alone(config: PolicyConfig) -> bool:
    """Whether the policy's own limits are all there is, so that no command needs to be changed."""
    return not (config.max_effort_rate or config.ramp_s or config.effort_limit)
