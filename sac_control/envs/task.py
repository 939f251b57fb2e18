"""The interface of a task: what is asked of a machine. Pure numpy: no physics, no Gymnasium, no memory.

A *state* is a (2j,) float64 vector: position and velocity of each joint in turn, in the order of
``specification.joints``. For the cart-pole: ``[x, vx, θ, θ̇]``.

The *mirror image* of a state is the state of opposite sign. Where a task is symmetric, mirror images earn the same and
end in the same step. The cart-pole is so but for its model's pole, which leans by 1/600 rad at θ = 0: its mirror images
are that far beside the exact ones.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from sac_control.envs.mechanism import Mechanism
from sac_control.types import FloatArray, Specification


class Task(ABC):
    """Start states, rewards and failures of one machine."""

    specification: Specification  # what is seen and moved
    mechanism: Mechanism  # the machine to simulate
    max_episode_steps: int  # control periods until an episode is truncated
    solved_return: float  # an episode with at least this return has solved the task
    is_mirror_symmetric: bool  # from the state of opposite sign, efforts of opposite sign lead to the mirror image

    start_dimensions: int  # k, numbers that a start state is made of

    @abstractmethod
    def start_from(self, unit: FloatArray) -> FloatArray:
        """The start state, (2j,) float64, at the point `unit`, (k,) float64, of the unit cube.

        Points that are uniform in the cube give the start states of training; its corners are the extreme ones.
        """

    def sample_start(self, rng: np.random.Generator) -> FloatArray:
        """A random start state, (2j,) float64."""
        return self.start_from(rng.random(self.start_dimensions))

    @abstractmethod
    def reward(self, before: FloatArray, after: FloatArray) -> float:
        """Reward of the step that led from state `before` to state `after`, (2j,) float64 each."""

    @abstractmethod
    def is_terminated(self, before: FloatArray, after: FloatArray) -> bool:
        """Whether the step that led from state `before` to state `after`, (2j,) float64 each, failed the task."""
