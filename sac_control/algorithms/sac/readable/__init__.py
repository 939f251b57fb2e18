"""The algorithm readably, by autograd: what the compiled updates are held equal to. Needs torch.

soft_actor_critic.py      one update on one page: start here
sac_v1.py                 the algorithm as first published, with its losses
losses.py                 the equations of both that are alike, and those of the second
networks.py               actor, twin critics, value
  squashed_gaussian.py      the actor's distribution
  state_dependent_actor.py  an actor that explores by a matrix over its features
  parameters.py             network parameters in one flat vector
adam.py                   the optimiser
torch_learner.py          what both algorithms share
  tensors.py                a batch as tensors, normalised
  cuda_graph.py             updates as replays of graphs, on a GPU
device_replay.py          a replay buffer on the learner's device
"""
