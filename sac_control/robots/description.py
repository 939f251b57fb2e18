"""Robot description files: found, expanded and checked before a physics engine sees them. Knows no engine.

An engine's own complaints about a file name neither the file nor the remedy; some files it loads without a word and
simulates something else (a leftover ``<xacro:…>`` element, a second root link).
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from sac_control.errors import ConfigError

URDF, MJCF = "urdf", "mjcf"
_XACRO = "{http://www.ros.org/wiki/xacro}"


@dataclass(frozen=True, kw_only=True)
class Description:
    """A robot description that was read."""

    path: Path  # of the file
    kind: str  # URDF or MJCF
    text: str  # its XML; of URDF with xacro expanded and absolute paths of meshes
    is_changed: bool = False  # the text is not what the file says

    @property
    def root(self) -> ElementTree.Element:
        """Its XML, parsed anew."""
        return ElementTree.fromstring(self.text)


def locate(reference: str, folder: Path) -> Path:
    """The absolute path that `reference` means: a path, from `folder` where relative, or ``package://name/path``.

    A package is a ROS package or, where there is none of the name, an installed Python package. Without a name, as CAD
    exporters write it (``package:///arm.stl``), it is the folder.

    Raises:
        ConfigError: the package is not installed. Whether the file exists is not looked at.
    """
    if not reference.startswith("package://"):
        return (folder / Path(reference.removeprefix("file://")).expanduser()).resolve()
    name, _, inside = reference.removeprefix("package://").partition("/")
    if not name:
        return (folder / inside).resolve()
    for prefix in filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)):
        share = Path(prefix, "share", name)
        if share.is_dir():
            return share / inside
    spec = importlib.util.find_spec(name) if name.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(
            f"{reference!r} names the package {name!r}, which is not installed: source its workspace "
            f"(source install/setup.bash) or install it (apt install ros-$ROS_DISTRO-{name.replace('_', '-')})"
        )
    return Path(next(iter(spec.submodule_search_locations))) / inside


def read_description(path: Path) -> Description:
    """Read the robot description in the file `path`, URDF, xacro or MJCF.

    Raises:
        ConfigError: there is no such file, it is no robot description, a mesh is missing, or its joints form no tree.
    """
    if not path.is_file():
        raise ConfigError(f"there is no robot description {path}: check the path under robot:")
    text = _expanded(path) if path.suffix == ".xacro" else _text(path)
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ConfigError(f"robot description {path} is not XML: {error}") from None
    if root.tag == "mujoco":
        return Description(path=path, kind=MJCF, text=text)
    if root.tag != "robot":
        raise ConfigError(
            f"robot description {path} begins with <{root.tag}>: expected <robot> (URDF) or <mujoco> (MJCF)"
        )
    if any(element.tag.startswith(_XACRO) for element in root.iter()):
        raise ConfigError(
            f"robot description {path} has xacro commands: give it the suffix .xacro to have them expanded"
        )
    _check_tree(path, root)
    for mesh in root.iter("mesh"):
        mesh.set("filename", str(_mesh(mesh.get("filename", ""), path)))
    return Description(path=path, kind=URDF, text=ElementTree.tostring(root, encoding="unicode"))


def moving_joints(root: ElementTree.Element) -> Iterator[ElementTree.Element]:
    """The joints of a URDF that move, in the order of the file."""
    return (joint for joint in root.findall("joint") if joint.get("type") != "fixed")


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"robot description {path} cannot be read: {error}") from None


def _expanded(path: Path) -> str:
    tool = shutil.which("xacro")
    if tool is None:
        raise ConfigError(
            f"{path} needs the tool xacro, which is not installed: apt install ros-$ROS_DISTRO-xacro, or write the "
            f"robot description out elsewhere (xacro {path.name} > {path.stem}) and name that"
        )
    done = subprocess.run([tool, str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
        raise ConfigError(f"xacro cannot expand {path}: {reason}")
    return done.stdout


def _check_tree(path: Path, root: ElementTree.Element) -> None:
    """A URDF is a tree of links: each but one is the child of exactly one joint."""
    links = [link.get("name", "") for link in root.findall("link")]
    if not links:
        raise ConfigError(f"robot description {path} has no link: expected a robot")
    children: Counter[str] = Counter()
    for joint in root.findall("joint"):
        name = joint.get("name", "")
        for role in ("parent", "child"):
            element = joint.find(role)
            link = "" if element is None else element.get("link", "")
            if link not in links:
                raise ConfigError(
                    f"joint {name!r} in {path} has the {role} link {link!r}, which the file does not define"
                )
            children[link] += role == "child"
    twice = [link for link, count in children.items() if count > 1]
    roots = [link for link in links if not children[link]]
    looped = twice or _beyond(roots, root)
    if looped:
        raise ConfigError(
            f"link {looped[0]!r} in {path} closes a loop: a URDF is a tree, so cut the loop "
            "at one joint, or describe the robot in MJCF, whose equality constraints close loops in the engine mujoco"
        )
    if len(roots) > 1:
        raise ConfigError(f"{path} has {len(roots)} links without a parent ({', '.join(roots)}): expected one")
    doubled = [name for name, count in Counter(j.get("name", "") for j in root.findall("joint")).items() if count > 1]
    if doubled:
        raise ConfigError(f"{path} has several joints with the name {doubled[0]!r}: names must differ")


def _beyond(roots: list[str], root: ElementTree.Element) -> list[str]:
    """The links that no chain of joints leads to from `roots`: they are behind each other."""
    behind: dict[str, list[str]] = {}
    for joint in root.findall("joint"):
        parent, child = (element.get("link", "") for role in ("parent", "child") for element in joint.findall(role))
        behind.setdefault(parent, []).append(child)
    reached, waiting = set(roots), list(roots)
    while waiting:
        new = [child for child in behind.get(waiting.pop(), []) if child not in reached]
        reached.update(new)
        waiting += new
    return [name for link in root.findall("link") if (name := link.get("name", "")) not in reached]


def _mesh(reference: str, path: Path) -> Path:
    mesh = locate(reference, path.parent)
    if not mesh.is_file():
        raise ConfigError(f"robot description {path} names the mesh {reference!r}, and there is no file {mesh}")
    return mesh
