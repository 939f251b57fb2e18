"""The transitions of one update: what one policy did, in order, and which of it the policy is answerable for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sac_control.algorithms.transition_check import ACTION_TOLERANCE, check_size, check_values
from sac_control.types import Float32Array, FloatArray, Origin, Transition


@dataclass(frozen=True, kw_only=True)
class Steps:
    """n steps, in the order in which they were made, source by source."""

    observation: Float32Array  # (n, o)
    action_raw: Float32Array  # (n, a), as chosen
    reward: FloatArray  # (n,)
    next_observation: Float32Array  # (n, o), before any reset
    terminated: NDArray[np.bool_]  # (n,)
    goes_on: NDArray[np.bool_]  # (n,) whether the next row followed, and the policy is answerable for both
    is_usable: NDArray[np.bool_]  # (n,) whether the policy is answerable for what was applied


class Rollout:
    """Collects transitions until there are enough for an update.

    Args:
        observation_size, action_size: o and a.
    """

    def __init__(self, observation_size: int, action_size: int) -> None:
        self._observation_size, self._action_size = observation_size, action_size
        self._transitions: list[Transition] = []

    def __len__(self) -> int:
        return len(self._transitions)

    def add(self, transition: Transition) -> None:
        """Keep a transition, which has been checked."""
        self._transitions.append(transition)

    def check(self, transition: Transition) -> None:
        """See that a transition can be learnt from.

        Raises:
            TransitionError: it has a wrong size, a value that is not finite, or an action outside [-1, 1].
        """
        check_size("observation", transition.observation, self._observation_size)
        check_size("action", transition.action, self._action_size)
        check_size("action_raw", transition.action_raw, self._action_size)
        check_size("next_observation", transition.next_observation, self._observation_size)
        numbers = (transition.observation, transition.action, transition.action_raw, transition.next_observation)
        check_values(transition, np.append(np.concatenate(numbers), transition.reward), transition.action)

    def clear(self) -> None:
        """Forget them all."""
        self._transitions.clear()

    def steps(self) -> Steps:
        """All of them, in order, whatever the order in which they came."""
        rows = sorted(self._transitions, key=lambda each: (each.source, each.sequence))
        is_usable = np.array([is_as_chosen(row) for row in rows], bool)
        follows = [is_followed_by(row, after) for row, after in pairwise(rows)]
        return Steps(
            observation=np.stack([row.observation for row in rows]),
            action_raw=np.stack([row.action_raw for row in rows]),
            reward=np.array([row.reward for row in rows]),
            next_observation=np.stack([row.next_observation for row in rows]),
            terminated=np.array([row.terminated for row in rows], bool),
            goes_on=np.array([*follows, False], bool) & is_usable & np.append(is_usable[1:], False),
            is_usable=is_usable,
        )


def is_as_chosen(transition: Transition) -> bool:
    """Whether the policy chose the action, and no limit but that of every action, [-1, 1], changed it."""
    expected = np.clip(transition.action_raw, -1.0, 1.0)
    is_own = transition.origin is Origin.POLICY
    return is_own and bool(np.abs(transition.action - expected).max() <= ACTION_TOLERANCE)


def is_followed_by(transition: Transition, other: Transition) -> bool:
    """Whether `other` is the step that followed in the same episode, so that nothing is missing between them."""
    return (
        other.source == transition.source
        and other.episode == transition.episode
        and other.sequence == transition.sequence + 1
        and other.step == transition.step + 1
        and not transition.terminated
        and not transition.truncated
    )
