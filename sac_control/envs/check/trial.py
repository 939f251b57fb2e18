"""Random episodes of a task: what is seen and earned in them, and how they end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sac_control.envs.check.finding import Finding, error
from sac_control.envs.environment import Environment
from sac_control.types import FloatArray

SEED = 0


@dataclass(frozen=True, kw_only=True)
class Episode:
    """One episode of random actions."""

    steps: int  # control periods
    total: float  # sum of rewards
    is_terminated: bool  # otherwise it was truncated


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Random episodes together."""

    episodes: tuple[Episode, ...]
    low: FloatArray  # (o,) least value of each observation term
    high: FloatArray  # (o,) largest
    rewards: FloatArray  # (steps of all episodes,)


def try_task(env: Environment, episodes: int) -> Trial:
    """Some episodes of uniformly random actions.

    Raises:
        StateError: a reward or the physics was not finite.
    """
    env.action_space.seed(SEED)
    env.reset(seed=SEED)
    done, seen, rewards = [], [], []
    for _ in range(episodes):
        observation, _ = env.reset()
        seen.append(observation)
        earned, is_terminated, is_truncated = [], False, False
        while not (is_terminated or is_truncated):
            observation, reward, is_terminated, is_truncated, _ = env.step(env.action_space.sample())
            seen.append(observation)
            earned.append(reward)
        done.append(Episode(steps=len(earned), total=sum(earned), is_terminated=is_terminated))
        rewards += earned
    values = np.array(seen, dtype=np.float64)
    return Trial(
        episodes=tuple(done),
        low=values.min(axis=0),
        high=values.max(axis=0),
        rewards=np.array(rewards, dtype=np.float64),
    )


def check_trial(env: Environment, trial: Trial) -> Iterator[Finding]:
    """What random episodes tell of a task."""
    first = float(trial.rewards[0])
    never_fails = not any(episode.is_terminated for episode in trial.episodes)
    if never_fails and np.ptp(trial.rewards) <= 1e-9 * max(1.0, abs(first)):
        yield error(
            f"reward is {first:g} in each of {len(trial.rewards)} control periods of random actions, and no episode "
            "ended early: nothing can be learnt from it, so let it depend on what is seen"
        )
    for term, low, high in zip(env.specification.observation, trial.low, trial.high, strict=True):
        if not np.isfinite((low, high)).all():
            yield error(f"observation {term} is not finite in random episodes: a policy cannot answer to it")
    solved = env.task.solved_return
    most = max(episode.total for episode in trial.episodes)
    if most >= solved:
        yield error(f"a random episode earns {most:.4g}, and solved_return is {solved:g}: nothing would be learnt")
