"""The plant in pybullet: one function for each field that varies, which looks after all that depends on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sac_control.variation.fields import Quantity
from sac_control.worlds.pybullet_module import pybullet

_JOINT_DAMPING, _LIMITS, _PARENT = 6, slice(8, 10), 16  # places in pybullet's getJointInfo


@dataclass(frozen=True, kw_only=True)
class Inertia:
    """Of one link."""

    mass: float  # [kg]
    diagonal: tuple[float, float, float]  # [kg m²] about its principal axes


def inertias(client: int, body: int) -> list[Inertia]:
    """Those of all links, by the index of the joint that each hangs on."""
    count = pybullet.getNumJoints(body, physicsClientId=client)
    infos = [pybullet.getDynamicsInfo(body, link, physicsClientId=client) for link in range(count)]
    return [Inertia(mass=info[0], diagonal=tuple(info[2])) for info in infos]


def change_plant(
    client: int,
    body: int,
    joints: Mapping[str, int],
    described: list[Inertia],
    gravity: float,
    air_damping: float,
    variation: Mapping[Quantity, float],
) -> None:
    """Let a machine that was loaded just now differ by `variation`.

    Args:
        client, body: the engine and the machine in it, whose links have their lengths already.
        joints: index of each joint.
        described: inertias of the links as described: what was stretched may have become heavier.
        gravity: [m/s²].
        air_damping: linear and angular, of every link, as described [1/s].
        variation: what differs, which was checked.
    """
    masses, factors = [1.0] * len(described), [1.0] * len(described)
    for (field, of), value in variation.items():
        for link in _link(client, body, joints[of]) if field in ("mass", "inertia", "length") else ():
            masses[link] *= value if field == "mass" else 1.0
            factors[link] *= value**2 if field == "length" else value
    for link, (each, mass, factor) in enumerate(zip(described, masses, factors, strict=True)):
        if (mass, factor) != (1.0, 1.0):
            _set_inertia(client, body, link, each, mass, factor)
    setters: dict[str, Callable[[int, int, int, float], None]] = {
        "travel": _set_travel,
        "damping": _set_damping,
        "friction": _set_friction,
    }
    for (field, of), value in variation.items():
        if field in setters:
            setters[field](client, body, joints[of], value)
        if field == "gravity_tilt":
            _set_tilt(client, gravity, value)
        if field == "air_damping":
            _set_air(client, body, air_damping * value)


def _link(client: int, body: int, joint: int) -> Iterator[int]:
    """The link that `joint` moves, and all that is fixed to it. A link has the index of its joint."""
    link = {joint}
    yield joint
    for index in range(joint + 1, pybullet.getNumJoints(body, physicsClientId=client)):
        info = pybullet.getJointInfo(body, index, physicsClientId=client)
        if info[_PARENT] in link and info[2] == pybullet.JOINT_FIXED:
            link.add(index)
            yield index


def _set_inertia(client: int, body: int, link: int, described: Inertia, mass: float, factor: float) -> None:
    """In one call: that of the mass alone makes up an inertia."""
    diagonal = [factor * moment for moment in described.diagonal]
    pybullet.changeDynamics(
        body, link, mass=mass * described.mass, localInertiaDiagonal=diagonal, physicsClientId=client
    )


def _set_travel(client: int, body: int, joint: int, factor: float) -> None:
    lower, upper = pybullet.getJointInfo(body, joint, physicsClientId=client)[_LIMITS]
    if lower < upper:  # otherwise there is no end
        pybullet.changeDynamics(
            body, joint, jointLowerLimit=factor * lower, jointUpperLimit=factor * upper, physicsClientId=client
        )


def _set_damping(client: int, body: int, joint: int, amount: float) -> None:
    described = pybullet.getJointInfo(body, joint, physicsClientId=client)[_JOINT_DAMPING]
    pybullet.changeDynamics(body, joint, jointDamping=described + amount, physicsClientId=client)


def _set_friction(client: int, body: int, joint: int, amount: float) -> None:
    """A motor that holds the joint still with no more than that; forces come beside it."""
    pybullet.setJointMotorControl2(
        body, joint, pybullet.VELOCITY_CONTROL, targetVelocity=0.0, force=amount, physicsClientId=client
    )


def _set_air(client: int, body: int, damping: float) -> None:
    for link in range(-1, pybullet.getNumJoints(body, physicsClientId=client)):
        pybullet.changeDynamics(body, link, linearDamping=damping, angularDamping=damping, physicsClientId=client)


def _set_tilt(client: int, gravity: float, angle: float) -> None:
    """Gravity as a base sees it that was turned about y: its x axis points down a little."""
    pybullet.setGravity(gravity * math.sin(angle), 0, -gravity * math.cos(angle), physicsClientId=client)
