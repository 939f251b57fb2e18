"""Environments of Gymnasium for tests: one that can be told what to show, registered as ``Told-v0`` and some others.

As a user would name it: ``gymnasium/gymnasium_environments:Told-v0,size=3``.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict, Discrete

TOLD = "gymnasium/gymnasium_environments:Told-v0"


class Told(gymnasium.Env[Any, Any]):
    """Shows its latest action and the number of the step."""

    metadata: dict[str, Any] = {"render_modes": [], "render_fps": 25}  # noqa: RUF012  as Gymnasium has it

    def __init__(
        self,
        render_mode: str | None = None,
        size: int = 2,
        actions: int = 1,
        low: float = -1.0,
        high: float = 1.0,
        kind: str = "float32",
        fault: str = "",
        fault_at: int = 3,
        space: str = "box",
    ) -> None:
        self.render_mode = render_mode
        self._shape, self._fault, self._fault_at = (size, 1) if size > 2 else (size,), fault, fault_at
        spaces = {"box": Box(-np.inf, np.inf, self._shape, np.float64), "dict": Dict({"a": Discrete(2)})}
        self.observation_space = spaces[space]
        self.action_space = Box(low, high, (actions,), np.dtype(kind).type)
        self._steps = 0
        self.actions: list[Any] = []  # what it was given

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._steps = 0
        return np.full(self._shape, self.np_random.random()), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert self.action_space.contains(action), action
        self._steps += 1
        self.actions.append(np.array(action))
        shown, reward = np.full(self._shape, float(self._steps)), float(self._steps)
        if self._steps == self._fault_at:
            if self._fault == "observation":
                shown.flat[-1] = np.nan
            elif self._fault == "reward":
                reward = np.inf
            elif self._fault == "size":
                shown = np.zeros(7)
            elif self._fault == "end":
                return shown, reward, True, False, {}
        return shown, reward, False, False, {}


class Silent(Told):
    """The same, which does not say how long a step lasts."""

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012  as Gymnasium has it


gymnasium.register("Told-v0", entry_point="gymnasium_environments:Told", max_episode_steps=10, reward_threshold=5.0)
gymnasium.register("Silent-v0", entry_point="gymnasium_environments:Silent")
