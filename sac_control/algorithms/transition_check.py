"""Whether a transition can be learnt from. What it says is for people."""

from __future__ import annotations

import numpy as np

from sac_control.errors import TransitionError
from sac_control.types import Float32Array, Transition

ACTION_TOLERANCE = 1e-5  # an action clipped to [-1, 1] in float64 may lie this far outside in float32


def check_size(name: str, values: Float32Array, size: int) -> None:
    """See that `values` of a transition are (size,).

    Raises:
        TransitionError: they are not.
    """
    if values.shape != (size,):
        raise TransitionError(
            f"{name} of a transition has shape {values.shape}, expected ({size},): "
            "simulator and learner run different tasks"
        )


def check_values(transition: Transition, row: Float32Array, action: Float32Array) -> None:
    """See that all of `row`, the numbers of a transition, are finite, and that its `action` lies in [-1, 1].

    Raises:
        TransitionError: they are not.
    """
    where = f"transition {transition.sequence} (episode {transition.episode}, step {transition.step})"
    if not np.isfinite(row).all():
        raise TransitionError(
            f"{where} holds a value that is not finite: observation {transition.observation.tolist()}, "
            f"action {transition.action.tolist()}, reward {transition.reward}, "
            f"next_observation {transition.next_observation.tolist()}"
        )
    if np.abs(action).max() > 1.0 + ACTION_TOLERANCE:
        raise TransitionError(
            f"{where} has the action {action.tolist()}, expected values in [-1, 1]: send it normalised"
        )
