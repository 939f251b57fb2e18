"""Train until solved: learner, simulator and policy.

`ros2 launch sac_control train.launch.py --show-args` lists the arguments.
"""

from launch import LaunchDescription

from sac_control.cli.launch_arguments import TRAIN
from sac_control.cli.launch_files import launch_description


def generate_launch_description() -> LaunchDescription:
    """Called by `ros2 launch`."""
    return launch_description(TRAIN)
