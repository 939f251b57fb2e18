"""Chooses the learner that a configuration asks for. Torch is imported only where it is needed: that takes seconds."""

from __future__ import annotations

import dataclasses
import importlib.util
import sys

from sac_control.algorithms.learner import Learner
from sac_control.algorithms.sac.sac_config import SacConfig
from sac_control.errors import ConfigError

MOST_NATIVE_THREADS = 2  # the twin critics side by side
_INSTALL_TORCH = f"{sys.executable} -m pip install torch"  # an extra: a default training needs none


def make_learner(config: SacConfig, *, observation_size: int, action_size: int, seed: int) -> Learner:
    """The learner for `config`.

    Raises:
        ConfigError: the options contradict each other.
    """
    check_options(config)
    config = dataclasses.replace(config, device="cuda" if _is_for_gpu(config) else "cpu")
    sizes = {"observation_size": observation_size, "action_size": action_size}
    if config.backend == "torch" or _needs_torch(config):
        from sac_control.algorithms.sac.readable.soft_actor_critic import SoftActorCritic
        from sac_control.algorithms.sac_v1.soft_actor_critic_v1 import SoftActorCriticV1

        algorithm = {"sac": SoftActorCritic, "sac_v1": SoftActorCriticV1}[config.algorithm]
        return algorithm(config, **sizes, seed=seed)
    from sac_control.algorithms.sac.native_learner import NativeLearner

    return NativeLearner(config, **sizes, seed=seed)


def check_options(config: SacConfig) -> None:
    """Refuse options that contradict each other, or that would be ignored.

    Raises:
        ConfigError: says which two, and what to change.
    """
    obstacle = _needs_torch(config)
    if config.backend == "native" and obstacle:
        raise ConfigError(f"learner.backend native {obstacle}: set learner.backend to torch or auto")
    if config.threads > MOST_NATIVE_THREADS and not (config.backend == "torch" or obstacle or _is_for_gpu(config)):
        raise ConfigError(
            f"learner.threads is {config.threads}: the compiled updates use 1 or {MOST_NATIVE_THREADS}; choose one of "
            "these, or set learner.backend to torch"
        )
    if config.algorithm == "sac_v1" and config.learn_alpha:
        raise ConfigError(
            "learner.algorithm sac_v1 has no temperature to learn: set learner.learn_alpha to false, "
            "and learner.reward_scale to the inverse of a temperature"
        )
    if config.algorithm == "sac_v1" and _is_set(config, "alpha"):
        raise ConfigError(
            "learner.alpha has no effect with learner.algorithm sac_v1: leave it out, "
            "and set learner.reward_scale, its inverse"
        )
    for name in ("sde_sample_interval", "sde_at_warmup"):
        if not config.use_sde and _is_set(config, name):
            raise ConfigError(f"learner.{name} has no effect without learner.use_sde: set that, or leave it out")
    if config.use_sde and _is_set(config, "noise_correlation"):
        raise ConfigError(
            "learner.noise_correlation and learner.use_sde are both set, and are two ways of smooth exploration: "
            "leave one out"
        )
    if config.sde_sample_interval == 0:
        raise ConfigError("learner.sde_sample_interval is 0: expected a number of ticks from 1, or -1")
    if obstacle and not _has_torch():
        raise ConfigError(f"the compiled backend {obstacle}, and torch is not installed: {_INSTALL_TORCH}")
    if config.backend == "torch" and not _has_torch():
        raise ConfigError(
            f"learner.backend is torch, which is not installed: {_INSTALL_TORCH}, or set learner.backend to auto"
        )
    if config.device == "cuda" and not _has_gpu():
        raise ConfigError("learner.device is cuda, and torch finds no GPU: set learner.device to auto or cpu")


def _is_set(config: SacConfig, name: str) -> bool:
    return bool(getattr(config, name) != getattr(SacConfig, name))


def _needs_torch(config: SacConfig) -> str:
    """What the compiled updates cannot do of this, as the end of a sentence; empty if nothing."""
    if config.algorithm != "sac":
        return f"knows no learner.algorithm {config.algorithm}"
    if config.use_sde:
        return "knows no learner.use_sde"
    if config.device == "cuda":
        return "runs on the CPU, not on learner.device cuda"
    return ""


def _is_for_gpu(config: SacConfig) -> bool:
    is_free = config.device == "auto" and config.backend != "native"
    return config.device == "cuda" or (is_free and _has_gpu())


def _has_torch() -> bool:
    return importlib.util.find_spec("torch") is not None


def _has_gpu() -> bool:
    if not _has_torch():
        return False
    import torch

    return bool(torch.cuda.is_available())
