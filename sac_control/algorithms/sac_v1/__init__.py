"""Soft Actor-Critic as it was first published, on what `sac/readable/` has. Needs torch.

sac_v1_config.py          settings
soft_actor_critic_v1.py   value network, losses, and one update on one page
"""
