"""Descriptions of the built-in robots: URDF files, each with its joints for ros2_control. Installed in share/, too.

cart_pole.urdf         the robot of inverted_pendulum and inverted_pendulum_swingup
cart_two_poles.urdf    the robot of inverted_double_pendulum
description.py         a description by its task or file, ready for robot_state_publisher

They move in pybullet and in MuJoCo as pybullet's own models do, which the built-in tasks simulate: see docs/robots.md.
"""
