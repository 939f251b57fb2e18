"""The disk: everything a training leaves behind. Knows nothing of ROS, of algorithms or of physics.

run_store.py      all that one training writes, and what is done when the disk fails
score.py          how good a policy is, in an order
run_directory.py  where a run's files are; one writer at a time
atomic.py         files that are whole or not there
writing.py        writing that may fail, without an end to training
checkpoints.py    checkpoints that are whole or not there, the newest and the best of them
replay_log.py     keeps the replay buffer on disk a fraction of a second behind the one in memory
replay_file.py    its rows in a file, appended to, each with its checksum
tail.py           a table that is still written, read as it grows
where.py          where the nodes of a run speak, and whether it is being written
table.py          tables of numbers as CSV files
columns.py        what those of metrics.csv are called
metrics.py        scalars over time, as CSV and as TensorBoard events
curve.py png.py   the picture of a run, and pictures as PNG files
comparison.py     runs and seeds beside each other
page.py           one HTML page that needs nothing else
"""
