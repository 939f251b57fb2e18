"""A replay buffer whose rows also lie on the learner's device: only places are sent there, never transitions twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from sac_control.algorithms.replay_buffer import Batch, ReplayBuffer


class DeviceReplay(ReplayBuffer):
    """As `ReplayBuffer`, from the same seed the same samples; their arrays are tensors on `device`."""

    def __init__(self, device: torch.device, **options: Any) -> None:
        super().__init__(**options)
        self._device = device
        self._device_rows = torch.empty(self._rows.shape, device=device)
        self._device_signs = None if self._signs is None else torch.from_numpy(self._signs).to(device)
        self._sent = 0  # rows ever added that are on the device

    def sample(self, batch_size: int, batches: int = 1) -> Batch:
        if not self.added:
            raise ValueError("cannot sample from an empty replay buffer: add a transition first")
        self._send()
        shape = (batches, batch_size)
        if self._device_signs is None:
            return self._batch(self._device_rows[self._places(len(self), shape)])
        draws = self._places(2 * len(self), shape)
        rows = self._device_rows[draws >> 1]
        return self._batch(torch.where((draws & 1).bool()[..., None], rows * self._device_signs, rows))

    def _places(self, count: int, shape: tuple[int, int]) -> Tensor:
        return torch.from_numpy(self.generator.integers(count, size=shape)).to(self._device)

    def _send(self) -> None:
        """Bring to the device what was added, or restored, since the last time."""
        first = max(min(self._sent, self.added), self.added - self.capacity)
        places = np.arange(first, self.added) % self.capacity
        if len(places):
            rows = torch.from_numpy(self._rows[places]).to(self._device)
            self._device_rows[torch.from_numpy(places).to(self._device)] = rows
        self._sent = self.added

    def restore(self, rows: Any, added: int) -> None:
        super().restore(rows, added)
        self._sent = 0
