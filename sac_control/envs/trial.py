"""One deterministic episode of a policy, and what became of it. Evaluations and exams are made of these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sac_control.envs.environment import Environment, Start
from sac_control.types import Float32Array

Act = Callable[[Float32Array], Float32Array]  # what a policy answers to an observation, (o,) to (a,)
Watch = Callable[[Environment, Float32Array], None]  # sees an environment and the action (a,) that led to its state


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What became of an episode."""

    total_reward: float
    steps: int
    is_terminated: bool = False  # before its time limit
    is_kept: bool  # by the task's exam, or, where it has none, by its solved_return


def play(env: Environment, act: Act, start: Start, watch: Watch | None = None) -> Trial:
    """Play one episode.

    Args:
        env: a robot's task or another environment.
        act: what a policy answers.
        start: keyword arguments of `Environment.reset`.
        watch: called after each step.
    """
    observation, _ = env.reset(**start)
    exam, period = env.task.exam, env.specification.control_period
    last = 0 if exam is None else round(exam.kept_for / period)  # steps in which it must be kept
    total, steps, broken, terminated, truncated = 0.0, 0, -1, False, False  # broken: step at which it last was not kept
    while not (terminated or truncated):
        action = act(observation)
        observation, reward, terminated, truncated, _ = env.step(action)
        total += float(reward)
        steps += 1
        if last and not env.is_kept():
            broken = steps
        if watch is not None:
            watch(env, action)
    is_kept = not terminated and broken <= steps - last if last else total >= env.task.solved_return
    return Trial(total_reward=total, steps=steps, is_terminated=terminated, is_kept=is_kept)
