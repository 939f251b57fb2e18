"""Whether a task asks what its author means: the usual mistakes, found before a training is wasted on them.

task_check.py         all of it: `check_task`
finding.py            what is found: a level and a sentence with its remedy
description_check.py  what the robot description says beside what the task says
units_check.py        degrees for radians
start_check.py        starts that are failures already
trial.py              random episodes: what is seen, earned, and how they end
mirror_check.py       whether mirror images earn and do the same
"""
