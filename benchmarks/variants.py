"""The algorithm variants that are compared: name, and the learner's settings that make it. A plain table.

A setting that this package does not have yet makes its variant "not available" in the report, and nothing else.
"""

from __future__ import annotations

from typing import Any

VARIANTS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "without mirror images": {"mirror": False},
    "correlated noise, 0.97 from the start": {"noise_correlation": 0.97},
    "1 update per transition": {"replay_ratio": 1.0},
    "2 updates per transition": {"replay_ratio": 2.0},
    "4 updates per transition": {"replay_ratio": 4.0},
    "policy delay 2": {"policy_delay": 2},
    "target update interval 2": {"target_update_interval": 2},
    "gradients clipped to norm 1": {"max_gradient_norm": 1.0},
    "SAC v1: value network, scaled rewards": {"algorithm": "sac_v1", "reward_scale": 5.0},
    "gSDE, drawn every 8 ticks": {"use_sde": True},
    "gSDE, drawn with each new policy": {"use_sde": True, "sde_sample_interval": -1},
    "fixed temperature 0.02": {"learn_alpha": False, "alpha": 0.02},
    "target entropy -1": {"target_entropy": -1.0},
    "critics begin at 0": {"optimistic_values": False},
    "observations as they come": {"normalise_observations": False},
    "gamma 0.99": {"gamma": 0.99},
    "tau 0.02": {"tau": 0.02},
    "learning rates 1e-3": {
        "actor_learning_rate": 1e-3,
        "critic_learning_rate": 1e-3,
        "alpha_learning_rate": 1e-3,
    },
    "readable reference by autograd": {"backend": "torch"},
}
