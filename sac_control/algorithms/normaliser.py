"""Running mean and standard deviation of observations."""

from __future__ import annotations

import numpy as np

from sac_control.types import Array, Float32Array, FloatArray


class Normaliser:
    """Collects statistics at every observation and applies those of the last `refresh`.

    The two are apart because networks are trained on the statistics in force: were these to change with each
    observation, the networks would chase them.

    Attributes:
        mean, std: (o,) float32, in force; 0 and 1 until the first refresh.
    """

    def __init__(self, size: int, smallest_std: float = 1e-2) -> None:
        self.mean: Float32Array = np.zeros(size, np.float32)
        self.std: Float32Array = np.ones(size, np.float32)
        self._smallest_std = smallest_std
        self._count = np.zeros((), np.int64)
        self._running_mean: FloatArray = np.zeros(size)
        self._squares: FloatArray = np.zeros(size)  # sum of squared deviations from the mean

    def observe(self, observations: Float32Array) -> None:
        """Count observations (n, o) in. Merges the moments of two sets (Chan et al. 1983, equation 2.1)."""
        rows = np.asarray(observations, np.float64)
        count, mean = len(rows), rows.mean(0)
        squares = np.square(rows - mean).sum(0)
        before = int(self._count)
        total = before + count
        shift = mean - self._running_mean
        self._running_mean += shift * (count / total)
        self._squares += squares + np.square(shift) * (before * count / total)
        self._count += count

    def refresh(self) -> None:
        """Put the statistics of all observations so far in force."""
        if self._count > 1:
            self.mean[:] = self._running_mean
            self.std[:] = np.maximum(np.sqrt(self._squares / self._count), self._smallest_std)

    def arrays(self) -> dict[str, Array]:
        """The arrays themselves, by name: copy them to keep them, write into them to restore them."""
        return {"mean": self.mean, "std": self.std, **self.observed()}

    def observed(self) -> dict[str, Array]:
        """Those of `arrays` that hold what was observed, in force or not."""
        return {"count": self._count, "running_mean": self._running_mean, "squares": self._squares}
