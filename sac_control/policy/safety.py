"""May the policy move anything? A state machine of five modes; knows neither ROS nor policies, and asks no clock.

Everything fails towards the safe command of safe_command.py, which is sent until the policy is armed again. Times are
of a steady clock [s].
"""

from __future__ import annotations

import enum
import math

MAX_STREAK = 3  # usable states in a row that arm


class Mode(enum.IntEnum):
    """What the policy node does with its actuators; the values are those of PolicyAction.msg and PolicyStatus.msg.

    Where several apply, the largest does.
    """

    INACTIVE = 0  # lifecycle state is not active: nothing is computed
    ARMING = 1  # active, and waits for a policy, for states, or to be armed; the safe command is sent
    ACTIVE = 2  # the policy commands
    HOLD = 3  # the safe command is sent: the input stopped or could not be used
    LATCHED_FAULT = 4  # the safe command is sent until somebody arms the policy


class Safety:
    """Turns what happens into a mode.

    Silence, a freeze of this process and a fault that passes disarm. What arms is `MAX_STREAK` usable states in a row,
    spread over half the timeout at least: a process that wakes up finds old states in its queue, all at once.

    Args:
        timeout: [s] after which the newest usable state is too old; may be set later, when the control period is known.
        require_arm: arm only when `arm` was called, too.
        is_lockstep: whoever sends states waits for the answers. Then time stands still in between, so that silence
            disarms nothing and the first state arms.
    """

    def __init__(self, timeout: float, *, require_arm: bool = False, is_lockstep: bool = False) -> None:
        self.timeout = timeout
        self._require_arm, self._is_lockstep = require_arm, is_lockstep
        self.mode, self.cause = Mode.INACTIVE, "not activated"
        self.armed_at = -math.inf  # [s]
        self._last: float | None = None  # [s] newest usable state
        self._streak, self._streak_began = 0, 0.0
        self._is_arm_requested = False
        self._is_activated = False
        self._latch = ""  # why the safe command is latched; empty: it is not
        self._hold = ""  # why it is held until states come again; empty: it is not
        self._interruption = ""  # why what moved ended, unless somebody wanted it to
        self._is_silence_interruption = False  # that was the present silence, which goes on growing

    # what people and lifecycle managers do

    def activate(self) -> None:
        """Begin; the safe command is sent until armed. A latch outlives this."""
        self._is_activated, self._last = True, None
        self._disarm("")
        self._interruption, self._is_silence_interruption = "", False
        self._settle("waits for a first state")

    def deactivate(self) -> None:
        """End."""
        self._is_activated = False
        self._disarm("")
        self._settle()

    def arm(self, now: float) -> tuple[bool, str]:
        """Release the latch and let states arm; whether that is so, and a sentence about it.

        What arms comes soon: while no states come, nothing is armed that might move at some later time.
        """
        if not self._is_activated:
            return False, "not armed: the node is not active"
        if self.is_stale(now) and not self._is_lockstep:
            return False, f"not armed: {self._said_of_silence(now)}"
        if self.mode is Mode.ACTIVE:
            return True, "already armed"
        self._latch = self._interruption = ""
        self._disarm("")
        self._is_arm_requested = True
        self._settle("waits for usable states")
        return True, f"arms after {MAX_STREAK} usable states"

    def latch(self, cause: str) -> None:
        """The safe command until `arm` is called. The first cause stays: what follows is often its consequence."""
        self._latch = self._latch or cause
        self._disarm(self._hold)
        self._settle()

    def restate(self, cause: str) -> None:
        """Give the cause of the latch more exactly, as it is known by now; nothing where there is no latch."""
        if self._latch:
            self._latch = cause
            self._settle()

    def hold(self, cause: str) -> None:
        """The safe command until armed again by states."""
        self._disarm(cause)
        self._settle()

    # what states do

    def take(self, now: float, objection: str = "") -> bool:
        """A usable state came, in order; whether the policy may move something now.

        Args:
            objection: why this state shall not arm; where armed, it latches.
        """
        silence, self._last = self._said_of_silence(now) if self.is_stale(now) else "", now
        if self.mode is Mode.ACTIVE and not objection and (self._is_lockstep or not silence):
            return True
        if self._is_activated:
            self._count(now, silence, objection)
        return self.mode is Mode.ACTIVE

    def refuse(self) -> None:
        """A state was rejected: it feeds no watchdog, and those that arm must follow each other."""
        self._streak = 0

    def wait(self, cause: str) -> None:
        """Something is missing that is needed before states can arm."""
        self._streak = 0
        self._settle(cause)

    def watch(self, now: float) -> bool:
        """Whether the safe command is due now, because no usable state came in time or for another cause."""
        if self._last is not None and self.mode is not Mode.INACTIVE and self.is_stale(now):
            silence = self._said_of_silence(now)
            self._hold = silence
            if not self._is_lockstep:
                self._is_silence_interruption = self._is_silence_interruption or self.mode is Mode.ACTIVE
                self._disarm(silence)
                if self._is_silence_interruption:
                    self._interruption = silence
            self._settle(self.cause)
        return self.mode >= Mode.HOLD

    def age(self, now: float) -> float:
        """Time since the newest usable state [s]; infinite before the first."""
        return math.inf if self._last is None else now - self._last

    def is_stale(self, now: float) -> bool:
        """Whether the newest usable state is older than the timeout."""
        return self._last is None or now - self._last > self.timeout

    def _said_of_silence(self, now: float) -> str:
        return f"no usable state for {self.age(now):.2f} s"

    # modes

    def _count(self, now: float, silence: str, objection: str) -> None:
        """One more state of a row that may arm; what is to be said of the `silence` before it, if it was too long."""
        self._is_silence_interruption = False
        if self._is_lockstep:
            self._hold = ""
            is_row = not objection
        else:
            if silence:
                self._disarm("", silence)
            if self._streak == 0:
                self._streak_began = now
            self._streak += 1
            self._hold = ""
            is_row = self._streak >= MAX_STREAK and now - self._streak_began >= 0.5 * self.timeout
        if objection:
            if self.mode is Mode.ACTIVE:
                self.latch(objection)
                return
            self._streak, is_row = 0, False
        is_released = self._is_arm_requested or not self._require_arm
        if is_row and is_released and not self._latch:
            if self.mode is not Mode.ACTIVE:
                self.armed_at = now
            self.mode, self.cause, self._interruption = Mode.ACTIVE, "controls", ""
            return
        self._settle(objection or self._wish(is_row))

    def _wish(self, is_row: bool) -> str:
        """What is waited for; a silence that ended long ago is why somebody must arm once more."""
        if not is_row:
            return "waits for usable states"
        return f"waits for policy/arm again: {self._interruption}" if self._interruption else "waits for policy/arm"

    def _disarm(self, hold: str, because: str = "") -> None:
        self._streak, self._hold, self._is_arm_requested = 0, hold, False
        if self.mode is Mode.ACTIVE:
            self.mode, self._interruption = Mode.ARMING, hold or because

    def _settle(self, cause: str = "waits for usable states") -> None:
        """The worst mode that applies, and its cause."""
        if not self._is_activated:
            self.mode, self.cause = Mode.INACTIVE, "not active"
        elif self._latch:
            self.mode, self.cause = Mode.LATCHED_FAULT, self._latch
        elif self._hold:
            self.mode, self.cause = Mode.HOLD, self._hold
        elif self.mode is not Mode.ACTIVE:
            self.mode, self.cause = Mode.ARMING, cause
