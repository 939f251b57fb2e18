"""The algorithm readably, with torch: the compiled updates are held equal to it, and know no GPU and no variants.

soft_actor_critic.py      one update on one page: start here
losses.py                 the equations
networks.py               actor and twin critics
  squashed_gaussian.py      the actor's distribution
  state_dependent_actor.py  an actor that explores by a matrix over its features
torch_learner.py          what it shares with the algorithm as first published (sac_v1)
  tensors.py                a batch as tensors, normalised
  arrays.py                 networks and optimisers as the vectors that are saved
"""
