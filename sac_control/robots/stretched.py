"""A robot description with longer or shorter links. Knows no engine."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import NoReturn
from xml.etree import ElementTree

from sac_control.errors import ConfigError
from sac_control.robots.description import URDF, Description


def stretched(description: Description, factors: Mapping[str, float]) -> Description:
    """The description in which all that a joint moves is farther from it: the link, and where its next joints are.

    Masses and inertias stay what the description says, or what an engine makes of its shapes.

    Args:
        description: URDF or MJCF.
        factors: joint, by its name in the description, to how many times as far.

    Raises:
        ConfigError: a joint does not turn, or, in MJCF, turns about a point beside the origin of its body.
    """
    root = description.root
    for joint, factor in factors.items():
        if description.kind == URDF:
            _stretch_urdf(root, description, joint, factor)
        else:
            _stretch_mjcf(root, description, joint, factor)
    return dataclasses.replace(description, text=ElementTree.tostring(root, encoding="unicode"), is_changed=True)


def _stretch_urdf(root: ElementTree.Element, description: Description, name: str, factor: float) -> None:
    joint = root.find(f"joint[@name='{name}']")
    if joint is None or joint.get("type") not in ("revolute", "continuous"):
        _refuse(description, name)
    for link in _fixed_together(root, _link_of(joint, "child")):
        for part in root.findall(f"link[@name='{link}']/*"):
            for origin in part.findall("origin"):
                _scale(origin, "xyz", factor)
            for shape in part.findall("geometry/cylinder") + part.findall("geometry/capsule"):
                _scale(shape, "length", factor)
        for other in root.findall("joint"):
            if _link_of(other, "parent") == link:
                for origin in other.findall("origin"):
                    _scale(origin, "xyz", factor)


def _fixed_together(root: ElementTree.Element, link: str) -> Iterator[str]:
    yield link
    for joint in root.findall("joint[@type='fixed']"):
        if _link_of(joint, "parent") == link:
            yield from _fixed_together(root, _link_of(joint, "child"))


def _link_of(joint: ElementTree.Element, role: str) -> str:
    element = joint.find(role)
    return "" if element is None else element.get("link", "")


def _stretch_mjcf(root: ElementTree.Element, description: Description, name: str, factor: float) -> None:
    body = root.find(f".//body/joint[@name='{name}']/..")
    joint = None if body is None else body.find(f"joint[@name='{name}']")
    if body is None or joint is None or joint.get("type", "hinge") != "hinge":
        _refuse(description, name)
    if any(float(number) for number in joint.get("pos", "0").split()):
        raise ConfigError(
            f"joint {name!r} of {description.path} is not at the origin of its body: its link cannot be lengthened by "
            "pybullet; leave length out, or choose simulator.engine mujoco"
        )
    _stretch_body(body, factor)


def _stretch_body(body: ElementTree.Element, factor: float) -> None:
    for part in body:
        if part.tag in ("geom", "inertial", "site", "camera", "body"):
            _scale(part, "pos", factor)
            _scale(part, "fromto", factor)
        if part.tag == "body" and part.find("joint") is None:
            _stretch_body(part, factor)


def _scale(element: ElementTree.Element, attribute: str, factor: float) -> None:
    if text := element.get(attribute):
        element.set(attribute, " ".join(repr(factor * float(number)) for number in text.split()))


def _refuse(description: Description, joint: str) -> NoReturn:
    raise ConfigError(
        f"joint {joint!r} of {description.path} does not turn, so that its link has no length: leave it out"
    )
