"""Task "inverted_pendulum_swingup": swing a hanging pole up. The rules of ``InvertedPendulumSwingupBulletEnv-v0``.

The state is ``[x, vx, θ, θ̇]`` [m, m/s, rad, rad/s]; θ = 0 is upright, and θ counts whole turns.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from sac_control.tasks.inverted_pendulum import CART_POLE, InvertedPendulum
from sac_control.tasks.mechanism import Camera
from sac_control.tasks.task import Task
from sac_control.types import FloatArray

HANGING = 3.1415  # [rad] what the original has for π
MAX_START_ANGLE = 0.1  # [rad] start angles are uniform within this from hanging


class InvertedPendulumSwingup(Task):
    """A step earns the cosine of the angle to which it led: 1 upright, -1 hanging. Nothing ends an episode early."""

    specification = dataclasses.replace(InvertedPendulum.specification, task="inverted_pendulum_swingup")
    mechanism = dataclasses.replace(CART_POLE, camera=Camera(target=(0.0, 0.0, 0.0), distance=5.2, pitch=-12.0))
    max_episode_steps = 1000
    solved_return = 800.0  # as the original registers
    is_mirror_symmetric = True
    continuous_joints = ("cart_to_pendulum",)

    start_dimensions = 1  # one draw and no other: a seed then starts the original environment at the same angle

    def start_from(self, unit: FloatArray) -> FloatArray:
        return np.array([0.0, 0.0, HANGING + MAX_START_ANGLE * (2.0 * unit[0] - 1.0), 0.0])

    def reward(self, before: FloatArray, after: FloatArray) -> float:
        return math.cos(after[2])

    def is_terminated(self, before: FloatArray, after: FloatArray) -> bool:
        return False
