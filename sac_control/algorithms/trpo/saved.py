"""Networks and optimiser as named arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from sac_control.errors import RunError
from sac_control.types import Array

_MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # what Adam keeps of each parameter


def arrays_of(policy: nn.Module, value: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Array]:
    """Copies of all parameters, and of what the optimiser of `value` keeps, which is nothing before its first step."""
    arrays: dict[str, Array] = {}
    for name, network in (("policy", policy), ("value", value)):
        arrays |= {f"{name}.{key}": each.cpu().numpy().copy() for key, each in network.state_dict().items()}
    for key, parameter in value.named_parameters():
        kept = optimiser.state[parameter]
        arrays |= {f"optimiser.{key}.{name}": kept[name].cpu().numpy().copy() for name in kept}
    return arrays


def load_arrays(
    arrays: Mapping[str, Array], policy: nn.Module, value: nn.Module, optimiser: torch.optim.Optimizer
) -> None:
    """Take over what `arrays_of` gave, whatever else is among `arrays`.

    Raises:
        RunError: one is missing or has another size. Nothing changed.
    """
    for prefix, network in (("policy", policy), ("value", value)):
        for key, tensor in network.state_dict().items():
            _check(arrays, f"{prefix}.{key}", tuple(tensor.shape))
    for prefix, network in (("policy", policy), ("value", value)):
        state = {key: torch.from_numpy(arrays[f"{prefix}.{key}"].copy()) for key in network.state_dict()}
        network.load_state_dict(state)
    for key, parameter in value.named_parameters():
        names = [name for name in _MOMENTS if f"optimiser.{key}.{name}" in arrays]
        moments = {name: torch.from_numpy(arrays[f"optimiser.{key}.{name}"].copy()) for name in names}
        optimiser.state[parameter] = {
            name: each if name == "step" else each.to(parameter.device) for name, each in moments.items()
        }


def _check(arrays: Mapping[str, Array], name: str, shape: tuple[int, ...]) -> None:
    if name not in arrays:
        raise RunError(f"learner state lacks {name!r}: it is damaged, or was written by another version or algorithm")
    if arrays[name].shape != shape:
        raise RunError(
            f"learner state {name!r} is {arrays[name].shape}, expected {shape}: "
            "resume with the task and the hidden_sizes of the run it comes from"
        )
