"""The interface of a world: one robot in a physics engine of its own. Commands in, joint states out; knows no rewards.

An implementation is a class that derives from `World`, found by name through the entry-point group
``sac_control.worlds``; test/test_world_contract.py holds every one of them to what is written here.
"""

from __future__ import annotations

import hashlib
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sac_control.errors import ConfigError, StateError
from sac_control.robots.robot import Robot
from sac_control.types import FloatArray
from sac_control.variation.fields import FIELDS, Quantity, Variation, check, without_neutral
from sac_control.worlds.drive_model import DRIVE_FIELDS, DriveModel

_TIMED = ("push", "push_time")  # `step` is told when they come
LARGEST = 1e10  # [m or rad, m/s or rad/s] beyond it MuJoCo, too, calls a simulation unstable
_DIGEST_SIZE = hashlib.sha256().digest_size  # [bytes] at the beginning of a saved world
_SIZE = 8  # [bytes] behind it, of the text that says how the machine differs from its description


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
        self._variation: dict[Quantity, float] = {}
        self._drive_model: DriveModel | None = None  # only where drives differ from their description
        self._push: Sequence[float] | None = None  # (j,) [N or N m] beside the drives, in this control period

    @property
    def state(self) -> FloatArray:
        """A new array, (2j,) float64: position and velocity of each joint in turn."""
        state = np.empty(2 * len(self.position))
        state[0::2], state[1::2] = self.position, self.velocity
        return state

    def vary(self, variation: Variation) -> None:
        """Be, from the next reset on, a machine that differs so from its description, and in nothing else.

        What is no matter of the plant, as noise, is left to others; so is when a push comes.

        Raises:
            ConfigError: a quantity is unknown, is not of this robot, has an impossible value, or this engine cannot
                change it. Nothing changed.
        """
        check(variation, self.robot.joints, tuple(drive.joint for drive in self.robot.drives))
        plant = {
            quantity: value
            for quantity, value in without_neutral(variation).items()
            if FIELDS[quantity.field].is_plant and quantity.field not in _TIMED
        }
        if plant == self._variation:
            return
        drives = {quantity: value for quantity, value in plant.items() if quantity.field in DRIVE_FIELDS}
        drive_model = DriveModel(self.robot, drives) if drives else None
        self._vary(plant)
        self._drive_model, self._variation = drive_model, plant

    def reset(self, state: Sequence[float]) -> None:
        """Put the machine into `state`, (2j,), forgetting all that happened before."""
        self._reset(state)
        if self._drive_model is not None:
            self._drive_model.reset()

    def step(
        self,
        command: Sequence[float],
        *,
        before: Sequence[float] | None = None,
        delay: float = 0.0,
        push: Sequence[float] | None = None,
    ) -> None:
        """Advance by one control period under `command`, (a,) [unit of each drive's interface], one per drive.

        Args:
            command: what is commanded.
            before: (a,) what acts for the first `delay` of the period; within one physics period, the mean does.
            delay: share of the control period, from 0 to 1.
            push: (j,) [N or N m] that acts on the joints beside the drives.

        Raises:
            ValueError: a command is not finite, or there are too few or too many.
            StateError: the physics diverged.
        """
        if len(command) != len(self.robot.drives) or not all(map(math.isfinite, command)):
            raise ValueError(f"command is {list(command)}: expected {len(self.robot.drives)} finite number(s)")
        self._push = push
        if self._drive_model is None and before is None:
            self._step(command, self.robot.substeps)
        else:
            self._step_by_step(command, command if before is None else before, delay * self.robot.substeps)
        if not sum(map(abs, self.position)) + sum(map(abs, self.velocity)) < LARGEST:  # NaN is not less
            raise StateError(
                f"the physics of {self.robot.description.name} diverged: positions and velocities mean nothing; "
                "check masses and inertias, take smaller limits of the commands, or a shorter physics_period than "
                f"{self.robot.physics_period:g} s"
            )

    def _step_by_step(self, command: Sequence[float], before: Sequence[float], delay: float) -> None:
        """One control period in single physics periods, `delay` of which `before` acts."""
        for index in range(self.robot.substeps):
            new = min(max(index + 1 - delay, 0.0), 1.0)  # share of this physics period
            mean = [(1.0 - new) * old + new * value for old, value in zip(before, command, strict=True)]
            self._step(mean if self._drive_model is None else self._drive_model.follow(mean), 1)

    def save(self) -> bytes:
        """All that decides what happens next, contacts included, for `load` in any world of the same machine."""
        drives = None if self._drive_model is None else self._drive_model.state
        text = json.dumps({"variation": [[*quantity, value] for quantity, value in self._variation.items()],
                           "drives": drives}).encode()  # fmt: skip
        state = len(text).to_bytes(_SIZE, "little") + text + self._save()
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
        end = _SIZE + int.from_bytes(state[:_SIZE], "little")
        values = json.loads(state[_SIZE:end])
        self.vary({Quantity(field, of): value for field, of, value in values["variation"]})
        self._load(state[end:])
        if self._drive_model is not None:
            self._drive_model.state = values["drives"]

    @abstractmethod
    def render(self, width: int = 640, height: int = 480) -> NDArray[np.uint8]:
        """A picture, (height, width, 3) uint8."""

    @abstractmethod
    def close(self) -> None:
        """Release the physics engine; closing twice is allowed."""

    @abstractmethod
    def _reset(self, state: Sequence[float]) -> None:
        """Put the machine into `state`, (2j,), with its drives idle."""

    @abstractmethod
    def _step(self, command: Sequence[float], substeps: int) -> None:
        """Advance by so many physics periods under `command`, (a,), which is finite, and `self._push`."""

    def _vary(self, variation: Mapping[Quantity, float]) -> None:
        """Differ from the description by `variation`; where it is empty, be as described, to the last bit.

        Of drives only `gain` concerns an engine: it must let them give as many times what they could.

        Raises:
            ConfigError: this engine cannot change one of it, which is all that one without this method can say. Nothing
                changed.
        """
        for quantity in variation:
            if quantity.field not in DRIVE_FIELDS:
                raise ConfigError(
                    f"{quantity} cannot be changed by {type(self).__name__}, whose plant does not vary: leave it out, "
                    "or choose another simulator.engine"
                )

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
