"""The run directory: everything a training leaves behind. Knows nothing of ROS.

atomic.py         files that are whole or not there
config_file.py    the complete configuration of a run, as a ROS parameter file
parameter_file.py  ROS parameter files: what they say for which node
run_directory.py  where a run's files are; one writer at a time
checkpoints.py    checkpoints that are whole or not there, the newest and the best of them
replay_file.py    the replay buffer on disk, appended to, each row with its checksum
replay_log.py     keeps it a fraction of a second behind the buffer in memory
table.py          tables of numbers as CSV files
metrics.py        scalars over time, as CSV and as TensorBoard events
writing.py        writing that may fail, without an end to training
recorder.py       writes all of these for one training
training_run.py   one training from its first transition to its summary: what is due when
publication.py    the weights that a training publishes
report.py         what a training says of itself: status, verdict, summary
curve.py          the picture of a run
evaluation.py     deterministic episodes of a policy file, in a process of their own
starts.py         where the episodes of an evaluation begin
progress.py       the progress line
"""
