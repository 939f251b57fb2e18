"""The rows of the last control periods, newest first, which expressions with ``@`` read. By time, not by count."""

from __future__ import annotations

import enum

from sac_control.expression.evaluation import Row, SignalLayout


class Arrival(enum.Enum):
    """What a stamp says about the row that comes with it."""

    FIRST = enum.auto()  # there was none before
    SAME_PERIOD = enum.auto()  # as the newest row: takes its place
    NEXT_PERIOD = enum.auto()
    GAP = enum.auto()  # later, or earlier, than the next control period: what was before is forgotten


class SignalMemory:
    """Rows of ``memory + 1`` control periods, for expressions that look back so far.

    The actions of a row are those applied in the control period that ended with its state; the layout has them last.

    Attributes:
        rows: newest first; what compiled expressions take. It is the same list for good.
    """

    def __init__(self, memory: int, layout: SignalLayout) -> None:
        self.rows: list[list[float]] = []
        self._depth = memory + 1
        self._actions = layout.actions
        self._stamp: int | None = None  # [ns] at which the newest row's control period began

    @property
    def is_full(self) -> bool:
        """Whether it reaches as far back as was asked for."""
        return len(self.rows) == self._depth

    def start(self, row: Row, stamp: int | None = None) -> None:
        """Forget all, and take it that the machine stood there before, without an action: an episode begins.

        Args:
            row: measured.
            stamp: [ns] of the state, where `push_at` is to take the next one.
        """
        first = list(row)
        first[self._actions] = [0.0] * len(first[self._actions])
        self.clear()
        self.rows.extend(list(first) for _ in range(self._depth))
        self._stamp = stamp

    def push(self, row: Row) -> None:
        """Take the row of the next control period."""
        self.rows.insert(0, list(row))
        del self.rows[self._depth :]

    def push_at(self, row: Row, stamp: int, control_period: float) -> Arrival:
        """Take a row by the time of its state, in words what that meant.

        States may come half a control period early or late, and more often than once in a control period.

        Args:
            row: measured and done.
            stamp: [ns] of the state.
            control_period: [s].
        """
        arrival, self._stamp = self._judged(stamp, control_period * 1e9)
        if arrival is Arrival.SAME_PERIOD:
            self.rows[0] = list(row)
            return arrival
        if arrival is Arrival.GAP:
            self.rows.clear()
        self.push(row)
        return arrival

    def clear(self) -> None:
        """Forget all."""
        self.rows.clear()
        self._stamp = None

    def _judged(self, stamp: int, period: float) -> tuple[Arrival, int]:
        """What a stamp says, and the stamp that later ones are compared with."""
        if self._stamp is None or not self.rows:
            return Arrival.FIRST, stamp
        periods = (stamp - self._stamp) / period
        if 0.0 <= periods < 0.5:
            return Arrival.SAME_PERIOD, self._stamp
        if 0.5 <= periods < 0.75:  # of a faster stream: its control periods must not become shorter by that
            return Arrival.NEXT_PERIOD, self._stamp + round(period)
        return (Arrival.NEXT_PERIOD if 0.75 <= periods < 1.5 else Arrival.GAP), stamp
