"""Soft Actor-Critic; needs torch only in readable/.

A map, from the outside in::

    sac_config.py exploration_config.py    settings
    sac_learner.py       what both learners have
    readable/            the algorithm readably, with torch: start at readable/soft_actor_critic.py
    native_learner.py    the same numbers several times as fast, by
    native/              a C++ library: start at update.cpp
"""
