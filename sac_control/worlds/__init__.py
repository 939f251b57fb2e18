"""Physics: commands in, joint states out. Knows no rewards, no episodes, no Gymnasium and no ROS.

world.py       the interface, which every world's contract test is about
catalogue.py   worlds by name, others' packages included: make_world
drive_model.py what drives make of commands where they differ from their description, for every engine
survey.py      what a robot description says of its joints and masses; mujoco_survey.py reads MJCF
drawing.py     what a robot looks like and how it moves, for whoever draws it; mujoco_drawing.py reads MJCF
pybullet_world.py, with pybullet_plant.py (what can vary), pybullet_window.py, pybullet_picture.py, pybullet_module.py
mujoco_world.py, with mujoco_plant.py, mujoco_window.py and mujoco_picture.py
native_output.py  what compiled code prints by itself, led elsewhere
"""
