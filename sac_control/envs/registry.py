"""Environments by the name of their task, and their names in Gymnasium."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gymnasium

from sac_control.errors import ConfigError
from sac_control.tasks.catalogue import TASKS, make_task
from sac_control.tasks.engine_choice import choose_engine

if TYPE_CHECKING:  # the physics engine is loaded when the first environment is made: a learner needs none
    from sac_control.envs.env import Env


def make_env(
    name: str,
    render_mode: str | None = None,
    max_episode_steps: int | None = None,
    is_paced: bool = True,
    engine: str = "",
) -> Env:
    """An environment for the task called `name`, or in the task file of that path.

    Args:
        name: the task.
        render_mode: "human" opens a window, "rgb_array" lets `render` return pictures.
        max_episode_steps: steps until an episode is truncated; None takes the task's own.
        is_paced: in a window, let `step` last a control period.
        engine: name of the physics engine; empty: the task's own, see `choose_engine`.

    Raises:
        ConfigError: the task, the engine or the render mode is unknown, the steps are fewer than 1, or no window can
            be opened.
    """
    from sac_control.envs.env import Env

    task = make_task(name)
    if max_episode_steps is None:
        max_episode_steps = task.max_episode_steps
    if max_episode_steps < 1:
        raise ConfigError(f"max_episode_steps is {max_episode_steps}: expected at least 1")
    engine, _ = choose_engine(task, engine)
    return Env(task, engine=engine, render_mode=render_mode, max_episode_steps=max_episode_steps, is_paced=is_paced)


def try_out(name: str, engine: str = "") -> None:
    """See that a task can be simulated, for one control period.

    Raises:
        ConfigError: its robot cannot be loaded; see `make_env`.
        StateError: a reward or the physics is not finite.
    """
    env = make_env(name, engine=engine)
    try:
        env.reset(seed=0)
        env.step_command([0.0] * len(env.specification.command_limit))
    finally:
        env.close()


def gymnasium_id(name: str) -> str:
    """Gymnasium's name of a task: ``sac_control/InvertedPendulum-v0`` for ``inverted_pendulum``."""
    return f"sac_control/{name.title().replace('_', '')}-v0"


def register_tasks() -> None:
    """Make every task known to `gymnasium.make`; doing it twice changes nothing."""
    for name, task in TASKS.items():
        if gymnasium_id(name) not in gymnasium.registry:
            gymnasium.register(
                id=gymnasium_id(name),
                entry_point="sac_control.envs.entry_point:make_gymnasium_env",
                max_episode_steps=task.max_episode_steps,
                reward_threshold=task.solved_return,
                kwargs={"name": name},
            )
