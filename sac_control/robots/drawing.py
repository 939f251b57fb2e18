"""What a robot looks like and how it moves, as plain data: shapes on bodies, where the bodies are. Knows no engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sac_control.types import Array, FloatArray

HINGE, SLIDE = "hinge", "slide"
GREY = (0.6, 0.62, 0.65, 1.0)  # red, green, blue, opacity where a description names no colour

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]  # w, x, y, z
NO_TURN: Quaternion = (1.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Pose:
    """Where something is, seen from what carries it."""

    position: Vector = (0.0, 0.0, 0.0)  # [m]
    turn: Quaternion = NO_TURN


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One visible solid. Cylinders and capsules stand along z, about the origin."""

    kind: str  # box, sphere, cylinder, capsule, ellipsoid, or mesh
    size: tuple[
        float, ...
    ] = ()  # [m] box: whole edges; sphere: radius; cylinder, capsule: radius, length; ellipsoid: radii
    pose: Pose = field(default_factory=Pose)
    color: tuple[float, float, float, float] = GREY
    file: Path | None = None  # of a mesh
    scale: Vector = (1.0, 1.0, 1.0)  # of the file
    vertices: FloatArray | None = None  # (v, 3) [m], of a mesh without a file
    faces: Array | None = None  # (f, 3) whole numbers


@dataclass(frozen=True, kw_only=True)
class DrawnJoint:
    """How a body moves against what carries it."""

    name: str
    kind: str  # HINGE or SLIDE
    axis: Vector  # unit vector, in the frame of the body
    anchor: Vector = (0.0, 0.0, 0.0)  # [m] point of the body that a hinge leaves where it is
    zero: float = 0.0  # [rad or m] position at which the body stands as `at_rest` says
    multiplier: float = 1.0  # of a joint that mimics `name`
    offset: float = 0.0  # [rad or m] likewise


@dataclass(frozen=True, kw_only=True)
class DrawnBody:
    """A rigid part."""

    name: str
    parent: int  # place in `Drawing.bodies`, before its own; -1: the world
    at_rest: Pose = field(default_factory=Pose)  # seen from the parent, its joints at zero
    joints: tuple[DrawnJoint, ...] = ()  # applied one after the other
    shapes: tuple[Shape, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A machine to be drawn."""

    bodies: tuple[DrawnBody, ...]


def local_pose(body: DrawnBody, positions: Mapping[str, float]) -> Pose:
    """Where `body` is, seen from its parent, at joint `positions` [rad or m]; one that is not named is at its zero."""
    place, turn = np.asarray(body.at_rest.position), body.at_rest.turn
    for joint in body.joints:
        moved = joint.multiplier * positions.get(joint.name, joint.zero) + joint.offset - joint.zero
        if joint.kind == SLIDE:
            place = place + rotated(turn, np.multiply(moved, joint.axis))
        else:
            anchor = place + rotated(turn, joint.anchor)
            turn = product(turn, about(joint.axis, moved))
            place = anchor - rotated(turn, joint.anchor)
    x, y, z = place.tolist()
    return Pose(position=(x, y, z), turn=turn)


def world_poses(drawing: Drawing, positions: Mapping[str, float]) -> dict[str, Pose]:
    """Where each body is in the world, at joint `positions` [rad or m]."""
    found: list[Pose] = []
    for body in drawing.bodies:
        own = local_pose(body, positions)
        if body.parent >= 0:
            above = found[body.parent]
            x, y, z = (np.asarray(above.position) + rotated(above.turn, own.position)).tolist()
            own = Pose(position=(x, y, z), turn=product(above.turn, own.turn))
        found.append(own)
    return {body.name: pose for body, pose in zip(drawing.bodies, found, strict=True)}


def product(first: Quaternion, second: Quaternion) -> Quaternion:
    """The turn that does `second` in the frame that `first` has turned."""
    a, b, c, d = first
    e, f, g, h = second
    return (
        a * e - b * f - c * g - d * h,
        a * f + b * e + c * h - d * g,
        a * g - b * h + c * e + d * f,
        a * h + b * g - c * f + d * e,
    )


def about(axis: Vector, angle: float) -> Quaternion:
    """A turn by `angle` [rad] about a unit vector."""
    half = float(np.sin(angle / 2.0))
    return float(np.cos(angle / 2.0)), half * axis[0], half * axis[1], half * axis[2]


def rotated(turn: Quaternion, vector: Vector | FloatArray) -> FloatArray:
    """`vector` v, (3,), turned by q: q (0, v) q*."""
    a, b, c, d = turn
    _, *turned = product(product(turn, (0.0, *vector)), (a, -b, -c, -d))
    return np.asarray(turned)


def from_roll_pitch_yaw(roll: float, pitch: float, yaw: float) -> Quaternion:
    """The turn that URDF means: about the fixed x, then y, then z [rad]."""
    return product(product(about((0.0, 0.0, 1.0), yaw), about((0.0, 1.0, 0.0), pitch)), about((1.0, 0.0, 0.0), roll))
