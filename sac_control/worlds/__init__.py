"""Physics: commands in, joint states out. Knows no rewards, no episodes, no Gymnasium and no ROS.

pybullet_world.py    the machine simulated by pybullet
pybullet_window.py pybullet_picture.py    the physics shown, in a window or as an image
"""
