"""What learns: transitions in, a better actor out. Knows nothing of ROS, of physics or of files.

A map, from the outside in::

    catalogue.py         algorithms by name, of other packages, too
    algorithm.py         the interface of an algorithm, and of its settings
    off_policy.py off_policy_config.py    learning from a replay buffer, whatever an update is
      replay_buffer.py     transitions kept for replay, and their mirror images
      mixed_in.py          transitions of others, as a share of each batch
      replay_ratio.py      how many updates are owed
      actor_average.py     what is published once the task was solved
      learner.py           what makes the updates: batches in, a better actor out
        layout.py            where parameters lie in one flat vector, and how they begin
        normaliser.py        running mean and deviation of observations
    transition_check.py  whether a transition can be learnt from
    torch_presence.py    whether torch and a GPU are there
    sac/                 Soft Actor-Critic
    sac_v1/              the same as it was first published
    trpo/                Trust Region Policy Optimisation, on-policy
"""
