"""Physics: commands in, joint states out. Knows no rewards, no episodes, no Gymnasium and no ROS.

world.py       the interface, which every world's contract test is about
catalogue.py   worlds by name, others' packages included: make_world
survey.py      what an engine knows of a robot description, by mujoco_survey.py
pybullet_world.py, with pybullet_window.py and pybullet_picture.py
survey.py      what a robot description says of its joints and masses; mujoco_survey.py reads MJCF
mujoco_world.py, with mujoco_window.py and mujoco_picture.py
"""
