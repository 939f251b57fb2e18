"""Drive a robot: the policy node alone, which reads joint_states and commands on effort_controller/commands.

That is velocity_controller/commands or position_controller/commands where the policy commands so.

`ros2 launch sac_control deploy.launch.py --show-args` lists the arguments.
"""

from launch import LaunchDescription

from sac_control.cli.launch_arguments import DEPLOY
from sac_control.cli.launch_files import launch_description


def generate_launch_description() -> LaunchDescription:
    """Called by `ros2 launch`."""
    return launch_description(DEPLOY)
