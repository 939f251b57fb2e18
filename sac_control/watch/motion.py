"""The newest stretch of motion, shown as fast as it was. Knows neither topics nor pages."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sac_control.types import FloatArray

LONGEST = 240  # samples of a stretch
_GAP = 0.5  # [s] without a sample, after which a new stretch begins


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What was seen and commanded at one instant."""

    time: float  # [s] by the clock of whoever measured
    position: tuple[float, ...]  # (j,) [rad or m]; or the observation of what has no joints
    velocity: tuple[float, ...] = ()  # (j,) [rad/s or m/s]
    command: tuple[float, ...] = ()  # (a,) [unit of the interface]; empty: not known


class Motion:
    """Samples, and which of them is to be seen now.

    A stretch that came at once, out of time that runs faster than it can be shown, is played at its own pace; of one
    that grows as time passes, the newest sample is shown.
    """

    def __init__(self) -> None:
        self._samples: list[Sample] = []
        self._began: float | None = None  # [s] steady time when the first was shown; None: the newest is shown

    def play(self, samples: Sequence[Sample], now: float) -> None:
        """Show this stretch from its beginning on, from steady time `now` [s]."""
        self._samples, self._began = list(samples), now

    def extend(self, samples: Sequence[Sample]) -> None:
        """Show the newest of these, after those before."""
        for sample in samples:
            if self._samples and not 0.0 < sample.time - self._samples[-1].time < _GAP:
                self._samples = []  # begun anew, or nothing was heard for a while
            self._samples.append(sample)
        self._samples, self._began = self._samples[-LONGEST:], None

    def clear(self) -> None:
        """Forget all."""
        self._samples, self._began = [], None

    def until(self, now: float) -> list[Sample]:
        """The samples up to the one that is to be seen at steady time `now` [s]."""
        if self._began is None or not self._samples:
            return self._samples
        shown = self._samples[0].time + now - self._began
        return self._samples[: max(1, bisect.bisect_right(self._samples, shown, key=lambda sample: sample.time))]

    def is_over(self, now: float) -> bool:
        """Whether the last sample has been shown."""
        return len(self.until(now)) == len(self._samples)


def columns(samples: Sequence[Sample], name: str) -> list[FloatArray]:
    """Time before the newest sample [s], and each number called `name` of a `Sample`; NaN where it is not known."""
    if not samples:
        return []
    rows = [getattr(sample, name) for sample in samples]
    width = max(map(len, rows))
    filled = np.array([(*row, *(math.nan,) * (width - len(row))) for row in rows], float).reshape(len(rows), width)
    times = np.array([sample.time for sample in samples]) - samples[-1].time
    return [times, *filled.T]
