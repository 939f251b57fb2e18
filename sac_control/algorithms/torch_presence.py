"""Whether torch and a GPU are there, asked before anything starts. Imports torch only to look for a GPU."""

from __future__ import annotations

import importlib.util
import sys

from sac_control.errors import ConfigError

INSTALL_TORCH = f"{sys.executable} -m pip install torch"  # an extra: a default training needs none


def has_torch() -> bool:
    """Whether torch is installed."""
    return importlib.util.find_spec("torch") is not None


def has_gpu() -> bool:
    """Whether torch finds a GPU."""
    if not has_torch():
        return False
    import torch

    return bool(torch.cuda.is_available())


def check_torch(what: str) -> None:
    """See that torch is installed, which `what` needs.

    Raises:
        ConfigError: it is not; says how to install it.
    """
    if not has_torch():
        raise ConfigError(f"{what} needs torch, which is not installed: {INSTALL_TORCH}")


def check_device(device: str) -> None:
    """See that the device of that name, auto, cpu or cuda, is there.

    Raises:
        ConfigError: it is not.
    """
    if device == "cuda" and not has_gpu():
        raise ConfigError("learner.device is cuda, and torch finds no GPU: set learner.device to auto or cpu")
