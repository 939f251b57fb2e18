"""The world simulated by MuJoCo. It loads URDF and MJCF.

Of an MJCF file the robot, its damping, friction and contacts are taken; its own actuators, time step and gravity give
way to what the task says. Semi-implicit Euler steps, or `implicitfast` where a joint is driven by velocity or position,
whose gains would be unstable otherwise.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import mujoco
import numpy as np
from numpy.typing import NDArray

from sac_control.errors import ConfigError
from sac_control.option import suggest
from sac_control.robots.description import MJCF, Description, read_description
from sac_control.robots.robot import Drive, Robot
from sac_control.variation.fields import Quantity
from sac_control.worlds.mujoco_picture import take_picture
from sac_control.worlds.mujoco_plant import MujocoPlant
from sac_control.worlds.mujoco_window import Window
from sac_control.worlds.world import World

VELOCITY_GAIN = 10.0  # times inertia by physics period: 90 % of a change of velocity in one physics period
POSITION_RESPONSE = 2.0  # physics periods: time constant of a position drive, critically damped
COMPILER = {"discardvisual": "false", "strippath": "false", "balanceinertia": "true"}  # of URDF; the file's own win

mujoco.set_mju_user_warning(logging.getLogger(__name__).debug)  # it writes files otherwise

_STATE = mujoco.mjtState.mjSTATE_INTEGRATION  # with warm start and controls: what follows is the same to the last bit
_ONE_WAY = (mujoco.mjtJoint.mjJNT_HINGE, mujoco.mjtJoint.mjJNT_SLIDE)
_MESHES = (".stl", ".obj", ".msh")  # that MuJoCo reads


class MujocoWorld(World):
    """A robot in MuJoCo."""

    def __init__(self, robot: Robot, *, has_window: bool = False) -> None:
        super().__init__(robot, has_window=has_window)
        self._model = model = _build(robot)
        self._data = data = mujoco.MjData(model)
        self._plant = MujocoPlant(model, data, robot)
        joints = [model.joint(robot.model_name(name)) for name in robot.joints]
        self._qpos = [int(joint.qposadr[0]) for joint in joints]
        self._qvel = [int(joint.dofadr[0]) for joint in joints]
        self._in_order = self._qpos == self._qvel == list(range(model.nq)) and model.nq == model.nv
        # Views, kept: asking `data` makes a new one each time.
        self._positions, self._velocities, self._efforts = data.qpos, data.qvel, data.qfrc_actuator
        self._control, self._pushes = data.ctrl, data.qfrc_applied
        self._window = Window(model, data, robot.camera) if has_window else None
        mujoco.mj_forward(model, data)
        self._read()

    def _reset(self, state: Sequence[float]) -> None:
        mujoco.mj_resetData(self._model, self._data)
        values = [float(value) for value in state]
        self._positions[self._qpos] = values[0::2]
        self._velocities[self._qvel] = values[1::2]
        mujoco.mj_forward(self._model, self._data)
        self._read()
        self.effort = [0.0] * len(self._qpos)
        self._show()

    def _step(self, command: Sequence[float], substeps: int) -> None:
        self._control[:] = command
        if self._push is not None:
            self._pushes[self._qvel] = self._push
        mujoco.mj_step(self._model, self._data, substeps)
        if self._push is not None:
            self._pushes[:] = 0.0
        self._read()
        self._show()

    def _vary(self, variation: Mapping[Quantity, float]) -> None:
        self._plant.vary(variation)

    def _read(self) -> None:
        positions, velocities, efforts = self._positions.tolist(), self._velocities.tolist(), self._efforts.tolist()
        if not self._in_order:
            positions = [positions[place] for place in self._qpos]
            velocities = [velocities[place] for place in self._qvel]
            efforts = [efforts[place] for place in self._qvel]
        self.position, self.velocity, self.effort = positions, velocities, efforts

    def _show(self) -> None:
        if self._window is not None:
            self._window.show()

    def _save(self) -> bytes:
        state = np.empty(mujoco.mj_stateSize(self._model, _STATE))
        mujoco.mj_getState(self._model, self._data, state, _STATE)
        return state.tobytes() + np.array(self.effort).tobytes()

    def _load(self, state: bytes) -> None:
        values = np.frombuffer(state)
        size = mujoco.mj_stateSize(self._model, _STATE)
        mujoco.mj_setState(self._model, self._data, values[:size], _STATE)
        mujoco.mj_forward(self._model, self._data)  # what pictures are made from
        mujoco.mj_setState(self._model, self._data, values[:size], _STATE)
        self._read()
        self.effort = values[size:].tolist()

    def render(self, width: int = 640, height: int = 480) -> NDArray[np.uint8]:
        return take_picture(self._model, self._data, self.robot.camera, width, height)

    def close(self) -> None:
        if self._window is not None:
            self._window.close()
            self._window = None


def _build(robot: Robot) -> mujoco.MjModel:
    """The compiled model of `robot` with its drives."""
    description = read_description(robot.description)
    with refusals_in_words(description):
        specification = load_specification(description)
    joints = {joint.name: joint.type for joint in specification.joints}
    _check_joints(robot, joints)
    option = specification.option
    option.timestep = robot.physics_period
    option.gravity = [0.0, 0.0, -robot.gravity]
    is_forced = all(drive.interface == "effort" for drive in robot.drives)
    kinds = mujoco.mjtIntegrator
    option.integrator = kinds.mjINT_EULER if is_forced else kinds.mjINT_IMPLICITFAST
    # A state that is not finite must not become the initial one without a word.
    option.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET
    for actuator in list(specification.actuators):
        specification.delete(actuator)
    for index, drive in enumerate(robot.drives):
        actuator = specification.add_actuator(
            name=f"drive_{index}", target=robot.model_name(drive.joint), trntype=mujoco.mjtTrn.mjTRN_JOINT
        )
        _limit(actuator, drive)
        actuator.set_to_motor()
    with refusals_in_words(description):
        model = specification.compile()
    _check_tree(description, model)
    for index, drive in enumerate(robot.drives):
        _set_gains(model, index, drive, robot)
    return model


@contextmanager
def refusals_in_words(description: Description) -> Iterator[None]:
    """Make what MuJoCo refuses of `description` a ConfigError that names the file."""
    try:
        yield
    except ValueError as error:
        text = " ".join(str(error).split()).partition(" The static bodies of the spec were fused")[0]
        raise ConfigError(f"MuJoCo cannot load {description.path}: {text}") from None


def load_specification(description: Description) -> mujoco.MjSpec:
    """The specification of a robot description, as MuJoCo may still change it.

    Raises:
        ConfigError: a mesh is of a kind that MuJoCo does not read.
        ValueError: MuJoCo cannot read it.
    """
    if description.kind == MJCF:
        return mujoco.MjSpec.from_file(str(description.path))  # its includes and meshes lie beside it
    root, assets = description.root, dict[str, bytes]()
    for link in root.iter("link"):
        for shape in [*link.findall("visual"), *link.findall("collision")]:
            mesh = shape.find("geometry/mesh")
            if mesh is None:
                continue
            file = Path(mesh.get("filename", ""))
            if file.suffix.lower() not in _MESHES:
                if shape.tag == "collision":
                    raise ConfigError(
                        f"{description.path} has the collision mesh {file}, and MuJoCo reads "
                        f"{', '.join(_MESHES)} alone: convert it"
                    )
                link.remove(shape)  # a picture that lacks a shape is better than none
                continue
            key = f"{len(assets)}_{file.name}"  # MuJoCo drops folders: names must differ without them
            mesh.set("filename", key)
            assets[key] = file.read_bytes()
    extension = _child(root, "mujoco")
    for name, value in COMPILER.items():
        _child(extension, "compiler").attrib.setdefault(name, value)
    return mujoco.MjSpec.from_string(ElementTree.tostring(root, encoding="unicode"), assets=assets)


def _child(parent: ElementTree.Element, tag: str) -> ElementTree.Element:
    found = parent.find(tag)
    return ElementTree.SubElement(parent, tag) if found is None else found


def _check_joints(robot: Robot, joints: dict[str, mujoco.mjtJoint]) -> None:
    for name in (*robot.joints, *(drive.joint for drive in robot.drives)):
        model_name = robot.model_name(name)
        if joints.get(model_name) not in _ONE_WAY:
            usable = [name for name, kind in joints.items() if kind in _ONE_WAY]
            raise ConfigError(
                f"{robot.description} has no hinge or sliding joint {model_name!r}; {suggest(model_name, usable)}"
            )


def _check_tree(description: Description, model: mujoco.MjModel) -> None:
    if (model.jnt_type == mujoco.mjtJoint.mjJNT_FREE).any():
        raise ConfigError(
            f"{description.path} has a floating base (a free joint), which no joint state describes: fix it to "
            "the world"
        )


def _limit(actuator: mujoco.MjsActuator, drive: Drive) -> None:
    actuator.ctrllimited, actuator.ctrlrange = 1, [-drive.limit, drive.limit]
    if drive.max_effort is not None:
        actuator.forcelimited, actuator.forcerange = 1, [-drive.max_effort, drive.max_effort]


def _set_gains(model: mujoco.MjModel, index: int, drive: Drive, robot: Robot) -> None:
    """Make actuator `index` a drive of its interface, with gains that follow from the inertia which it sees at rest.

    force = gain · command + bias · (1, position, velocity)
    """
    if drive.interface == "effort":
        return
    joint = model.joint(robot.model_name(drive.joint))
    inertia, period = float(model.dof_M0[joint.dofadr[0]]), robot.physics_period
    model.actuator_biastype[index] = mujoco.mjtBias.mjBIAS_AFFINE
    if drive.interface == "velocity":
        gain = VELOCITY_GAIN * inertia / period
        model.actuator_gainprm[index, 0] = gain
        model.actuator_biasprm[index, :3] = 0.0, 0.0, -gain
    else:
        rate = 1.0 / (POSITION_RESPONSE * period)
        model.actuator_gainprm[index, 0] = inertia * rate**2
        model.actuator_biasprm[index, :3] = 0.0, -inertia * rate**2, -2.0 * inertia * rate
