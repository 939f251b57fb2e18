"""What learns: transitions in, a better actor out. Knows nothing of ROS, of physics or of files.

A map, from the outside in::

    replay_buffer.py     transitions kept for replay, and their mirror images
    replay_ratio.py      how many updates are owed
    actor_average.py     what is published once the task was solved
    learner.py           what every learner is: batches in, a better actor out
      layout.py            where parameters lie in one flat vector, and how they begin
      normaliser.py        running mean and deviation of observations
    sac/                 Soft Actor-Critic
    sac_v1/              the same as it was first published
"""
