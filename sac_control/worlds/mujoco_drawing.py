"""The drawing of a robot that is described by MJCF, as MuJoCo reads it."""

from __future__ import annotations

from collections.abc import Iterator

import mujoco

from sac_control.errors import ConfigError
from sac_control.robots.description import Description
from sac_control.robots.drawing import HINGE, SLIDE, Drawing, DrawnBody, DrawnJoint, Pose, Shape
from sac_control.worlds.mujoco_world import load_specification, refusals_in_words

_JOINTS = {int(mujoco.mjtJoint.mjJNT_HINGE): HINGE, int(mujoco.mjtJoint.mjJNT_SLIDE): SLIDE}
_VISIBLE = 3  # groups of geoms below it: by MuJoCo's convention those from 3 on are for collision alone


def draw_mjcf(description: Description) -> Drawing:
    """What the MJCF file `description` shows.

    Raises:
        ConfigError: MuJoCo cannot load it, or a joint is free or a ball, whose position no joint state holds.
    """
    with refusals_in_words(description):
        model = load_specification(description).compile()
    names = [model.body(index).name or f"body {index}" for index in range(model.nbody)]
    bodies = [
        DrawnBody(
            name=names[index],
            parent=-1 if index == 0 else int(model.body_parentid[index]),
            at_rest=_pose(model.body_pos[index], model.body_quat[index]),
            joints=tuple(_joints(model, index, description)),
            shapes=tuple(_shapes(model, index)),
        )
        for index in range(model.nbody)
    ]
    return Drawing(bodies=tuple(bodies))


def _joints(model: mujoco.MjModel, body: int, description: Description) -> Iterator[DrawnJoint]:
    first = int(model.body_jntadr[body])
    for index in range(first, first + int(model.body_jntnum[body])):
        kind = _JOINTS.get(int(model.jnt_type[index]))
        if kind is None:
            raise ConfigError(
                f"{description.path} has a free or ball joint, {model.joint(index).name!r}: no joint state says where "
                "it is, so the robot cannot be drawn"
            )
        yield DrawnJoint(
            name=model.joint(index).name,
            kind=kind,
            axis=tuple(model.jnt_axis[index].tolist()),
            anchor=tuple(model.jnt_pos[index].tolist()),
            zero=float(model.qpos0[model.jnt_qposadr[index]]),
        )


def _shapes(model: mujoco.MjModel, body: int) -> Iterator[Shape]:
    kinds = mujoco.mjtGeom
    first = int(model.body_geomadr[body])
    for index in range(first, first + int(model.body_geomnum[body])):
        if model.geom_group[index] >= _VISIBLE:
            continue
        a, b, c = model.geom_size[index].tolist()
        material = int(model.geom_matid[index])
        rgba = model.geom_rgba[index] if material < 0 else model.mat_rgba[material]
        pose = _pose(model.geom_pos[index], model.geom_quat[index])
        red, green, blue, opacity = rgba.tolist()
        color = red, green, blue, opacity
        kind = int(model.geom_type[index])
        if kind == kinds.mjGEOM_MESH:
            mesh = int(model.geom_dataid[index])
            v, f = int(model.mesh_vertadr[mesh]), int(model.mesh_faceadr[mesh])
            vertices = model.mesh_vert[v : v + int(model.mesh_vertnum[mesh])].copy()
            faces = model.mesh_face[f : f + int(model.mesh_facenum[mesh])].copy()
            yield Shape(kind="mesh", vertices=vertices, faces=faces, pose=pose, color=color)
            continue
        sizes = {
            int(kinds.mjGEOM_BOX): ("box", (2.0 * a, 2.0 * b, 2.0 * c)),
            int(kinds.mjGEOM_SPHERE): ("sphere", (a,)),
            int(kinds.mjGEOM_CYLINDER): ("cylinder", (a, 2.0 * b)),
            int(kinds.mjGEOM_CAPSULE): ("capsule", (a, 2.0 * b)),
            int(kinds.mjGEOM_ELLIPSOID): ("ellipsoid", (a, b, c)),
        }
        if kind in sizes:  # a plane has no end: the page has a floor of its own
            name, size = sizes[kind]
            yield Shape(kind=name, size=size, pose=pose, color=color)


def _pose(position: object, quaternion: object) -> Pose:
    return Pose(position=tuple(position.tolist()), turn=tuple(quaternion.tolist()))  # type: ignore[attr-defined]
