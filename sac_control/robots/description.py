"""A robot's description, found by a task or a file and made ready for robot_state_publisher. Knows no ROS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from sac_control.errors import ConfigError
from sac_control.option import suggest

FOLDER = Path(__file__).parent
FILES = {  # name of a task -> the file with its robot
    "inverted_pendulum": FOLDER / "cart_pole.urdf",
    "inverted_pendulum_swingup": FOLDER / "cart_pole.urdf",
    "inverted_double_pendulum": FOLDER / "cart_two_poles.urdf",
}
_XACRO = "{http://www.ros.org/wiki/xacro}"


@dataclass(frozen=True, kw_only=True)
class Description:
    """A robot as URDF."""

    urdf: str  # XML, meshes by package:// or file://
    root: str  # name of the link that has no parent: the fixed frame


def read_description(robot: str) -> Description:
    """The description of a built-in task's robot, or of a URDF file.

    Args:
        robot: a task's name, or a path.

    Raises:
        ConfigError: there is no such task or file, or it cannot be read as URDF.
    """
    path = FILES.get(robot, Path(robot).absolute())
    try:
        document = ElementTree.fromstring(path.read_bytes())
    except FileNotFoundError:
        looks_like_path = "/" in robot or "." in robot
        hint = "expected a URDF file" if looks_like_path else f"{suggest(robot, FILES)} Or give the path of a URDF file"
        raise ConfigError(f"robot {robot!r} is not there: {hint}") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except ElementTree.ParseError as error:
        raise ConfigError(f"{path} is no XML: {error}") from None
    if document.tag != "robot":
        raise ConfigError(f"{path} begins with <{document.tag}>: expected a URDF file, which begins with <robot>")
    if any(element.tag.startswith(_XACRO) for element in document.iter()):
        raise ConfigError(f"{path} holds xacro: expand it (xacro {path.name} > robot.urdf) and give the result")
    return Description(urdf=_with_absolute_meshes(document, path.parent), root=_root(document, path))


def _root(document: ElementTree.Element, path: Path) -> str:
    children = {child.get("link") for child in document.iterfind("joint/child")}
    roots = [name for link in document.iterfind("link") if (name := link.get("name", "")) not in children]
    if len(roots) != 1:
        found = ", ".join(roots) or "none"
        raise ConfigError(f"{path} has {len(roots)} links without a parent ({found}): expected one, the robot's base")
    return roots[0]


def _with_absolute_meshes(document: ElementTree.Element, folder: Path) -> str:
    """Physics engines find a mesh beside the URDF; RViz, which is given text, does not."""
    for mesh in document.iter("mesh"):
        file = mesh.get("filename", "")
        if "://" not in file:
            mesh.set("filename", (folder / file).as_uri())
    return ElementTree.tostring(document, encoding="unicode")
