"""Descriptions of the built-in robots: URDF files, each with its joints for ros2_control. Installed in share/, too.

They move in pybullet and in MuJoCo as pybullet's own models do, which the built-in tasks simulate: see docs/robots.md.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent

OF_TASK = {  # name of a task -> the file with its robot
    "inverted_pendulum": FOLDER / "cart_pole.urdf",
    "inverted_pendulum_swingup": FOLDER / "cart_pole.urdf",
    "inverted_double_pendulum": FOLDER / "cart_two_poles.urdf",
}
