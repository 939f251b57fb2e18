"""The world simulated by pybullet. It loads URDF, and MJCF as far as pybullet reads that.

Engine parameters and their order are those of pybullet's own environments, so that trajectories agree with theirs.
"""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sac_control.errors import ConfigError
from sac_control.option import suggest
from sac_control.robots.description import MJCF, URDF, Description, moving_joints, read_description
from sac_control.robots.robot import Color, Drive, Robot
from sac_control.robots.stretched import stretched
from sac_control.variation.fields import Quantity
from sac_control.worlds.native_output import stdout_dropped, stdout_to_stderr
from sac_control.worlds.pybullet_module import pybullet
from sac_control.worlds.pybullet_picture import take_picture
from sac_control.worlds.pybullet_plant import Inertia, change_plant, inertias
from sac_control.worlds.pybullet_window import close_window, open_window
from sac_control.worlds.world import World

CONTACT_ERP = 0.9  # share of a penetration that is corrected per step
SOLVER_ITERATIONS = 5
DEFAULT_DAMPING = 0.04  # linear and angular, of every link, unless it is set
UNLIMITED = 1e9  # [N or N m] effort of a drive that has no limit

_MOVES_ONE_WAY = (pybullet.JOINT_REVOLUTE, pybullet.JOINT_PRISMATIC)  # has one position and one velocity


class PybulletWorld(World):
    """A robot in pybullet. Velocity drives reach their command within one physics period, as far as effort allows.

    Drives give no more than the description's `<limit effort=…>`, which pybullet itself leaves out of account.
    """

    def __init__(self, robot: Robot, *, has_window: bool = False) -> None:
        super().__init__(robot, has_window=has_window)
        self._client: int = open_window(robot.camera) if has_window else pybullet.connect(pybullet.DIRECT)
        # Releases the engine of a forgotten world, too: pybullet has room for about a thousand.
        disconnect = close_window if has_window else pybullet.disconnect
        self._disconnect = weakref.finalize(self, disconnect, self._client)
        self._description = read_description(robot.description)
        self._inertias: list[Inertia] = []  # of the links, as described
        with ExitStack() as on_refusal:
            on_refusal.callback(self.close)
            self._build(self._description)
            self._inertias = inertias(self._client, self._body)
            on_refusal.pop_all()
        self._places = [robot.joints.index(drive.joint) for drive in robot.drives]  # of each drive among the joints

    def _build(self, description: Description) -> None:
        """Load the machine into an empty engine."""
        robot = self.robot
        self._configure_engine(robot)
        self._body, indices = self._load_robot(description)
        self._joints = [self._index(robot.model_name(name), indices) for name in robot.joints]
        driven = [self._index(robot.model_name(drive.joint), indices) for drive in robot.drives]
        most = [self._most_effort(description, *each) for each in zip(driven, robot.drives, strict=True)]
        self._drives = list(zip(driven, robot.drives, most, strict=True))
        self._rest: int = pybullet.saveState(physicsClientId=self._client)

    def _configure_engine(self, robot: Robot) -> None:
        client = self._client
        pybullet.resetSimulation(physicsClientId=client)
        pybullet.setPhysicsEngineParameter(deterministicOverlappingPairs=1, physicsClientId=client)
        pybullet.setGravity(0, 0, -robot.gravity, physicsClientId=client)
        pybullet.setDefaultContactERP(CONTACT_ERP, physicsClientId=client)
        pybullet.setPhysicsEngineParameter(
            fixedTimeStep=robot.physics_period,
            numSolverIterations=SOLVER_ITERATIONS,
            numSubSteps=1,
            physicsClientId=client,
        )

    def _load_robot(self, description: Description) -> tuple[int, dict[str, int]]:
        """Load the model; returns the body that has joints, and the index of each joint by the model's name."""
        client = self._client
        machine, indices = -1, {}
        for body in _load_bodies(description, client, is_again=bool(self._inertias)):
            self._paint(body, -1, pybullet.getBodyInfo(body, physicsClientId=client)[0], self.robot.colors)
            self._set_damping(body, -1)
            for index in range(pybullet.getNumJoints(body, physicsClientId=client)):
                # Every joint starts with a motor that brakes it: without force it is free.
                pybullet.setJointMotorControl2(body, index, pybullet.POSITION_CONTROL, force=0, physicsClientId=client)
                info = pybullet.getJointInfo(body, index, physicsClientId=client)
                self._paint(body, index, info[12], self.robot.colors)
                self._set_damping(body, index)
                machine = body
                if info[2] in _MOVES_ONE_WAY:
                    indices[info[1].decode()] = index
        return machine, indices

    def _set_damping(self, body: int, link: int) -> None:
        damping = self.robot.air_damping
        if damping == DEFAULT_DAMPING:
            return  # setting it to the same number rounds otherwise than pybullet has
        pybullet.changeDynamics(body, link, linearDamping=damping, angularDamping=damping, physicsClientId=self._client)

    def _paint(self, body: int, link: int, name: bytes, colors: Mapping[str, Color]) -> None:
        color = colors.get(name.decode())
        if color is not None:
            pybullet.changeVisualShape(body, link, rgbaColor=color, physicsClientId=self._client)

    def _index(self, name: str, indices: Mapping[str, int]) -> int:
        if name not in indices:
            raise ConfigError(f"{self.robot.description} has no moving joint {name!r}; {suggest(name, indices)}")
        return indices[name]

    def _most_effort(self, description: Description, joint: int, drive: Drive) -> float:
        """That the drive of a joint can give."""
        most = UNLIMITED if drive.max_effort is None else drive.max_effort
        allowed: float = pybullet.getJointInfo(self._body, joint, physicsClientId=self._client)[10]
        return min(most, allowed) if description.kind == URDF and allowed > 0.0 else most

    def _reset(self, state: Sequence[float]) -> None:
        pybullet.restoreState(self._rest, physicsClientId=self._client)
        values = [float(value) for value in state]
        for joint, position, velocity in zip(self._joints, values[0::2], values[1::2], strict=True):
            pybullet.resetJointState(self._body, joint, position, velocity, physicsClientId=self._client)
        self._read_state()
        self.effort = [0.0] * len(self._joints)

    def _vary(self, variation: Mapping[Quantity, float]) -> None:
        """Load the machine anew, and change what differs: what was changed before leaves no trace."""
        robot, description = self.robot, self._description
        driven = {drive.joint: drive.interface for drive in robot.drives}
        for field, of in variation:
            if field == "friction" and driven.get(of, "effort") != "effort":
                raise ConfigError(
                    f"friction({of}) is of a joint that is driven by {driven[of]}, in which pybullet knows none: "
                    "leave it out, or choose simulator.engine mujoco"
                )
        lengths = {robot.model_name(of): value for (field, of), value in variation.items() if field == "length"}
        self._build(stretched(description, lengths) if lengths else description)
        joints = dict(zip(robot.joints, self._joints, strict=True))
        change_plant(self._client, self._body, joints, self._inertias, robot.gravity, robot.air_damping, variation)
        gains = [variation.get(Quantity("gain", drive.joint), 1.0) for drive in robot.drives]
        self._drives = [
            (joint, drive, most * gain) for (joint, drive, most), gain in zip(self._drives, gains, strict=True)
        ]

    def _step(self, command: Sequence[float], substeps: int) -> None:
        for _ in range(substeps):
            # Again in each step: pybullet forgets forces. In one call with the step, because it adds them up otherwise.
            for (joint, drive, most), value in zip(self._drives, command, strict=True):
                self._command(joint, drive, most, value)
            if self._push is not None:
                self._apply_push(self._push)
            pybullet.stepSimulation(physicsClientId=self._client)
        self._read_state()
        self._read_effort(command)

    def _command(self, joint: int, drive: Drive, most: float, value: float) -> None:
        body, client = self._body, self._client
        if drive.interface == "effort":
            effort = min(max(value, -most), most)
            pybullet.setJointMotorControl2(body, joint, pybullet.TORQUE_CONTROL, force=effort, physicsClientId=client)
            return
        if drive.interface == "velocity":
            pybullet.setJointMotorControl2(
                body, joint, pybullet.VELOCITY_CONTROL, targetVelocity=value, force=most, physicsClientId=client
            )
        else:
            pybullet.setJointMotorControl2(
                body, joint, pybullet.POSITION_CONTROL, targetPosition=value, force=most, physicsClientId=client
            )

    def _apply_push(self, push: Sequence[float]) -> None:
        for joint, effort in zip(self._joints, push, strict=True):
            pybullet.setJointMotorControl2(
                self._body, joint, pybullet.TORQUE_CONTROL, force=effort, physicsClientId=self._client
            )

    def _read_state(self) -> None:
        joints = pybullet.getJointStates(self._body, self._joints, physicsClientId=self._client)
        self.position = [joint[0] for joint in joints]
        self.velocity = [joint[1] for joint in joints]
        self._motor_efforts = [joint[3] for joint in joints]

    def _read_effort(self, command: Sequence[float]) -> None:
        effort = [0.0] * len(self._joints)
        for (_, drive, most), place, value in zip(self._drives, self._places, command, strict=True):
            is_forced = drive.interface == "effort"
            effort[place] = min(max(value, -most), most) if is_forced else self._motor_efforts[place]
        self.effort = effort

    def _save(self) -> bytes:
        with tempfile.TemporaryDirectory() as folder:  # pybullet's states in memory are of one engine; files for all
            file = Path(folder, "state.bullet")
            pybullet.saveBullet(str(file), physicsClientId=self._client)
            return np.array(self.effort).tobytes() + file.read_bytes()

    def _load(self, state: bytes) -> None:
        size = np.array(self.effort).nbytes
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "state.bullet")
            file.write_bytes(state[size:])
            pybullet.restoreState(fileName=str(file), physicsClientId=self._client)
        self._read_state()
        self.effort = np.frombuffer(state[:size]).tolist()

    def render(self, width: int = 640, height: int = 480) -> NDArray[np.uint8]:
        return take_picture(self._client, self.robot.camera, width, height)

    def close(self) -> None:
        self._disconnect()
        self._client = -1  # pybullet gives the number to the next world: this one must not touch that


def _check_bodies(description: Description) -> None:
    """See that what moves has a mass and an inertia, and that the base stands.

    pybullet says nothing of it: it makes up a mass and an inertia, or simulates something that does not move.
    """
    root, path = description.root, description.path
    if description.kind == MJCF:
        free = next(root.iter("freejoint"), root.find(".//joint[@type='free']"))
    else:
        free = root.find("joint[@type='floating']")
    if free is not None:
        raise ConfigError(
            f"{path} has a floating base (a free joint, {free.get('name', '')!r}), which no joint state describes: fix "
            "it to the world"
        )
    for joint in moving_joints(root) if description.kind == URDF else ():
        (child,) = joint.findall("child")
        link = root.find(f"link[@name='{child.get('link')}']/inertial")
        inertia = {} if link is None or (found := link.find("inertia")) is None else found.attrib
        values = [0.0 if link is None or (mass := link.find("mass")) is None else float(mass.get("value", "0"))]
        values += [float(inertia.get(axis, "0")) for axis in ("ixx", "iyy", "izz")]
        if not min(values) > 0.0:
            raise ConfigError(
                f"link {child.get('link')!r} in {path}, which joint {joint.get('name')!r} moves, has mass and inertia "
                f"{values}: expected them greater than 0 in its <inertial> [kg, kg m²]"
            )


def _load_bodies(description: Description, client: int, *, is_again: bool) -> Sequence[int]:
    """Load the description into the engine; returns the numbers of its bodies. What was warned of is not, again."""
    _check_bodies(description)
    try:
        if description.kind == MJCF:
            flags = pybullet.URDF_USE_SELF_COLLISION | pybullet.URDF_USE_SELF_COLLISION_EXCLUDE_ALL_PARENTS
            with _file(description) as path:  # its includes and meshes lie beside it
                bodies: Sequence[int] = pybullet.loadMJCF(str(path), flags=flags, physicsClientId=client)
            return bodies
        warnings = stdout_dropped() if is_again else stdout_to_stderr()
        with tempfile.NamedTemporaryFile("w", suffix=".urdf") as file, warnings:
            file.write(description.text)  # with absolute paths of meshes, which pybullet would look for elsewhere
            file.flush()
            # Without the flag pybullet makes up inertias of its own from the collision shapes.
            flags = pybullet.URDF_USE_INERTIA_FROM_FILE
            return [pybullet.loadURDF(file.name, useFixedBase=True, flags=flags, physicsClientId=client)]
    except pybullet.error as error:
        raise ConfigError(f"pybullet cannot load {description.path}: {error} See its output above") from None


@contextmanager
def _file(description: Description) -> Iterator[Path]:
    """A file with the description's text: its own, where that is what is in it."""
    if not description.is_changed:
        yield description.path
        return
    with tempfile.NamedTemporaryFile("w", suffix=description.path.suffix, dir=description.path.parent) as file:
        file.write(description.text)
        file.flush()
        yield Path(file.name)
