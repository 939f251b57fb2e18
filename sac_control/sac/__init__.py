"""Soft Actor-Critic. Knows nothing of ROS, of physics or of files; needs torch only in reference/.

A map, from the outside in::

    sac_config.py        hyperparameters
    choice.py            which learner a configuration asks for
    replay_buffer.py     transitions kept for replay, and their mirror images
    learner.py           what every learner is: batches in, a better actor out
      layout.py            where parameters lie in one flat vector, and how they begin
      normaliser.py        running mean and deviation of observations
    reference/           the algorithm readably, with torch: start at reference/soft_actor_critic.py
    native_learner.py    the same numbers several times as fast, by
    native/              a C++ library: start at update.cpp
"""
