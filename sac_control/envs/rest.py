"""How a robot stands when it has had time: how far from zero its joints are, and how much its commands chatter."""

from __future__ import annotations

import numpy as np

from sac_control.envs.environment import Environment
from sac_control.envs.motion import wrapped
from sac_control.types import Float32Array, FloatArray
from sac_control.variation.fields import Quantity, Variation

FIRST_MINUTE = 60.0  # [s] that a robot has to come to rest
POSITION_NOISE, VELOCITY_NOISE = 0.001, 0.01  # [m or rad], [m/s or rad/s] of every joint while chatter is measured
CHATTER_PERIODS = 500  # at the end of an episode


class Reach:
    """How far joints go from the first minute on; `trial.play` is given it to watch.

    Attributes:
        largest: (j,) [m or rad], distance from zero to either side; of joints that turn for ever without whole turns.
        steps: control periods so far.
    """

    def __init__(self, env: Environment) -> None:
        joints = env.specification.joints
        self.largest: FloatArray = np.zeros(len(joints))
        self.steps = 0
        self._turning = [joint in env.task.continuous_joints for joint in joints]
        self._first = FIRST_MINUTE / env.specification.control_period

    def __call__(self, env: Environment, _action: Float32Array) -> None:
        """One control period later."""
        self.steps += 1
        if self.steps > self._first:
            position = env.state[0::2]
            position = np.where(self._turning, wrapped(position), position)
            self.largest = np.maximum(self.largest, np.abs(position))


def small_noise(joints: tuple[str, ...]) -> Variation:
    """Noise of measurements that any robot has, with which chatter is measured."""
    noise = {Quantity("noise", joint): POSITION_NOISE for joint in joints}
    return noise | {Quantity("noise", f"velocity({joint})"): VELOCITY_NOISE for joint in joints}
