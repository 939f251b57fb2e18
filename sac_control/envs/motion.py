"""How a robot moves and is moved at the end of an episode: positions, commands, and how much commands chatter."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sac_control.envs.environment import Environment
from sac_control.types import Float32Array, FloatArray


@dataclass(frozen=True, kw_only=True)
class Motion:
    """Root mean squares over control periods."""

    position: FloatArray  # (j,) [m or rad], from where each joint has its zero
    command: FloatArray  # (a,) [unit of the interface]
    change: FloatArray  # (a,) [unit of the interface] of the command from one control period to the next


class MotionRecord:
    """Keeps the last `most` control periods of an episode; `trial.play` is given it to watch."""

    def __init__(self, most: int) -> None:
        self._positions: deque[FloatArray] = deque(maxlen=most)
        self._actions: deque[Float32Array] = deque(maxlen=most + 1)

    def __call__(self, env: Environment, action: Float32Array) -> None:
        """One control period later."""
        self._positions.append(env.state[0::2])
        self._actions.append(action)

    def squares(self, env: Environment) -> Motion:
        """Mean squares of what was kept."""
        positions, commands = np.array(self._positions), np.clip(np.array(self._actions, np.float64), -1.0, 1.0)
        commands *= env.specification.command_limit
        turning = [joint in env.task.continuous_joints for joint in env.specification.joints]
        positions = np.where(turning, wrapped(positions), positions)
        kept = commands[-len(positions) :]
        return Motion(
            position=(positions**2).mean(axis=0),
            command=(kept**2).mean(axis=0),
            change=(np.diff(commands, axis=0) ** 2).mean(axis=0),
        )


def root_mean_square(squares: Sequence[Motion]) -> Motion:
    """Of mean squares of several episodes, which count alike."""
    means = {
        name: np.sqrt(np.mean([getattr(each, name) for each in squares], axis=0))
        for name in ("position", "command", "change")
    }
    return Motion(**means)


def wrapped(angles: FloatArray) -> FloatArray:
    """Angles [rad] without whole turns, from -π to π."""
    return (angles + np.pi) % (2.0 * np.pi) - np.pi
