"""The world: a machine simulated by pybullet. Knows forces and joints, nothing of rewards, episodes or Gymnasium.

Engine parameters and their order are those of pybullet's own environments, so that trajectories agree with theirs.
"""

from __future__ import annotations

import hashlib
import math
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pybullet
import pybullet_data
from numpy.typing import NDArray

from sac_control.errors import ConfigError, StateError
from sac_control.tasks.mechanism import Color, Mechanism
from sac_control.types import FloatArray, Specification
from sac_control.worlds.pybullet_picture import take_picture
from sac_control.worlds.pybullet_window import close_window, open_window

GRAVITY = 9.8  # [m/s²]
CONTACT_ERP = 0.9  # share of a penetration that is corrected per step
SOLVER_ITERATIONS = 5

_DIGEST_SIZE = hashlib.sha256().digest_size  # [bytes] at the beginning of a saved world


class World:
    """One machine in a physics engine of its own; any number of worlds live in one process without touching.

    A copy, by `copy` or by `pickle`, has an engine of its own, too, and goes on from the saved state of this one.

    Args:
        mechanism: the machine.
        specification: order of the joints, driven joints and control period.
        has_window: show the physics in a window; otherwise it runs headless.

    Raises:
        ConfigError: a window is asked for and cannot be opened.
    """

    def __init__(self, mechanism: Mechanism, specification: Specification, *, has_window: bool = False) -> None:
        self.state: FloatArray = np.zeros(2 * len(specification.joints))  # (2j,), overwritten by reset and step
        self._made_of = mechanism, specification
        self._has_window = has_window
        self._camera = mechanism.camera
        self._client: int = open_window(self._camera) if has_window else pybullet.connect(pybullet.DIRECT)
        # Releases the engine of a forgotten world, too: pybullet has room for about a thousand.
        disconnect = close_window if has_window else pybullet.disconnect
        self._disconnect = weakref.finalize(self, disconnect, self._client)
        self._configure_engine(specification.control_period)
        self._body, indices = self._load(mechanism)
        self._joints = [indices[mechanism.joints[name]] for name in specification.joints]
        self._actuators = [indices[mechanism.joints[name]] for name in specification.actuated_joints]
        self._rest: int = pybullet.saveState(physicsClientId=self._client)

    def _configure_engine(self, period: float) -> None:
        client = self._client
        pybullet.resetSimulation(physicsClientId=client)
        pybullet.setPhysicsEngineParameter(deterministicOverlappingPairs=1, physicsClientId=client)
        pybullet.setGravity(0, 0, -GRAVITY, physicsClientId=client)
        pybullet.setDefaultContactERP(CONTACT_ERP, physicsClientId=client)
        pybullet.setPhysicsEngineParameter(
            fixedTimeStep=period, numSolverIterations=SOLVER_ITERATIONS, numSubSteps=1, physicsClientId=client
        )

    def _load(self, mechanism: Mechanism) -> tuple[int, dict[str, int]]:
        """Load the model; returns the body that has joints, and the index of each joint by the model's name."""
        client = self._client
        bodies = pybullet.loadMJCF(
            str(Path(pybullet_data.getDataPath(), "mjcf", mechanism.model)),
            flags=pybullet.URDF_USE_SELF_COLLISION | pybullet.URDF_USE_SELF_COLLISION_EXCLUDE_ALL_PARENTS,
            physicsClientId=client,
        )
        machine, indices = -1, {}
        for body in bodies:
            self._paint(body, -1, pybullet.getBodyInfo(body, physicsClientId=client)[0], mechanism.colors)
            for index in range(pybullet.getNumJoints(body, physicsClientId=client)):
                # Every joint starts with a motor that brakes it: without force it is free.
                pybullet.setJointMotorControl2(body, index, pybullet.POSITION_CONTROL, force=0, physicsClientId=client)
                info = pybullet.getJointInfo(body, index, physicsClientId=client)
                self._paint(body, index, info[12], mechanism.colors)
                machine, indices[info[1].decode()] = body, index
        return machine, indices

    def _paint(self, body: int, link: int, name: bytes, colors: Mapping[str, Color]) -> None:
        color = colors.get(name.decode())
        if color is not None:
            pybullet.changeVisualShape(body, link, rgbaColor=color, physicsClientId=self._client)

    def reset(self, state: FloatArray) -> None:
        """Put the machine into `state`, (2j,) [m or rad, m/s or rad/s], forgetting all that happened before."""
        pybullet.restoreState(self._rest, physicsClientId=self._client)
        for joint, (position, velocity) in zip(self._joints, state.reshape(-1, 2).tolist(), strict=True):
            pybullet.resetJointState(self._body, joint, position, velocity, physicsClientId=self._client)
        self._read_state()

    def step(self, effort: Sequence[float]) -> None:
        """Advance by one control period under `effort`, (a,) [N or N m], one per actuated joint.

        Force and step are one call because pybullet adds up forces, and keeps pending ones through a reset.

        Raises:
            ValueError: an effort is not finite, or there are too few or too many.
        """
        if len(effort) != len(self._actuators) or not all(map(math.isfinite, effort)):
            raise ValueError(f"effort is {list(effort)}: expected {len(self._actuators)} finite number(s)")
        for joint, force in zip(self._actuators, effort, strict=True):
            pybullet.setJointMotorControl2(
                self._body, joint, pybullet.TORQUE_CONTROL, force=force, physicsClientId=self._client
            )
        pybullet.stepSimulation(physicsClientId=self._client)
        self._read_state()

    def _read_state(self) -> None:
        state = self.state
        joints = pybullet.getJointStates(self._body, self._joints, physicsClientId=self._client)
        for k, joint in enumerate(joints):
            state[2 * k] = joint[0]
            state[2 * k + 1] = joint[1]

    def joint_state(self) -> tuple[FloatArray, FloatArray]:
        """Positions [m or rad] and velocities [m/s or rad/s], (j,) float64 each, in the specification's order."""
        return self.state[0::2].copy(), self.state[1::2].copy()

    def save(self) -> bytes:
        """All that decides what happens next, contacts included, for `load` in any world of the same machine."""
        with TemporaryDirectory() as folder:  # pybullet's states in memory are of one engine; files are for all
            file = Path(folder, "state.bullet")
            pybullet.saveBullet(str(file), physicsClientId=self._client)
            state = file.read_bytes()
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
                f"machine, {self._made_of[0].model}"
            )
        with TemporaryDirectory() as folder:
            file = Path(folder, "state.bullet")
            file.write_bytes(state)
            pybullet.restoreState(fileName=str(file), physicsClientId=self._client)
        self._read_state()

    def _digest(self, state: bytes) -> bytes:
        return hashlib.sha256(self._made_of[0].model.encode() + b"\0" + state).digest()

    def __reduce__(self) -> tuple[object, ...]:
        """How `copy` and `pickle` make another."""
        if self._has_window:
            raise ConfigError(
                "a world that is shown in a window cannot be copied, because pybullet allows one window per process: "
                "copy one without (render_mode None or rgb_array)"
            )
        return _revived, (*self._made_of, self.save())

    def render(self, width: int = 640, height: int = 480) -> NDArray[np.uint8]:
        """A picture, (height, width, 3) uint8."""
        return take_picture(self._client, self._camera, width, height)

    def close(self) -> None:
        """Release the physics engine; closing twice is allowed."""
        self._disconnect()
        self._client = -1  # pybullet gives the number to the next world: this one must not touch that


def _revived(mechanism: Mechanism, specification: Specification, saved: bytes) -> World:
    world = World(mechanism, specification)
    world.load(saved)
    return world
