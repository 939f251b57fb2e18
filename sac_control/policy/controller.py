"""Joint state in, limited effort out. The object that a policy node owns; knows nothing of ROS."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from sac_control.config import PolicyConfig
from sac_control.errors import StateError
from sac_control.observation import StateObserver
from sac_control.policy.hot_swap import HotSwap
from sac_control.policy.policy import Policy
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.safety import EffortLimiter, Mode, StateWatchdog
from sac_control.types import Action, Float32Array, FloatArray, JointState, SwapReport, Weights


class Controller:
    """Answers each joint state with an action of the policy in force.

    Args:
        config: what to run and when to stop trusting the input.
        clock: steady clock [s].
    """

    def __init__(self, config: PolicyConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rng = None if config.deterministic else np.random.default_rng(config.seed)
        self.swap = HotSwap(config.task, config.max_weights_bytes, clock)
        self.watchdog = StateWatchdog(config.state_timeout)
        self.mode, self.cause = Mode.INACTIVE, "not activated"
        self.ticks = 0  # states answered
        self.rejected_states = 0  # states that could not be used
        self.last_rejection = ""  # why the newest of them could not
        self._hash = ""  # specification that the tools below were made for
        self._observer: StateObserver | None = None
        self._limiter: EffortLimiter | None = None
        self._scale: FloatArray = np.zeros(0)
        self._observation: Float32Array = np.zeros(0, np.float32)
        self._answer: Action | None = None
        self._explorer: Policy | None = None  # the policy that was in force when `_prepare` was last called

    def install(self, file: PolicyFile) -> None:
        """Put a policy read from disk in force; see `HotSwap.install` for what is raised."""
        self.swap.install(file)
        self._prepare(file)

    def offer(self, weights: Weights) -> SwapReport | None:
        """Check `weights` at once and put them in force if all is well; None where they are in force already."""
        return self._prepared(self.swap.offer(weights))

    def consider(self, weights: Weights) -> None:
        """Have `weights` checked by `work`."""
        self.swap.consider(weights)

    def work(self) -> SwapReport | None:
        """Do a piece of the check of weights under consideration; the verdict if it was the last."""
        return self._prepared(self.swap.work())

    def activate(self) -> None:
        """Begin to answer states; zero is commanded until the first usable one."""
        self.mode, self.cause = Mode.ARMING, "waits for a first state"

    def deactivate(self) -> None:
        """Answer no more states."""
        self.mode, self.cause, self._answer = Mode.INACTIVE, "deactivated", None

    def answer(self, state: JointState) -> Action | None:
        """The action for `state`; None where nothing can be commanded (inactive, no policy, unusable state).

        A state that is asked for again (same stamp) gets the same answer, whatever has been swapped meanwhile.
        """
        policy, file, limiter = self.swap.policy, self.swap.file, self._limiter
        if self.mode is Mode.INACTIVE:
            return None
        if policy is None or file is None or limiter is None or self._observer is None:
            self.mode, self.cause = Mode.ARMING, "waits for policy_weights"
            return None
        if self._answer is not None and self._answer.stamp == state.stamp:
            return self._answer
        try:
            self._observer.observe(state, self._observation)
        except StateError as error:
            self.rejected_states += 1
            self.last_rejection = str(error)
            return None
        self.watchdog.feed(self._clock())
        action = policy.act(self._observation, self._rng)
        effort_raw = self._scale * action
        self.mode, self.cause = Mode.ACTIVE, "controls"
        self.ticks += 1
        self._answer = Action(
            stamp=state.stamp,
            policy_version=file.policy_version,
            action=action,
            effort_raw=effort_raw,
            effort=limiter.limit(effort_raw),
        )
        return self._answer

    def zero(self) -> FloatArray:
        """The effort that does nothing, (a,) float64; of length 0 before a policy tells how many joints there are."""
        return self._limiter.zero if self._limiter is not None else np.zeros(0)

    def hold_zero_if_stale(self) -> bool:
        """Whether zero must be commanded because no usable state has come in time."""
        if self.mode in (Mode.ACTIVE, Mode.HOLD_ZERO) and self.watchdog.is_stale(self._clock()):
            age = self.watchdog.age(self._clock())
            self.mode, self.cause = Mode.HOLD_ZERO, f"no usable state for {age:.2f} s"
            return True
        return False

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
        if file.specification_hash == self._hash:
            return
        specification, self._hash = file.specification, file.specification_hash
        self._observer = StateObserver(specification.observation)
        self._observation = np.zeros(len(specification.observation), np.float32)
        self._scale = np.array(specification.effort_limit)
        self._limiter = EffortLimiter(self._scale)
