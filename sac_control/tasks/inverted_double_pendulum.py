"""Task "inverted_double_pendulum": keep a pole upright on a pole. The rules of ``InvertedDoublePendulumBulletEnv-v0``.

The state is ``[x, vx, θ, θ̇, γ, γ̇]`` [m, m/s, rad, rad/s]; θ = 0 is upright, and γ is the second pole's angle to the
first.

The original asks the engine where the second pole is, and the engine answers with the place before the step: reward and
end of the episode come one control period late. So they do here. The observation alone differs: its third term is
where the second pole is, not where it was, because a robot measures the present.
"""

from __future__ import annotations

import math

import numpy as np

from sac_control.tasks.inverted_pendulum import CART_POLE
from sac_control.tasks.mechanism import INVISIBLE, Camera, Mechanism
from sac_control.tasks.task import Task
from sac_control.types import FloatArray, Specification

MAX_START_ANGLE = 0.1  # [rad] both start angles are uniform between plus and minus this
POLE_LENGTH = 0.6  # [m] of the first pole
HALF_LENGTH = 0.3  # [m] from the second hinge to the middle of the second pole
MIN_HEIGHT = 0.7  # [m] of the middle of the second pole above the rail: at this, the poles have fallen
AIM = 1.7  # [m] height of that middle from which the distance is punished; out of reach, 0.9 is the most
ALIVE_BONUS = 10.0

CART_TWO_POLES = Mechanism(
    model="inverted_double_pendulum.xml",
    joints={"slider_to_cart": "slider", "cart_to_pole": "hinge", "pole_to_second_pole": "hinge2"},
    colors={**CART_POLE.colors, "pole2": (0.98, 0.72, 0.2, 1.0), "floor": INVISIBLE},  # no floor is within reach
    camera=Camera(target=(0.0, 0.0, 0.5), distance=5.6, pitch=-12.0),
)


class InvertedDoublePendulum(Task):
    """Ten rewards per step, less the squared distances of the second pole from the middle and from a point too high."""

    specification = Specification(
        task="inverted_double_pendulum",
        joints=("slider_to_cart", "cart_to_pole", "pole_to_second_pole"),
        actuated_joints=("slider_to_cart",),
        observation=(
            "position(slider_to_cart)",
            "velocity(slider_to_cart)",
            f"position(slider_to_cart) + {POLE_LENGTH}*sin(cart_to_pole)"
            f" + {HALF_LENGTH}*sin(cart_to_pole + pole_to_second_pole)",
            "cos(cart_to_pole)",
            "sin(cart_to_pole)",
            "velocity(cart_to_pole)",
            "cos(pole_to_second_pole)",
            "sin(pole_to_second_pole)",
            "velocity(pole_to_second_pole)",
        ),
        command_limit=(200.0,),
        control_period=0.0165,
    )
    mechanism = CART_TWO_POLES
    max_episode_steps = 1000
    solved_return = 9100.0  # as the original registers
    is_mirror_symmetric = True
    continuous_joints = ("cart_to_pole", "pole_to_second_pole")

    start_dimensions = 2  # drawn at once: a seed then starts the original environment at the same angles

    def start_from(self, unit: FloatArray) -> FloatArray:
        theta, gamma = MAX_START_ANGLE * (2.0 * unit - 1.0)
        return np.array([0.0, 0.0, theta, 0.0, gamma, 0.0])

    def reward(self, before: FloatArray, after: FloatArray) -> float:
        x, height = middle_of_second_pole(before)
        return ALIVE_BONUS - 0.01 * x**2 - (height - AIM) ** 2

    def is_terminated(self, before: FloatArray, after: FloatArray) -> bool:
        return middle_of_second_pole(before)[1] <= MIN_HEIGHT


def middle_of_second_pole(state: FloatArray) -> tuple[float, float]:
    """Where the middle of the second pole is in `state`, (6,): along the rail and above it [m]."""
    x, _, theta, _, gamma, _ = state.tolist()
    lean = theta + gamma
    return (
        x + POLE_LENGTH * math.sin(theta) + HALF_LENGTH * math.sin(lean),
        POLE_LENGTH * math.cos(theta) + HALF_LENGTH * math.cos(lean),
    )
