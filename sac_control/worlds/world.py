"""The interface of a world: one robot in a physics engine of its own. Commands in, joint states out; knows no rewards.

An implementation is a class that derives from `World`, found by name through the entry-point group
``sac_control.worlds``; test/test_world_contract.py holds every one of them to what is written here.
"""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sac_control.errors import ConfigError, StateError
from sac_control.robots.robot import Robot
from sac_control.types import FloatArray

LARGEST = 1e10  # [m or rad, m/s or rad/s] beyond it MuJoCo, too, calls a simulation unstable
_DIGEST_SIZE = hashlib.sha256().digest_size  # [bytes] at the beginning of a saved world


class World(ABC):
    """One robot, simulated. Deterministic; any number of worlds live in one process without touching.

    A copy, by `copy` or by `pickle`, has an engine of its own, too, and goes on from the saved state of this one.

    Args:
        robot: the machine.
        has_window: show the physics in a window; otherwise it runs headless.

    Attributes:
        position: (j,) of each of the robot's joints, in its order [m or rad]; a new list at each step and reset.
        velocity: (j,) likewise [m/s or rad/s].
        effort: (j,) of the drives at each joint during the last physics period [N or N m].

    Raises:
        ConfigError: the engine cannot load the robot, which the sentence tells why; or no window can be opened.
    """

    def __init__(self, robot: Robot, *, has_window: bool = False) -> None:
        self.robot = robot
        self._has_window = has_window
        zeros = [0.0] * len(robot.joints)
        self.position: list[float] = zeros
        self.velocity: list[float] = zeros
        self.effort: list[float] = zeros

    @property
    def state(self) -> FloatArray:
        """A new array, (2j,) float64: position and velocity of each joint in turn."""
        state = np.empty(2 * len(self.position))
        state[0::2], state[1::2] = self.position, self.velocity
        return state

    @abstractmethod
    def reset(self, state: Sequence[float]) -> None:
        """Put the machine into `state`, (2j,), forgetting all that happened before."""

    def step(self, command: Sequence[float]) -> None:
        """Advance by one control period under `command`, (a,) [unit of each drive's interface], one per drive.

        Raises:
            ValueError: a command is not finite, or there are too few or too many.
            StateError: the physics diverged.
        """
        if len(command) != len(self.robot.drives) or not all(map(math.isfinite, command)):
            raise ValueError(f"command is {list(command)}: expected {len(self.robot.drives)} finite number(s)")
        self._step(command)
        if not sum(map(abs, self.position)) + sum(map(abs, self.velocity)) < LARGEST:  # NaN is not less
            raise StateError(
                f"the physics of {self.robot.description.name} diverged: positions and velocities mean nothing; "
                "check masses and inertias, take smaller limits of the commands, or a shorter physics_period than "
                f"{self.robot.physics_period:g} s"
            )

    def save(self) -> bytes:
        """All that decides what happens next, contacts included, for `load` in any world of the same machine."""
        state = self._save()
        return self._digest(state) + state

    def load(self, saved: bytes) -> None:
        """Go on from what `save` gave, to the last bit.

        Raises:
            StateError: that is damaged, or of another machine. Nothing changed.
        """
        digest, state = saved[:_DIGEST_SIZE], saved[_DIGEST_SIZE:]
        if digest != self._digest(state):  # pybullet itself may end the process where bodies differ
            raise StateError(
                f"a saved world of {len(saved)} bytes cannot be loaded: expected what save() gave for the same "
                f"machine, {self.robot.description.name}"
            )
        self._load(state)

    @abstractmethod
    def render(self, width: int = 640, height: int = 480) -> NDArray[np.uint8]:
        """A picture, (height, width, 3) uint8."""

    @abstractmethod
    def close(self) -> None:
        """Release the physics engine; closing twice is allowed."""

    @abstractmethod
    def _step(self, command: Sequence[float]) -> None:
        """Advance by one control period under `command`, (a,), which is finite and one per drive."""

    @abstractmethod
    def _save(self) -> bytes:
        """The state of the engine."""

    @abstractmethod
    def _load(self, state: bytes) -> None:
        """Go on from what `_save` gave."""

    def _digest(self, state: bytes) -> bytes:
        """Binds a saved state to the class of world and to the machine, by the content of its description."""
        robot = self.robot
        identity = repr((type(self).__name__, robot.joints, robot.drives, robot.substeps))
        description = robot.description.read_bytes()
        return hashlib.sha256(identity.encode() + b"\0" + description + b"\0" + state).digest()

    def __reduce__(self) -> tuple[object, ...]:
        """How `copy` and `pickle` make another."""
        if self._has_window:
            raise ConfigError(
                "a world that is shown in a window cannot be copied, because there is one window per process: "
                "copy one without (render_mode None or rgb_array)"
            )
        return _revived, (type(self), self.robot, self.save())


def _revived(kind: type[World], robot: Robot, saved: bytes) -> World:
    world = kind(robot)
    world.load(saved)
    return world
