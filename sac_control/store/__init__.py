"""The disk: everything a training leaves behind. Knows nothing of ROS, of algorithms or of physics.

run_directory.py  where a run's files are; one writer at a time
atomic.py         files that are whole or not there
writing.py        writing that may fail, without an end to training
checkpoints.py    checkpoints that are whole or not there, the newest and the best of them
replay_file.py    the replay buffer on disk, appended to, each row with its checksum
table.py          tables of numbers as CSV files
metrics.py        scalars over time, as CSV and as TensorBoard events
curve.py          the picture of a run
"""
