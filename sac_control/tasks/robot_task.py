"""What is asked of a robot: start states, rewards and failures. Pure numpy: no physics, no Gymnasium, no memory.

A *state* is a (2j,) float64 vector: position and velocity of each joint in turn, in the order of
``specification.joints``. For the cart-pole: ``[x, vx, θ, θ̇]``.

*Rows* are what was measured and done, newest first: ``rows[k]`` is ``k`` control periods ago, a list of numbers:
positions, velocities and efforts of the joints, then the actions, in the order that `RobotTask.layout` says. The
actions of a row are those applied in the control period that ended with its state.

The *mirror image* of a state is the state of opposite sign. Where a task is symmetric, mirror images earn the same and
end in the same step. The cart-pole is so but for its model's pole, which leans by 1/600 rad at θ = 0: its mirror images
are that far beside the exact ones.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from functools import cached_property

import numpy as np

from sac_control.expression import Rows, SignalLayout
from sac_control.observation import mirror_signs
from sac_control.robots.robot import Robot
from sac_control.tasks.task import Task
from sac_control.types import Float32Array, FloatArray, canonical_hash

_PROBES = 64  # points at which a task is asked what it does
_DIGITS = 9  # of what it answers: another processor may round differently behind that


class RobotTask(Task):
    """Start states, rewards and failures of one robot."""

    is_mirror_symmetric: bool = False  # from the state of opposite sign, opposite commands lead to the mirror image
    start_dimensions: int  # k, numbers that a start state is made of
    memory: int = 0  # control periods that reward and termination look back
    rules: tuple[str, ...] = ()  # reward and termination as one exact text each, where they have one; part of the hash

    @abstractmethod
    def robot(self, engine: str) -> Robot:
        """The robot to simulate by `engine`.

        Raises:
            ConfigError: its description is in a package that is not installed.
        """

    @abstractmethod
    def start_from(self, unit: FloatArray) -> FloatArray:
        """The start state, (2j,) float64, at the point `unit`, (k,) float64, of the unit cube.

        Points that are uniform in the cube give the start states of training; its corners are the extreme ones.
        """

    @abstractmethod
    def reward(self, rows: Rows) -> float:
        """Reward of the step that led to ``rows[0]``; there are ``memory + 1`` rows."""

    @abstractmethod
    def is_terminated(self, rows: Rows) -> bool:
        """Whether the step that led to ``rows[0]`` failed the task."""

    def sample_start(self, rng: np.random.Generator) -> FloatArray:
        """A random start state, (2j,) float64."""
        return self.start_from(rng.random(self.start_dimensions))

    @cached_property
    def layout(self) -> SignalLayout:
        """Where each signal lies in a row."""
        return SignalLayout(self.specification.joints, self.specification.actuated_joints)

    @property
    def mirror(self) -> Float32Array | None:
        """Signs of the mirror image where the task is symmetric; see `Task`."""
        if not self.is_mirror_symmetric:
            return None
        return mirror_signs(self.specification.observation, self.specification.joints)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of what is asked, as 64 hexadecimal digits: specification, reward, termination, starts and episode.

        What a task asks is what it answers: its start states, rewards and terminations are taken at fixed points, so
        that a task that is written differently and asks the same has the same hash. `rules` tell what no point shows,
        such as a limit that is a little wider.
        """
        rng = np.random.default_rng(0)
        answers = []
        for unit in rng.random((_PROBES, self.start_dimensions)):
            start = self.start_from(unit)
            for scale in (0.02, 0.2, 2.0):  # near to where episodes begin and far from it
                rows = [self.row_near(start, scale, rng) for _ in range(self.memory + 1)]
                answers += [*start, self.reward(rows), float(self.is_terminated(rows))]
        rounded = " ".join(f"{answer:.{_DIGITS}g}" for answer in answers)
        content = {
            "specification": self.specification.hash,
            "answers": hashlib.sha256(rounded.encode()).hexdigest(),
            "rules": self.rules,
            "max_episode_steps": self.max_episode_steps,
        }
        return canonical_hash(content)

    def row_at(self, state: FloatArray) -> list[float]:
        """The row of a robot that is in `state`, (2j,), without efforts and actions."""
        return self._row(state, np.zeros(self.layout.width - len(state)))

    def row_near(self, state: FloatArray, scale: float, rng: np.random.Generator) -> list[float]:
        """A random row within `scale` of `state`, (2j,), with random efforts and actions in [-1, 1]."""
        near = state + scale * rng.uniform(-1.0, 1.0, len(state))
        return self._row(near, rng.uniform(-1.0, 1.0, self.layout.width - len(state)))

    @staticmethod
    def _row(state: FloatArray, rest: FloatArray) -> list[float]:
        return [*state[0::2].tolist(), *state[1::2].tolist(), *rest.tolist()]
