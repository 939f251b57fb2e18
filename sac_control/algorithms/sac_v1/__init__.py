"""Soft Actor-Critic as it was first published. Needs torch.

sac_v1_config.py    settings
"""
