"""The robot that view.launch.py shows: of a task, or of a URDF file. Needs no launch library."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from sac_control.cli.choice import YES_NO, Argument
from sac_control.errors import ConfigError
from sac_control.option import suggest
from sac_control.robots.description import URDF, read_description
from sac_control.tasks.catalogue import TASKS, is_file, make_robot_task
from sac_control.tasks.gymnasium_reference import is_gymnasium

VIEWED_ENGINE = "mujoco"  # whose descriptions of the built-in robots are URDF
ARGUMENTS = (  # of the launch file
    Argument(name="robot", help=f"{', '.join(TASKS)}, a task file, or a URDF", default="inverted_pendulum"),
    Argument(name="namespace", help="whose joint_states are shown", default="training"),
    Argument(
        name="joint_state_publisher_gui", help="move the joints by sliders instead", default="false", choices=YES_NO
    ),
    Argument(name="rviz_config", help="file for RViz; empty: view.rviz"),
    Argument(name="network", help="see nodes of other machines", default="false", choices=YES_NO),
)


@dataclass(frozen=True, kw_only=True)
class RobotView:
    """What robot_state_publisher and RViz are told."""

    urdf: str  # XML, meshes by file://
    root: str  # name of the link that has no parent: the fixed frame


def robot_view(robot: str) -> RobotView:
    """The robot of a task, by its name or file, or of the URDF or xacro file `robot`.

    Raises:
        ConfigError: there is no such task or file, or its robot is not described as URDF.
    """
    if robot in TASKS or is_file(robot) or is_gymnasium(robot):
        path = make_robot_task(robot).robot(VIEWED_ENGINE).description
    elif "/" in robot or "." in robot:
        path = Path(robot).expanduser().resolve()
    else:
        raise ConfigError(f"robot {robot!r} is not known; {suggest(robot, TASKS)}; or give a task file, or a URDF file")
    description = read_description(path)
    if description.kind != URDF:
        raise ConfigError(f"{path} is MJCF, which RViz cannot show: give a URDF of the robot")
    document = description.root
    for mesh in document.iter("mesh"):  # RViz is given text, and looks for nothing beside a file
        mesh.set("filename", Path(mesh.get("filename", "")).as_uri())
    children = {child.get("link") for child in document.iterfind("joint/child")}
    (root,) = (name for link in document.iterfind("link") if (name := link.get("name", "")) not in children)
    return RobotView(urdf=ElementTree.tostring(document, encoding="unicode"), root=root)
