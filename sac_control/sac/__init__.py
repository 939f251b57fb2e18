"""Soft Actor-Critic. Knows nothing of ROS, of physics or of files; needs torch only in reference/.

A map, from the outside in::

    training.py          Training: a whole run's learning - transitions in, updates at a set ratio, weights out
      arrivals.py          which transitions came twice or never
      episodes.py          returns of whole episodes
      replay_buffer.py     transitions kept for replay, and their mirror images
      choice.py            which learner a configuration asks for
      learner.py           what every learner is: batches in, a better actor out
        layout.py            where parameters lie in one flat vector, and how they begin
        normaliser.py        running mean and deviation of observations
      reference/           the algorithm readably, with torch: start at soft_actor_critic.py
      native_learner.py    the same numbers several times as fast, by
      native/              a C++ library: start at update.cpp
"""
