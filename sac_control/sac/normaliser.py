"""Running mean and standard deviation of observations."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sac_control.types import Float32Array


class Normaliser:
    """Collects statistics at every observation and applies those of the last `refresh`.

    The two are apart because networks are trained on the statistics in force: were these to change with each
    observation, the networks would chase them.

    Attributes:
        mean, std: (o,) float32, in force; 0 and 1 until the first refresh.
    """

    def __init__(self, size: int, device: torch.device, smallest_std: float = 1e-2) -> None:
        self.mean = torch.zeros(size, device=device)
        self.std = torch.ones(size, device=device)
        self._smallest_std = smallest_std
        self._count = torch.zeros((), dtype=torch.int64)
        self._running_mean = torch.zeros(size, dtype=torch.float64)
        self._squares = torch.zeros(size, dtype=torch.float64)  # sum of squared deviations from the mean

    def observe(self, observations: Float32Array) -> None:
        """Count observations (n, o) in. Merges the moments of two sets (Chan et al. 1983, equation 2.1)."""
        rows = np.asarray(observations, np.float64)
        count, mean = len(rows), rows.mean(0)
        squares = np.square(rows - mean).sum(0)
        before = int(self._count)
        total = before + count
        shift = mean - self._running_mean.numpy()
        self._running_mean += torch.from_numpy(shift * (count / total))
        self._squares += torch.from_numpy(squares + np.square(shift) * (before * count / total))
        self._count += count

    def refresh(self) -> None:
        """Put the statistics of all observations so far in force."""
        if self._count > 1:
            self.mean.copy_(self._running_mean)
            self.std.copy_((self._squares / self._count).sqrt().clamp_min(self._smallest_std))

    def normalised(self, observation: Tensor) -> Tensor:
        """(observation - mean) / std, (b, o)."""
        return (observation - self.mean) / self.std

    def state(self) -> dict[str, Tensor]:
        """The tensors themselves, by name: copy them to keep them, write into them to restore them."""
        return {
            "mean": self.mean,
            "std": self.std,
            "count": self._count,
            "running_mean": self._running_mean,
            "squares": self._squares,
        }
