"""The Soft Actor-Critic of each peer, by name. Runs in the peers' environment and imports nothing of this package."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("JAX_PLATFORMS", "cpu")  # before jax is imported

LIBRARIES = ("sb3", "sbx")


def make_sac(library: str, env: Any, **options: Any) -> Any:
    """A learner of `library` on the CPU, with its own defaults but for `options`."""
    if library == "sb3":
        import stable_baselines3

        return stable_baselines3.SAC("MlpPolicy", env, device="cpu", **options)
    import sbx

    return sbx.SAC("MlpPolicy", env, **options)


def wait_for(library: str, model: Any) -> None:
    """Return when the updates that were asked for are made: JAX computes behind the caller's back."""
    if library == "sbx":
        import jax

        jax.block_until_ready((model.policy.actor_state.params, model.policy.qf_state.params))
