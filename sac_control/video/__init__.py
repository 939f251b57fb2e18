"""Videos of a policy at work, without a window. Knows neither ROS nor processes.

film.py      plays the first seconds of an episode, and takes pictures
label.py     writes time, version and command into a picture
encoding.py  a GIF by Pillow, or an MP4 by imageio-ffmpeg
"""
