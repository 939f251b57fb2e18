"""Show in RViz how joint states move a robot: those of a training, or of a real one. Starts no node of ours.

`ros2 launch sac_control view.launch.py --show-args` lists the arguments.
"""

import os
import sys
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_prefix, get_package_share_directory
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, OpaqueFunction, Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from sac_control.cli.robot_view import ARGUMENTS, robot_view
from sac_control.errors import ConfigError
from sac_control.option import suggest
from sac_control.system.reach import reach


def generate_launch_description() -> LaunchDescription:
    """Called by `ros2 launch`."""
    declared = [
        DeclareLaunchArgument(
            each.name, description=each.help, default_value=each.default, choices=list(each.choices) or None
        )
        for each in ARGUMENTS
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=_nodes)])


def _nodes(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    _check_names(context.argv)
    robot, namespace, gui, config, network = (
        LaunchConfiguration(argument.name).perform(context) for argument in ARGUMENTS
    )
    description = robot_view(robot)
    config = config or str(Path(get_package_share_directory("sac_control"), "config", "view.rviz"))
    common = {
        "namespace": f"/{namespace.strip('/')}",
        "additional_env": reach(context.environment, network=network == "true"),
        "output": "screen",
    }
    # Frames stay in the namespace: a simulated cart must not move the real robot's, which has the same name.
    frames = [("/tf", "tf"), ("/tf_static", "tf_static")]
    # Sliders have a topic of their own: on joint_states they would be states that a policy answers.
    joints = [("joint_states", "slider_joint_states")] if gui == "true" else []
    nodes = [
        Node(
            **_executable("robot_state_publisher"),
            parameters=[{"robot_description": ParameterValue(description.urdf, value_type=str)}],
            remappings=[*frames, *joints],
            **common,
        ),
        Node(
            **_executable("rviz2"),
            arguments=["-d", config, "-f", description.root],
            remappings=[*frames, ("/robot_description", "robot_description")],
            on_exit=Shutdown(reason="RViz was closed"),
            **common,
        ),
    ]
    if gui == "true":
        nodes.append(Node(**_executable("joint_state_publisher_gui"), remappings=joints, **common))
    return nodes


def _check_names(given: list[str]) -> None:
    """Refuse an argument that does not exist: launch itself would ignore it."""
    if not any(Path(word).name == Path(__file__).name for word in sys.argv):
        return  # included by another file, which has arguments of its own
    names = [argument.name for argument in ARGUMENTS]
    for name in (word.partition(":=")[0] for word in given):
        if name not in names and not name.startswith("launch-prefix"):  # which are arguments of launch itself
            raise ConfigError(f"launch argument {name!r} is not known; {suggest(name, names)}")


def _executable(package: str) -> dict[str, str]:
    """Each of these packages has one executable, of the same name."""
    try:
        get_package_prefix(package)
    except PackageNotFoundError:
        name = f"ros-{os.environ.get('ROS_DISTRO', 'DISTRO')}-{package.replace('_', '-')}"
        raise ConfigError(f"{package} is not installed: sudo apt install {name}") from None
    return {"package": package, "executable": package}
