"""Soft Actor-Critic; needs torch only in readable/.

A map, from the outside in::

    sac_config.py        hyperparameters
    choice.py            which learner a configuration asks for
    readable/            the algorithm readably, with torch: start at readable/soft_actor_critic.py
    native_learner.py    the same numbers several times as fast, by
    native/              a C++ library: start at update.cpp
"""
