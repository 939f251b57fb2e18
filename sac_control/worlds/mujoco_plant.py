"""The plant in MuJoCo: one function for each field that varies, which looks after all that depends on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import mujoco
import numpy as np

from sac_control.errors import ConfigError
from sac_control.robots.robot import Robot
from sac_control.types import Array
from sac_control.variation.fields import Quantity

# Numbers of a model in no array: statistics that MuJoCo derives (the solver scales by the first), and the air.
_NUMBERS = {"stat": ("meaninertia", "meanmass", "meansize", "extent"), "opt": ("density", "viscosity")}
_LONG = (mujoco.mjtGeom.mjGEOM_CAPSULE, mujoco.mjtGeom.mjGEOM_CYLINDER)  # size[1] is half of their length


class MujocoPlant:
    """Changes a compiled model in place, so that windows and renderers go on showing it.

    Args:
        model, data: of the world.
        robot: which it simulates.
    """

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, robot: Robot) -> None:
        self._model, self._data, self._robot = model, data, robot
        self._described: dict[str, Array] = {}  # all numbers of the model
        self._numbers: dict[tuple[str, str], float] = {}
        self._setters: Mapping[str, Callable[[mujoco.MjModel, int, float], None]] = {
            "mass": _set_mass,
            "inertia": _set_inertia,
            "length": _set_length,
            "travel": _set_travel,
            "damping": _set_damping,
            "friction": _set_friction,
            "gain": _set_gain,
        }

    def vary(self, variation: Mapping[Quantity, float]) -> None:
        """Differ from the description by `variation`, which was checked.

        Raises:
            ConfigError: a sliding joint has no length.
        """
        joints = {name: self._model.joint(self._robot.model_name(name)).id for name in self._robot.joints}
        for field, of in variation:
            if field == "length" and self._model.jnt_type[joints[of]] != mujoco.mjtJoint.mjJNT_HINGE:
                raise ConfigError(f"length({of}) is of a joint that slides: expected one that turns; leave it out")
        arrays = _arrays(self._model)
        if not self._described:
            self._described = {name: array.copy() for name, array in arrays.items()}
            self._numbers = {
                (part, name): getattr(getattr(self._model, part), name) for part in _NUMBERS for name in _NUMBERS[part]
            }
        for name, array in self._described.items():
            arrays[name][...] = array
        for (part, name), value in self._numbers.items():
            setattr(getattr(self._model, part), name, value)
        if not variation:
            return
        for (field, of), value in variation.items():
            if field == "gravity_tilt":
                _set_tilt(self._model, value)
            elif field == "air_damping":
                _set_air(self._model, value)
            elif field in self._setters:
                self._setters[field](self._model, joints[of], value)
        mujoco.mj_setConst(self._model, self._data)


def _arrays(model: mujoco.MjModel) -> dict[str, Array]:
    """Everything of a model that numbers are in, as views."""
    found = {}
    for part, prefix in ((model, ""), (model.opt, "opt."), (model.stat, "stat.")):
        for name in dir(part):
            value = getattr(part, name) if not name.startswith("_") else None
            if isinstance(value, np.ndarray) and value.dtype.kind == "f":
                found[prefix + name] = value
    return found


def _link(model: mujoco.MjModel, joint: int) -> Iterator[int]:
    """The body that `joint` moves, and all that is fixed to it."""
    first = int(model.jnt_bodyid[joint])
    link = {first}
    yield first
    for body in range(first + 1, model.nbody):  # parents come before their children
        if int(model.body_parentid[body]) in link and not model.body_jntnum[body]:
            link.add(body)
            yield body


def _set_mass(model: mujoco.MjModel, joint: int, factor: float) -> None:
    for body in _link(model, joint):
        model.body_mass[body] *= factor
        model.body_inertia[body] *= factor


def _set_inertia(model: mujoco.MjModel, joint: int, factor: float) -> None:
    for body in _link(model, joint):
        model.body_inertia[body] *= factor


def _set_length(model: mujoco.MjModel, joint: int, factor: float) -> None:
    """All of the link is that many times as far from the joint, what is mounted on it included."""
    link = list(_link(model, joint))
    anchor = model.jnt_pos[joint].copy()  # in the frame of the first body; bodies fixed to it are scaled from theirs
    for body in link:
        at = anchor if body == link[0] else np.zeros(3)
        model.body_ipos[body] = at + factor * (model.body_ipos[body] - at)
        model.body_inertia[body] *= factor**2
        first, count = int(model.body_geomadr[body]), int(model.body_geomnum[body])
        for geom in range(first, first + count):
            model.geom_pos[geom] = at + factor * (model.geom_pos[geom] - at)
            if model.geom_type[geom] in _LONG:
                model.geom_size[geom, 1] *= factor
            model.geom_rbound[geom] *= max(factor, 1.0)
    for body in range(link[0] + 1, model.nbody):
        parent = int(model.body_parentid[body])
        if parent in link:
            at = anchor if parent == link[0] else np.zeros(3)
            model.body_pos[body] = at + factor * (model.body_pos[body] - at)


def _set_travel(model: mujoco.MjModel, joint: int, factor: float) -> None:
    model.jnt_range[joint] *= factor  # of no meaning where the joint has no end


def _set_damping(model: mujoco.MjModel, joint: int, amount: float) -> None:
    model.dof_damping[model.jnt_dofadr[joint]] += amount


def _set_friction(model: mujoco.MjModel, joint: int, amount: float) -> None:
    model.dof_frictionloss[model.jnt_dofadr[joint]] += amount


def _set_gain(model: mujoco.MjModel, joint: int, factor: float) -> None:
    """The drive itself is scaled elsewhere: here, it is allowed to give as many times what it could."""
    model.jnt_actfrcrange[joint] *= factor
    for actuator in range(model.nu):
        if int(model.actuator_trnid[actuator, 0]) == joint:
            model.actuator_ctrlrange[actuator] *= factor


def _set_air(model: mujoco.MjModel, factor: float) -> None:
    model.opt.density *= factor
    model.opt.viscosity *= factor


def _set_tilt(model: mujoco.MjModel, angle: float) -> None:
    """Gravity as a base sees it that was turned about y: its x axis points down a little."""
    size = float(np.linalg.norm(model.opt.gravity))
    model.opt.gravity[:] = size * math.sin(angle), 0.0, -size * math.cos(angle)
