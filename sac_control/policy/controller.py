"""Joint state or observation in, limited command out. The object that a policy node owns; knows nothing of ROS."""

from __future__ import annotations

import dataclasses
import functools
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sac_control.errors import PolicyFileError, StateError
from sac_control.policy import live_limits
from sac_control.policy.admission import Admission
from sac_control.policy.arming_region import ArmingRegion
from sac_control.policy.command_limiter import CommandLimiter
from sac_control.policy.envelope import Envelope
from sac_control.policy.frozen_joints import FrozenJoints
from sac_control.policy.hot_swap import HotSwap
from sac_control.policy.objections import Objections
from sac_control.policy.own_states import OwnStates
from sac_control.policy.period_watch import PeriodWatch
from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.reasons import Reasons
from sac_control.policy.requirements import check_requirements
from sac_control.policy.robot_joints import RobotJoints
from sac_control.policy.safety import Mode, Safety
from sac_control.policy.shadow_process import check_shadow
from sac_control.policy.signature import TrustedKeys
from sac_control.policy.unused_states import UnusedStates
from sac_control.types import Action, FloatArray, JointState, Signals, Specification, SwapReport, Weights


class Controller:
    """Answers each state with an action of the policy in force; its command is safe unless `safety` is active.

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
        self.unused = UnusedStates()
        self.own_states = OwnStates(config.run_id, self.admission, self.unused, clock)
        may_push = config.drives_robot and not config.dry_run
        self.frozen = FrozenJoints(config.frozen_periods if may_push else 0, config.frozen_share)
        self.period = PeriodWatch(config)
        self.arming_region = ArmingRegion(config)
        self._objections = Objections(self.safety, self.frozen, self.period, self.arming_region, self.hold)
        self._reasons = Reasons(config.accept_weights, self.swap, self.safety, self.admission, self.unused, self.period)
        self.limiter = CommandLimiter(config, self.safety)
        self.blocked_by = ""  # why nothing may move, whatever states say; empty: nothing of the kind
        self.ticks = 0  # states answered
        self.active_ticks = 0  # of these, while active
        self.specification: Specification | None = None  # of the policy in force
        self.specification_hash = ""  # of that one, to which the parts above were fitted; empty before there is one
        self.control_period = 0.0  # [s] of the policy; 0 before there is one
        self._passed_over = 0  # [ns] after a state that was answered, for which others are not; 0: none
        self._answer: Action | None = None
        self._in_force_since = -math.inf  # [s]

    @property
    def mode(self) -> Mode:
        """What is done with the actuators."""
        return self.safety.mode

    @property
    def cause(self) -> str:
        """Why that, and what is wrong with what comes where nothing moves."""
        mode, cause = self.safety.mode, self.safety.cause
        if mode in (Mode.ARMING, Mode.HOLD):
            cause = self._reasons.appended_to(cause, self._clock())
        return f"{cause}; {why}" if mode >= Mode.HOLD and (why := self.lacks_position) else cause

    @property
    def is_left_alone(self) -> bool:
        """Whether nothing is wrong that is known here, but a simulator in lockstep asks no more.

        That is usual: a training asks for no transition while it examines a policy, and after its end.
        """
        now = self._clock()
        is_silent = self.safety.mode is Mode.HOLD and self.safety.is_stale(now)
        return self._config.lockstep and is_silent and not self._reasons.explanation(now)

    def watchdog_delay(self) -> float:
        """Time until `must_be_safe` is to be called again [s].

        That is, to the point, when the newest usable state becomes too old; while the safe command is held, or no state
        came yet, twice per control period.
        """
        safety = self.safety
        if safety.mode < Mode.HOLD and (remaining := safety.timeout - self.state_age()) >= 0.0:
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
        if not file.specification.has_joints:
            raise PolicyFileError(f"shadow policy is for {file.specification.task}, which has no joints: evaluate it")
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
        """Put the previous policy in force from the next state on; whether there is one, and a sentence about it."""
        try:
            file = self.swap.roll_back()
        except PolicyFileError as error:
            return False, str(error)
        self._prepare(file)
        return True, f"version {file.policy_version} of run {file.run!r} is in force"

    # limits

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
        self.limiter.set(config)
        if self.specification is not None:
            self.frozen.set_limit(self.limiter.limits)

    # whether anything may move

    def activate(self) -> None:
        """Begin to answer states; the safe command is held until armed."""
        self.safety.activate()
        self.limiter.safe.forget()
        self._answer = None
        self.admission.begin_anew()

    def deactivate(self) -> None:
        """Answer no more states."""
        self.safety.deactivate()
        self._withdraw()
        self._answer = None
        self.admission.begin_anew()

    def arm(self) -> tuple[bool, str]:
        """Release the latch and let states arm; see `Safety.arm`. Refused while something blocks.

        So it is where training has not been.
        """
        if self.blocked_by:
            return False, f"not armed: {self.blocked_by}"
        now, safety = self._clock(), self.safety
        may_arm = safety.mode not in (Mode.INACTIVE, Mode.ACTIVE) and not safety.is_stale(now)
        if may_arm and (objection := self._objections.to_arming()):
            return False, f"not armed: {objection}"
        is_done, sentence = safety.arm(now)
        if not is_done:
            return False, self._reasons.appended_to(sentence, self._clock())
        reservation = self.arming_region.reservation
        return True, f"{sentence}; {reservation}" if reservation else sentence

    def stop(self, cause: str) -> None:
        """Latch the safe command."""
        self.safety.latch(cause)
        self._withdraw()

    def hold(self, cause: str) -> None:
        """The safe command until usable states have armed again."""
        self.safety.hold(cause)
        self._withdraw()

    def must_be_safe(self) -> bool:
        """Whether the safe command is due now, because no usable state has come in time or for another cause."""
        must = self.safety.watch(self._clock())
        if must and not self._config.lockstep:
            self._withdraw()
        return must

    def safe_command(self) -> FloatArray:
        """The safe command, (a,) float64; of length 0 before a policy tells how many joints there are.

        NaN, and not to be sent, where a position is not known: see `lacks_position`.
        """
        return self.limiter.safe.hold()

    def forget_position(self) -> None:
        """No position that was measured so far is commanded any more: others may move the robot now."""
        self.limiter.safe.forget()

    @property
    def lacks_position(self) -> str:
        """Why there is no safe command; empty where there is one."""
        if self.limiter.safe.is_known:
            return ""
        return "no command is sent: the position that would be held was not measured since the node was activated"

    @property
    def last_command(self) -> FloatArray:
        """What was commanded last, (a,) float64 [unit of the interface]; the safe command before anything was."""
        return self._answer.command if self._answer is not None else self.limiter.safe.hold()

    # ticks

    def answer(self, state: Signals) -> Action | None:
        """The action for `state`; None where there is none (inactive, no policy, unusable state).

        State and command are those of the policy's joints: see `robot_joints` for what the robot calls them.
        A state that is asked for again (same stamp) gets the same answer, marked `is_repeated`, whatever has been
        swapped meanwhile; only its command becomes the safe one where that was commanded meanwhile.
        """
        safety, policy, file, limiter = self.safety, self.swap.policy, self.swap.file, self.limiter
        if safety.mode is Mode.INACTIVE:
            return None
        if policy is None or file is None or self.specification is None:
            safety.wait("waits for policy_weights")
            return None
        if not self.own_states.include(state):
            return None
        if self._answer is not None and self._answer.stamp == state.stamp and not self._config.drives_robot:
            return dataclasses.replace(self._answer, is_repeated=True)
        last = self.admission.stamp
        if self._passed_over and last is not None and 0 < state.stamp - last < self._passed_over:
            self.unused.passed_over += 1
            return None
        now = self._clock()
        is_stale = safety.is_stale(now)
        try:
            objection = self.admission.admit(state, safety.timeout, self._answer, is_fresh=not is_stale)
        except StateError:
            self.unused.reject(now)
            if state.stamp != last:  # what is only repeated is no reason to mistrust what follows
                safety.refuse()
            return None
        if limiter.safe.needs_position and isinstance(state, JointState):
            limiter.safe.measure(state)
        if self._objections.is_used:
            filling = self.admission.filling
            objection = self._objections.judge(state, now, self.last_command, objection, filling, is_stale=is_stale)
        is_active = safety.take(now, objection or self.blocked_by)
        action = policy.act(self.admission.observation, self._rng)
        command_raw = limiter.scale * action
        if is_active:
            command = limiter.limit(command_raw, last, state.stamp, now)
            self.active_ticks += 1
            if command is None:
                safety.latch(f"policy version {file.policy_version} gave an action that is not finite")
                command = limiter.release()
        else:
            if self.blocked_by:  # nobody was commanded: others may have moved the robot
                limiter.safe.let_go()
            command = limiter.release()
        self.admission.stamp, limiter.answered_at = state.stamp, now
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
        """Whether the newest answer moves something and is stale: this process stalled meanwhile."""
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

    def _withdraw(self) -> None:
        """Make the safe command that of the newest answer, in case its state is asked for again."""
        command = self.limiter.release()
        if self._answer is not None:
            self._answer = dataclasses.replace(self._answer, command=command)

    def _prepared(self, report: SwapReport | None) -> SwapReport | None:
        if report is not None and report.accepted and self.swap.file is not None:
            self._prepare(self.swap.file)
        return report

    def _prepare(self, file: PolicyFile) -> None:
        """Make what depends on the specification, once: a swap within a run keeps it."""
        self._in_force_since = self._clock()
        self.arming_region.fit(file)
        if file.specification_hash == self.specification_hash:
            return
        specification = file.specification
        self.admission.fit(specification)
        self.robot_joints.fit(specification)
        self.specification_hash = file.specification_hash
        self.own_states.fit(specification, self.specification_hash)
        self.control_period = period = specification.control_period
        self.period.fit(period)
        decimation = self._config.decimation
        self._passed_over = round(1e9 * period * (1.0 - 0.5 / decimation)) if decimation > 1 else 0
        self.safety.timeout = self._config.timeout(self.control_period)
        self.limiter.fit(specification)
        self.frozen.fit(specification, self.limiter.limits)
        self.specification = specification
