"""Bags: recorded messages in MCAP files, in the form that `ros2 bag` reads. Knows no ROS node; needs no ROS to read.

bag_writer.py    writes a bag, so that a crash costs its last moments and no more
bag_metadata.py  the file metadata.yaml beside it
definitions.py   the text of a message type, with all that it consists of: a bag says itself what is in it
bag_reader.py    the messages of a bag, by type
recorded_transitions.py   its transitions, once each, as they were when they were live
"""
