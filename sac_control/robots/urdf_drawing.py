"""The drawing of a robot that is described by URDF. Knows no engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from sac_control.errors import ConfigError
from sac_control.robots.description import Description
from sac_control.robots.drawing import (
    GREY,
    HINGE,
    SLIDE,
    Drawing,
    DrawnBody,
    DrawnJoint,
    Pose,
    Shape,
    Vector,
    from_roll_pitch_yaw,
)

_SIZES = {"box": ("size",), "sphere": ("radius",), "cylinder": ("radius", "length"), "capsule": ("radius", "length")}
_KINDS = {"revolute": HINGE, "continuous": HINGE, "prismatic": SLIDE}


def draw_urdf(description: Description) -> Drawing:
    """What the URDF `description` shows: its visual shapes, or those of collision where a robot has no others.

    Raises:
        ConfigError: a number in it is none.
    """
    root = description.root
    colors = {each.get("name", ""): _color(each) for each in root.findall("material")}
    role = "visual" if root.find("link/visual") is not None else "collision"
    try:
        return Drawing(bodies=tuple(_bodies(root, role, colors)))
    except ValueError as error:
        raise ConfigError(f"robot description {description.path} cannot be drawn: {error}") from None


def _bodies(root: ElementTree.Element, role: str, colors: dict[str, tuple[float, ...] | None]) -> Iterator[DrawnBody]:
    """Each link, after the one that carries it."""
    above = {_link(joint, "child"): joint for joint in root.findall("joint")}
    links = {link.get("name", ""): link for link in root.findall("link")}
    places: dict[str, int] = {}
    waiting = [name for name in links if name not in above]
    while waiting:
        name = waiting.pop(0)
        joint = above.get(name)
        places[name] = len(places)
        yield DrawnBody(
            name=name,
            parent=-1 if joint is None else places[_link(joint, "parent")],
            at_rest=Pose() if joint is None else _pose(joint),
            joints=() if joint is None else _joints(joint),
            shapes=tuple(shape for each in links[name].findall(role) for shape in _shapes(each, colors)),
        )
        waiting += [child for child, each in above.items() if _link(each, "parent") == name]


def _joints(joint: ElementTree.Element) -> tuple[DrawnJoint, ...]:
    kind = _KINDS.get(joint.get("type", ""))
    if kind is None:
        return ()  # fixed; floating and planar joints have no position that a joint state could hold
    axis = np.asarray(_numbers(joint.find("axis"), "xyz", (1.0, 0.0, 0.0)))
    x, y, z = (axis / (np.linalg.norm(axis) or 1.0)).tolist()
    mimic = joint.find("mimic")
    return (
        DrawnJoint(
            name=joint.get("name", "") if mimic is None else mimic.get("joint", ""),
            kind=kind,
            axis=(x, y, z),
            multiplier=1.0 if mimic is None else float(mimic.get("multiplier", "1")),
            offset=0.0 if mimic is None else float(mimic.get("offset", "0")),
        ),
    )


def _shapes(element: ElementTree.Element, colors: dict[str, tuple[float, ...] | None]) -> Iterator[Shape]:
    geometry, material = element.find("geometry"), element.find("material")
    color = None if material is None else _color(material) or colors.get(material.get("name", ""))
    r, g, b, a = color or GREY
    pose = _pose(element)
    for solid in geometry if geometry is not None else ():
        if solid.tag == "mesh":
            file, scale = Path(solid.get("filename", "")), _numbers(solid, "scale", (1.0, 1.0, 1.0))
            yield Shape(kind="mesh", file=file, scale=scale, pose=pose, color=(r, g, b, a))
        elif solid.tag in _SIZES:
            yield Shape(kind=solid.tag, size=_size(solid), pose=pose, color=(r, g, b, a))


def _size(solid: ElementTree.Element) -> tuple[float, ...]:
    names = _SIZES[solid.tag]
    return tuple(float(text) for name in names for text in solid.get(name, "0").split())


def _pose(element: ElementTree.Element) -> Pose:
    origin = element.find("origin")
    return Pose(position=_numbers(origin, "xyz"), turn=from_roll_pitch_yaw(*_numbers(origin, "rpy")))


def _numbers(element: ElementTree.Element | None, name: str, default: Vector = (0.0, 0.0, 0.0)) -> Vector:
    text = None if element is None else element.get(name)
    if text is None:
        return default
    x, y, z = map(float, text.split())
    return x, y, z


def _color(material: ElementTree.Element) -> tuple[float, ...] | None:
    color = material.find("color")
    values = () if color is None else tuple(map(float, color.get("rgba", "").split()))
    return values if len(values) == 4 else None


def _link(joint: ElementTree.Element, role: str) -> str:
    element = joint.find(role)
    return "" if element is None else element.get("link", "")
