"""The interface of an environment: what simulator node, evaluation process and check see of it, and Gymnasium, too.

test/test_environment_contract.py holds every one to what is written here.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.error import InvalidAction
from numpy.typing import ArrayLike, NDArray

from sac_control.tasks.task import Task
from sac_control.types import Float32Array, FloatArray, Signals, Specification
from sac_control.variation.fields import NOMINAL, Variation

StepResult = tuple[Float32Array, float, bool, bool, dict[str, Any]]
Start = dict[str, Any]  # keyword arguments of `Environment.reset`


class Environment(gymnasium.Env[Float32Array, Float32Array], ABC):
    """One task, acted out. Any number of environments live in one process without touching.

    Actions are (a,) float32 in [-1, 1], parts of the command limit; beyond that they are clipped. Observations are (o,)
    float32, as a policy node of this task makes them of `signals`. The same seed and actions lead to the same numbers.

    `copy` makes an environment that goes on as this one would without moving it, or raises ConfigError where that
    cannot be done. `pickle`, as Gymnasium's own environments have it, keeps the arguments alone: what is unpickled
    begins anew.

    Attributes:
        task: what is asked.
        specification: that of the task.
        engine: name of what simulates it.
        max_episode_steps: steps until an episode is truncated; None never truncates.
        is_varied: whether the robot of each episode from the next reset on is drawn anew, where there are ranges.
        variation: how the robot of this episode differs from its description; empty where it does not.
        keeps_starts: whether all evaluations of a training begin alike, so that policies are told apart by what they do
            and not by where they had to begin; otherwise each begins anew, spread out.
    """

    keeps_starts: ClassVar[bool] = False
    task: Task
    specification: Specification
    engine: str
    is_varied: bool = False
    variation: Variation = NOMINAL
    max_episode_steps: int | None

    @abstractmethod
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Float32Array, dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: makes this start and all later ones repeatable.
            options: what a kind of environment has beside it.

        Raises:
            ConfigError: an option is unknown.
            StateError: what it begins with is not finite, or an option is no start state.
            ClosedEnvironmentError: the environment was closed.
        """

    @abstractmethod
    def step(self, action: Float32Array) -> StepResult:
        """Apply `action`, (a,), for one control period.

        Returns:
            observation (o,) float32, reward, terminated, truncated, and a dictionary.

        Raises:
            InvalidAction: the action has the wrong shape or a value that is not finite.
            ResetNeeded: the episode has ended, or none has begun.
            StateError: a reward, an observation or the physics is not finite.
        """

    @abstractmethod
    def signals(self, stamp: int, frame: str) -> Signals:
        """What a policy is shown now, under `stamp` [ns] and `frame`, which says for whom it is; see identity.py."""

    @property
    @abstractmethod
    def state(self) -> FloatArray:
        """A copy of the state, (2j,): position and velocity of each joint in turn; (0,) where there are no joints."""

    @abstractmethod
    def starts(self, rng: np.random.Generator, count: int) -> Sequence[Start]:
        """How `count` episodes of an evaluation begin: spread out, so that few episodes tell much."""

    def extreme_starts(self, rng: np.random.Generator, most: int) -> Sequence[Start]:
        """Different starts of an evaluation that are harder than others, at most so many; none where none is known."""
        return ()

    def is_kept(self) -> bool:
        """Whether it is now as the task's exam wants it to be at the end of an episode."""
        return True

    @abstractmethod
    def render(self) -> NDArray[np.uint8] | None:
        """The current picture, (height, width, 3) uint8, in mode "rgb_array"; otherwise nothing: windows draw."""

    @abstractmethod
    def close(self) -> None:
        """Release engine and window; closing twice is allowed."""

    def _checked_action(self, action: ArrayLike, kind: str = "action") -> list[float]:
        """`action` as (a,) numbers, as `step` wants it."""
        values = np.asarray(action, dtype=np.float64)
        if values.shape != (size := (len(self.specification.command_limit),)):
            raise InvalidAction(f"{kind} has shape {values.shape}: expected {size}")
        numbers: list[float] = values.tolist()
        if not all(map(math.isfinite, numbers)):
            raise InvalidAction(f"{kind} is {numbers}: expected finite numbers")
        return numbers
