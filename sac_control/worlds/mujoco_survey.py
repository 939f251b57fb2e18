"""What MuJoCo makes of a robot description: joints, drives and masses of MJCF, and where to look at a robot from."""

from __future__ import annotations

import math
from pathlib import Path

import mujoco
import numpy as np

from sac_control.robots.description import Description, read_description
from sac_control.robots.robot import Camera
from sac_control.robots.survey import HINGE, SLIDE, Survey, SurveyedBody, SurveyedJoint
from sac_control.types import FloatArray
from sac_control.worlds.mujoco_world import load_specification, refusals_in_words

_KINDS = {int(mujoco.mjtJoint.mjJNT_HINGE): HINGE, int(mujoco.mjtJoint.mjJNT_SLIDE): SLIDE}
_OTHERS = {int(mujoco.mjtJoint.mjJNT_FREE): "free", int(mujoco.mjtJoint.mjJNT_BALL): "ball"}
_VIEW = 1.4  # radii of the robot in half the height of a picture


def survey_mjcf(description: Description) -> Survey:
    """What the MJCF file `description` says. Its drives are its actuators.

    Raises:
        ConfigError: MuJoCo cannot load it.
    """
    model = _compiled(description)
    drives = _drives(model)
    joints = [index for index in range(model.njnt) if int(model.jnt_type[index]) in _KINDS]
    return Survey(
        path=description.path,
        joints=tuple(_joint(model, index, drives.get(index)) for index in joints),
        bodies=tuple(_body(model, index) for index in range(1, model.nbody) if model.body_jntnum[index]),
        unusable=tuple(
            (model.joint(index).name, _OTHERS[int(model.jnt_type[index])])
            for index in range(model.njnt)
            if index not in joints
        ),
    )


def view_of(path: Path) -> Camera:
    """A camera that has the whole of a robot in its picture, where all joints are at zero.

    Raises:
        ConfigError: MuJoCo cannot load it.
    """
    model = _compiled(read_description(path))
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    shapes = [index for index in range(model.ngeom) if model.geom_rbound[index] > 0.0]  # a plane has no end
    if not shapes:
        return Camera()
    turns = data.geom_xmat[shapes].reshape(-1, 3, 3)
    centres = data.geom_xpos[shapes] + np.einsum("nij,nj->ni", turns, model.geom_aabb[shapes, :3])
    halves = np.einsum("nij,nj->ni", np.abs(turns), model.geom_aabb[shapes, 3:])
    low, high = (centres - halves).min(axis=0), (centres + halves).max(axis=0)
    radius = float(np.linalg.norm(high - low)) / 2.0
    x, y, z = ((low + high) / 2.0).tolist()
    distance = _VIEW * radius / math.tan(math.radians(Camera().field_of_view / 2.0))
    return Camera(target=(round(x, 3), round(y, 3), round(z, 3)), distance=float(f"{distance:.2g}"))


def _compiled(description: Description) -> mujoco.MjModel:
    with refusals_in_words(description):
        return load_specification(description).compile()


def _drives(model: mujoco.MjModel) -> dict[int, tuple[str, float | None, float | None]]:
    """Joint -> interface, largest command and largest effort of the first actuator that drives it."""
    found: dict[int, tuple[str, float | None, float | None]] = {}
    for index in range(model.nu):
        if model.actuator_trntype[index] != mujoco.mjtTrn.mjTRN_JOINT:
            continue
        gear, gain = abs(float(model.actuator_gear[index, 0])) or 1.0, abs(float(model.actuator_gainprm[index, 0]))
        _, stiffness, damping = model.actuator_biasprm[index, :3].tolist()
        command = _end(model.actuator_ctrllimited[index], model.actuator_ctrlrange[index])
        force = _end(model.actuator_forcelimited[index], model.actuator_forcerange[index])
        effort = force * gear if force else None
        if model.actuator_biastype[index] == mujoco.mjtBias.mjBIAS_NONE:
            by_command = command * gain * gear if command else None
            limits = [value for value in (effort, by_command) if value]
            drive = "effort", min(limits, default=None), min(limits, default=None)
        else:
            interface = "position" if stiffness else "velocity" if damping else "effort"
            drive = interface, command / gear if command else None, effort
        found.setdefault(int(model.actuator_trnid[index, 0]), drive)
    return found


def _joint(model: mujoco.MjModel, index: int, drive: tuple[str, float | None, float | None] | None) -> SurveyedJoint:
    low, high = model.jnt_range[index].tolist()
    interface, command_limit, max_effort = drive or ("", None, None)
    ends = (low, high) if model.jnt_limited[index] else None
    if interface == "position" and command_limit is None and ends:
        command_limit = max(map(abs, ends))
    own = _end(model.jnt_actfrclimited[index], model.jnt_actfrcrange[index])
    return SurveyedJoint(
        name=model.joint(index).name,
        kind=_KINDS[int(model.jnt_type[index])],
        range=ends,
        max_effort=own or max_effort,
        interface=interface,
        command_limit=command_limit,
    )


def _body(model: mujoco.MjModel, index: int) -> SurveyedBody:
    """MuJoCo itself refuses what moves without mass or with inertias that no body has."""
    name, mass = model.body(index).name, float(model.body_mass[index])
    joint = model.joint(model.body_jntadr[index]).name
    return SurveyedBody(name=name, joint=joint, mass=mass, inertias=((name, mass, np.diag(model.body_inertia[index])),))


def _end(is_limited: int, ends: FloatArray) -> float | None:
    """The largest value both ways within `ends`, (2,)."""
    nearest = float(np.abs(ends).min()) if is_limited else 0.0
    return nearest or None
