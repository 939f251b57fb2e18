"""Lockstep bookkeeping: which state waits for an answer, how far the learner lets us go, what must be sent again.

Knows no ROS: the simulator node asks it what to do and does it. Time is an argument, from a steady clock.
"""

from __future__ import annotations

PROBE_PERIOD = 0.5  # [s] after which a simulator without credit sends its last transition again


class Exchange:
    """The state of one lockstep conversation.

    Credit is a sequence number: transitions below it may be sent. It is in the numbering of the source that the learner
    heard last, so a simulator takes none before it has sent its first transition, and a learner that was restarted
    learns of a waiting simulator from a probe: the last transition once more, which it takes or drops as a duplicate.
    """

    def __init__(self, answer_timeout: float, flow_control: bool) -> None:
        self._answer_timeout = answer_timeout  # [s]
        self._flow_control = flow_control
        self._credit = 1  # the first transition needs none
        self._awaited: int | None = None  # [ns] stamp of the state that waits for an answer
        self._sent = 0  # transitions sent
        self._since = 0.0  # [s] steady time of the last thing that was sent
        self.resent_states = 0  # answers asked for again
        self.probes = 0  # transitions sent again for want of credit
        self.stray_actions = 0  # answers nobody waited for

    @property
    def awaits_answer(self) -> bool:
        """Whether a state is out that has not been answered."""
        return self._awaited is not None

    @property
    def has_credit(self) -> bool:
        """Whether another transition may be made."""
        return not self._flow_control or self._sent < self._credit

    def grant(self, credit: int) -> None:
        """Take note of `learner/credit`."""
        if self._sent > 0:
            self._credit = max(credit, 1)

    def state_sent(self, stamp: int, now: float) -> None:
        """A state with `stamp` [ns] went out for the first time."""
        self._awaited, self._since = stamp, now

    def accept(self, stamp: int) -> bool:
        """Whether an action with `stamp` [ns] is the answer that is waited for; it then is no longer."""
        if stamp != self._awaited:
            self.stray_actions += 1
            return False
        self._awaited = None
        return True

    def transition_sent(self, now: float) -> None:
        """A new transition went out."""
        self._sent += 1
        self._since = now

    def must_resend_state(self, now: float) -> bool:
        """Whether the answer is overdue; if so, the question counts as asked again at `now`."""
        if self._awaited is None or now - self._since < self._answer_timeout:
            return False
        self._since = now
        self.resent_states += 1
        return True

    def must_probe(self, now: float) -> bool:
        """Whether credit is overdue; if so, the last transition counts as sent again at `now`."""
        if self.has_credit or self._awaited is not None or now - self._since < PROBE_PERIOD:
            return False
        self._since = now
        self.probes += 1
        return True

    def abandon(self) -> None:
        """Wait for no answer: the state it was asked for is no more."""
        self._awaited = None
