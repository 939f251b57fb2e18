"""Robots as plain data: which machine a world must build. Knows no physics, no rewards and no ROS.

robot.py        the machine, its driven joints, its periods, and how it is looked at
description.py  robot description files: URDF, xacro and MJCF found, read and checked before an engine sees them
stretched.py    a description with longer or shorter links
engines.py      names of the physics engines
drawing.py      what a robot looks like and how it moves, to be drawn elsewhere; urdf_drawing.py reads it from a URDF
survey.py       what a URDF says of its joints, drives and masses
*.urdf          the built-in robots, for both engines, RViz and ros2_control
"""
