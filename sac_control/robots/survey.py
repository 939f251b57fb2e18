"""What a robot description says of its joints and moving bodies. Reads URDF; of MJCF an engine knows more."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from sac_control.errors import ConfigError
from sac_control.robots.description import Description, moving_joints
from sac_control.types import JOINT_INTERFACES, FloatArray

HINGE, SLIDE = "hinge", "slide"
_UNITS = {"effort": ("N m", "N"), "velocity": ("rad/s", "m/s"), "position": ("rad", "m")}  # of hinges and slides
_KINDS = {"continuous": HINGE, "revolute": HINGE, "prismatic": SLIDE}


@dataclass(frozen=True, kw_only=True)
class SurveyedJoint:
    """A joint of one degree of freedom."""

    name: str
    kind: str  # HINGE or SLIDE
    range: tuple[float, float] | None  # of its position [rad or m]; None: it moves without end
    max_effort: float | None = None  # that its drive can give [N m or N]; None: the description does not say
    max_velocity: float | None = None  # [rad/s or m/s]
    interface: str = ""  # of its drive: effort, velocity or position; empty: it has none that the description names
    command_limit: float | None = None  # of the drive, both ways [unit of the interface]

    @property
    def is_continuous(self) -> bool:
        """Whether it turns for ever."""
        return self.kind == HINGE and self.range is None

    def unit(self, interface: str) -> str:
        """The unit of its commands by `interface`, or of its position."""
        return _UNITS[interface][self.kind == SLIDE]


@dataclass(frozen=True, kw_only=True)
class SurveyedBody:
    """All that is fixed to one moving joint: what the joint moves, without the joints behind it."""

    name: str
    joint: str  # that moves it; empty where it moves freely
    mass: float  # [kg]
    inertias: tuple[tuple[str, float, FloatArray], ...]  # of each of its links: name, mass, (3, 3) [kg m²]


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What a robot description says."""

    path: Path
    joints: tuple[SurveyedJoint, ...]  # in the order of the file
    bodies: tuple[SurveyedBody, ...]
    unusable: tuple[tuple[str, str], ...] = ()  # names and types of joints that no joint state describes: floating

    @property
    def driven(self) -> tuple[SurveyedJoint, ...]:
        """The joints that have a drive."""
        return tuple(joint for joint in self.joints if joint.interface)


def survey_urdf(description: Description) -> Survey:
    """What the URDF `description` says.

    Drives are the command interfaces under ``<ros2_control>``; where there are none, the joints of ``<transmission>``;
    where there are none of them, too, the joints that have a limit of effort.

    Raises:
        ConfigError: a number in it is none.
    """
    root, path = description.root, description.path
    moving = list(moving_joints(root))
    usable = [joint for joint in moving if joint.get("type") in _KINDS]
    interfaces = _interfaces(root, usable, path)
    return Survey(
        path=path,
        joints=tuple(_joint(each, interfaces.get(each.get("name", "")), path) for each in usable),
        bodies=tuple(_body(joint, root, path) for joint in moving),
        unusable=tuple((j.get("name", ""), j.get("type", "")) for j in moving if j.get("type") not in _KINDS),
    )


def _joint(joint: Element, drive: tuple[str, float | None] | None, path: Path) -> SurveyedJoint:
    kind, limit = joint.get("type", ""), joint.find("limit")
    ends = None
    if kind != "continuous" and limit is not None and (limit.get("lower") or limit.get("upper")):
        ends = _number(limit, "lower", path), _number(limit, "upper", path)
    most = {key: _number(limit, key, path) if limit is not None else 0.0 for key in ("effort", "velocity")}
    max_effort, max_velocity = (value if 0.0 < value < math.inf else None for value in most.values())
    interface, command_limit = drive or ("", None)
    if command_limit is None:
        farthest = max(map(abs, ends)) if ends else None
        command_limit = {"effort": max_effort, "velocity": max_velocity, "position": farthest}.get(interface)
    return SurveyedJoint(
        name=joint.get("name", ""),
        kind=_KINDS[kind],
        range=ends,
        max_effort=max_effort,
        max_velocity=max_velocity,
        interface=interface,
        command_limit=command_limit,
    )


def _interfaces(root: Element, joints: list[Element], path: Path) -> dict[str, tuple[str, float | None]]:
    """Joint -> interface of its drive, and the limit that is written beside it."""
    names = [joint.get("name", "") for joint in joints]
    found: dict[str, tuple[str, float | None]] = {}
    for joint in root.findall("ros2_control/joint"):
        offered = {each.get("name", ""): each for each in joint.findall("command_interface")}
        chosen = next((interface for interface in JOINT_INTERFACES if interface in offered), None)
        if chosen and joint.get("name") in names:
            found.setdefault(joint.get("name", ""), (chosen, _command_limit(offered[chosen], path)))
    if found:
        return found
    for joint in root.findall("transmission/joint"):
        words = " ".join((each.text or "") for each in joint.findall("hardwareInterface")).lower()
        chosen = next((interface for interface in JOINT_INTERFACES if interface in words), "effort")
        if joint.get("name") in names:
            found.setdefault(joint.get("name", ""), (chosen, None))
    if found:
        return found
    with_effort = [joint for joint in joints if (limit := joint.find("limit")) is not None and _has_effort(limit, path)]
    return {joint.get("name", ""): ("effort", None) for joint in with_effort}


def _has_effort(limit: Element, path: Path) -> bool:
    return _number(limit, "effort", path) > 0.0


def _command_limit(interface: Element, path: Path) -> float | None:
    """The largest command both ways that lies between the interface's min and max."""
    ends = {param.get("name"): param for param in interface.findall("param") if param.get("name") in ("min", "max")}
    values = [_parsed(param.text or "", f"param {name}", path) for name, param in ends.items()]
    values = [abs(value) for value in values if math.isfinite(value) and value]
    return min(values) if len(values) == 2 else None


def _body(joint: Element, root: Element, path: Path) -> SurveyedBody:
    child = _link_of(joint, "child")
    links = _fixed_to(child, root)
    inertias = tuple(filter(None, (_inertia(link, path) for link in links)))
    return SurveyedBody(
        name=child, joint=joint.get("name", ""), mass=sum(mass for _, mass, _ in inertias), inertias=inertias
    )


def _fixed_to(name: str, root: Element) -> Iterator[Element]:
    """The link `name` and all links that fixed joints hang to it."""
    yield from (link for link in root.findall("link") if link.get("name") == name)
    for joint in root.findall("joint"):
        if joint.get("type") == "fixed" and _link_of(joint, "parent") == name:
            yield from _fixed_to(_link_of(joint, "child"), root)


def _link_of(joint: Element, role: str) -> str:
    element = joint.find(role)
    return "" if element is None else element.get("link", "")


def _inertia(link: Element, path: Path) -> tuple[str, float, FloatArray] | None:
    mass, inertia = link.find("inertial/mass"), link.find("inertial/inertia")
    if mass is None:
        return None
    matrix: FloatArray = np.zeros((3, 3))
    if inertia is not None:
        xx, xy, xz, yy, yz, zz = (_number(inertia, key, path) for key in ("ixx", "ixy", "ixz", "iyy", "iyz", "izz"))
        matrix = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    return link.get("name", ""), _number(mass, "value", path), matrix


def _number(element: Element, key: str, path: Path) -> float:
    return _parsed(element.get(key, "0"), f"{key} of <{element.tag}>", path)


def _parsed(text: str, what: str, path: Path) -> float:
    try:
        return float(text)
    except ValueError:
        raise ConfigError(f"{what} in {path} is {text!r}: expected a number") from None
