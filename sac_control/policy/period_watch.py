"""Do states come at the rate that the policy was trained for? By their stamps, and by a steady clock. Knows no ROS."""

from __future__ import annotations

from collections import deque

from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.tick_statistics import LONG_PAUSE, level_of

WINDOW = 1.0  # [s] of states that are judged together, as far as there are so many
SHORTEST_WINDOW, LONGEST_WINDOW = 10, 1000  # intervals
NOT_JUDGED = 100.0  # error in the period, as a share of it, from which on nothing is judged
FEWEST = 2  # intervals that can be judged at all: those of the row of states that arms


class PeriodWatch:
    """Judges the times between states that were answered.

    A rate is right where the mean interval is, or where half of the intervals are: the first bears jitter, the second
    loss. On a robot stamps must also pass as fast as the steady clock does, whichever clock they are of; a simulation
    of a run may pass at another speed. Whoever is active is judged by half a window at least.

    Attributes:
        compares_clocks: whether stamps must pass as fast as the steady clock does; not where time is simulated.

    Args:
        config: by how much the period may differ, and whether this drives a robot.
    """

    def __init__(self, config: PolicyConfig) -> None:
        # In lockstep time passes by whole periods alone; an error of 100 is none that could be reached.
        self.is_used = not config.lockstep and config.period_error < NOT_JUDGED
        self.compares_clocks = self._is_robot = config.drives_robot
        self._warning, self._error = config.period_warning, config.period_error
        self._intervals: deque[int] = deque()  # [ns] between stamps
        self._times: deque[tuple[int, float]] = deque()  # stamp [ns] and steady time [s] of each state of the window
        self._gap = 0.0  # [s] the newest time between two states that was longer than the timeout
        self._gaps = 0  # such times in a row
        self._jumps = 0  # stamps that jumped, since half a window without
        self.fit(1.0)

    def fit(self, control_period: float) -> None:
        """Expect a state every `control_period` [s]."""
        self._period = control_period
        size = max(round(min(WINDOW / control_period, LONGEST_WINDOW)), SHORTEST_WINDOW)
        self._enough = size // 2
        self._longest = 1e9 * control_period * max(LONG_PAUSE, 1.0 + self._error)  # [ns]
        self._low, self._high = (1e9 * control_period * (1.0 + sign * self._error) for sign in (-1.0, 1.0))
        self._times = deque(maxlen=size + 1)
        self._intervals = deque(maxlen=size)
        self._right = 0  # intervals of the window that are as long as they should be
        self.restart()

    def restart(self) -> None:
        """Forget what was before: states have not come for a while."""
        self._times.clear()
        self._intervals.clear()
        self._right = self._jumps = 0

    def judge(self, stamp: int, now: float, *, is_stale: bool, is_active: bool) -> str:
        """What speaks against the rate of states, this one included; empty where nothing does.

        Args:
            stamp: [ns] of a state that can be used.
            now: [s] steady time at which it came.
            is_stale: whether the one before is longer ago than the timeout.
            is_active: whether something moves already.
        """
        jump = self._add(stamp, now, is_stale=is_stale)
        count = len(self._intervals)
        if jump and (not is_active or (self._jumps > 1 and self._is_robot)):
            return f"stamp jumped by {1e-9 * jump:.4g} s between two states: stamp them by a steady clock"
        if count < FEWEST or (is_active and (count < self._enough or not self._is_robot)):
            return ""
        mean = (self._times[-1][0] - self._times[0][0]) / count
        if not self._low <= mean <= self._high and 2 * self._right < count:
            return self._sentence(1e-9 * sorted(self._intervals)[count // 2], "by their stamps")
        return self._speed_objection(1e-9 * mean) if self.compares_clocks else ""

    def slowness(self, now: float, timeout: float) -> str:
        """Why no state is ever young enough, where the newest have all come more slowly than `timeout` [s]."""
        if self._gaps < FEWEST or not self._times or now - self._times[-1][1] > 3.0 * self._gap:
            return ""
        return (
            f"states come every {self._gap:.3g} s, which is longer than the state_timeout of {timeout:.3g} s: let them "
            "come faster, or set policy.state_timeout"
        )

    def findings(self) -> list[tuple[int, str]]:
        """What is wrong with the rate by stamps: 1 for a warning or 2 for an error, and a sentence."""
        count = len(self._intervals)
        if not self.is_used or count < FEWEST:
            return []
        mean = 1e-9 * (self._times[-1][0] - self._times[0][0]) / count
        level = level_of(abs(mean / self._period - 1.0), self._warning, self._error)
        return [(level, self._sentence(mean, "by their stamps"))] if level else []

    def _add(self, stamp: int, now: float, *, is_stale: bool) -> int:
        """One more state; by how much its stamp jumped [ns], 0 where it did not."""
        jump = 0
        if is_stale:
            self._gap = now - self._times[-1][1] if self._times else 0.0
            self._gaps = self._gaps + 1 if self._times else 0
            self.restart()
        elif self._times:
            self._gaps = 0
            jump = self._add_interval(stamp - self._times[-1][0])
        self._times.append((stamp, now))
        return jump

    def _add_interval(self, interval: int) -> int:
        if not 0 < interval < self._longest:
            jumps = self._jumps + 1
            self.restart()
            self._jumps = jumps
            return interval
        intervals = self._intervals
        if len(intervals) == intervals.maxlen:
            self._right -= self._low <= intervals[0] <= self._high
        intervals.append(interval)
        self._right += self._low <= interval <= self._high
        if len(intervals) >= self._enough:
            self._jumps = 0
        return 0

    def _speed_objection(self, mean: float) -> str:
        """What speaks against the clock that stamps; `mean` [s] is the interval between stamps."""
        (first, began), (last, ended) = self._times[0], self._times[-1]
        passed, stamped = ended - began, 1e-9 * (last - first)
        if abs(passed - stamped) <= self._error * stamped:
            return ""
        received = mean * passed / stamped
        return self._sentence(received, f"while their stamps are {mean:.4g} s apart")

    def _sentence(self, period: float, how: str) -> str:
        times = round(self._period / period) if period else 0
        is_multiple = times > 1 and abs(self._period / (period * times) - 1.0) <= self._error
        advice = f"set policy.decimation={times}, or " if is_multiple else ""
        return (
            f"states come every {period:.4g} s {how}, the policy was trained for {self._period:.4g} s: {advice}"
            "publish them at that rate"
        )
