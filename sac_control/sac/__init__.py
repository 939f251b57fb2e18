"""Soft Actor-Critic. Needs torch; knows nothing of ROS, of physics or of files.

A map, from the outside in::

    training.py       Training: a whole run's learning - transitions in, updates at a set ratio, weights out
      arrivals.py       which transitions came twice or never
      episodes.py       returns of whole episodes
      replay_buffer.py  transitions kept for replay
      learner.py        SoftActorCritic: one update on one page
      fast_update.py    the same update with gradients derived by hand, for the CPU
        losses.py         the equations
        networks.py       actor and twin critics
          squashed_gaussian.py  the actor's distribution
          parameters.py         network parameters in one flat vector
        adam.py           the optimiser
        normaliser.py     running mean and deviation of observations
"""
