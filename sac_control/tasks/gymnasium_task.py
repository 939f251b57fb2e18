"""What an environment of Gymnasium asks: `envs.gymnasium_env` acts it out. Imports Gymnasium when it is asked.

Actions are normalised: each is from -1 to 1, and -1 is the least that the environment takes, 1 the most.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from sac_control.errors import ConfigError
from sac_control.tasks import gymnasium_maker
from sac_control.tasks.gymnasium_reference import GymnasiumReference, parse_reference
from sac_control.tasks.task import Task
from sac_control.types import MOST_DRIVEN, MOST_TERMS, Specification, canonical_hash

DEFAULT_PERIOD = 0.02  # [s] where an environment does not say how many pictures make a second
DEFAULT_STEPS = 1000  # of an episode, where it was registered without


class GymnasiumTask(Task):
    """What is seen, moved and asked there.

    Args:
        reference: as people name it, see `gymnasium_reference`.

    Attributes:
        environment: the same, taken apart.

    Raises:
        ConfigError: there is none, a package is missing, it refuses its arguments, or its spaces are not of bounded
            actions and of numbers, so few that a message has room for them.
    """

    engine = ""

    def __init__(self, reference: str) -> None:
        asked = parse_reference(reference)
        env = gymnasium_maker.make(asked)
        try:
            registered = gymnasium_maker.registered(env)
            module = asked.id.rpartition(":")[0]
            # With its version, which people may leave out.
            self.environment = dataclasses.replace(asked, id=f"{module}:{registered.id}" if module else registered.id)
            observation = _box(self.environment, env.observation_space, "observation", MOST_TERMS)
            action = _box(self.environment, env.action_space, "action", MOST_DRIVEN)
            if not np.isfinite([*action.low.flat, *action.high.flat]).all():
                raise ConfigError(
                    f"{self.environment.text} has actions without bounds, {action}: expected a Box with a least and a "
                    "largest value for each, which gymnasium.wrappers.RescaleAction gives it"
                )
            frequency = env.unwrapped.metadata.get("render_fps") or 0.0
        finally:
            env.close()
        names = _names("action", action.shape)
        self.specification = Specification(
            task=self.environment.text,
            joints=(),
            actuated_joints=names,
            observation=_names("observation", observation.shape),
            command_limit=(1.0,) * len(names),
            control_period=1.0 / frequency if frequency > 0.0 else DEFAULT_PERIOD,
            input="observation",
        )
        self.max_episode_steps = registered.max_episode_steps or DEFAULT_STEPS
        threshold = registered.reward_threshold
        self.solved_return = math.inf if threshold is None else float(threshold)
        self.notes = tuple(self._notes(frequency > 0.0, registered.max_episode_steps is not None))

    def _notes(self, is_period_known: bool, is_length_known: bool) -> Iterator[str]:
        name = self.environment.text
        if not is_period_known:
            yield f"{name} does not say how long a step lasts (render_fps): {DEFAULT_PERIOD:g} s is taken"
        if not is_length_known:
            yield f"{name} was registered without max_episode_steps: episodes are truncated after {DEFAULT_STEPS}"
        if self.solved_return == math.inf:
            yield f"{name} was registered without reward_threshold: learner.max_steps alone ends a training"

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the specification, the environment's id and arguments, and the length of an episode."""
        content = {
            "specification": self.specification.hash,
            "environment": self.environment.id,
            "arguments": dict(self.environment.arguments),
            "max_episode_steps": self.max_episode_steps,
        }
        return canonical_hash(content)


def _box(reference: GymnasiumReference, space: Any, kind: str, most: int) -> Any:
    """`space`, which is a Box of at most so many numbers."""
    if type(space).__name__ != "Box":
        others = gymnasium_maker.with_box(reference)
        raise ConfigError(
            f"{reference.text} has {kind}s {space!s:.100}: expected numbers within bounds, a Box, so choose {others}"
        )
    size = math.prod(space.shape)
    if size > most:
        raise ConfigError(f"{reference.text} has {size} numbers in its {kind}: messages have room for {most}")
    return space


def _names(kind: str, shape: tuple[int, ...]) -> tuple[str, ...]:
    """Names of the numbers of a space, in its order: `observation[0]`, as its documentation counts them."""
    if not shape:
        return (kind,)
    return tuple(f"{kind}[{','.join(map(str, place))}]" for place in product(*map(range, shape)))
