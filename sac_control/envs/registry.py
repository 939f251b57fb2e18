"""Environments by the name of their task, and our own names in Gymnasium."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gymnasium
import numpy as np

from sac_control.errors import ConfigError
from sac_control.tasks.catalogue import TASKS, make_robot_task, make_task
from sac_control.tasks.engine_choice import choose_engine
from sac_control.tasks.gymnasium_reference import is_gymnasium
from sac_control.tasks.gymnasium_task import GymnasiumTask
from sac_control.tasks.ranges_reader import ranges_of_setting
from sac_control.tasks.task import Task

if TYPE_CHECKING:  # the physics engine is loaded when the first environment is made: a learner needs none
    from sac_control.envs.env import Env
    from sac_control.envs.environment import Environment


def make_env(
    name: str,
    render_mode: str | None = None,
    max_episode_steps: int | None = None,
    is_paced: bool = True,
    engine: str = "",
    randomise: str = "",
) -> Environment:
    """An environment for the task called `name`, in the task file of that path, or of that environment of Gymnasium.

    Args:
        name: the task.
        render_mode: "human" opens a window, "rgb_array" lets `render` return pictures.
        max_episode_steps: steps until an episode is truncated; None takes the task's own.
        is_paced: in a window, let `step` last a control period.
        engine: name of the physics engine; empty: the task's own, see `choose_engine`.
        randomise: ranges of what varies while `is_varied`, see `ranges_of_setting`; empty: the task's own.

    Raises:
        ConfigError: the task, the engine or the render mode is unknown, the steps are fewer than 1, or no window can
            be opened.
    """
    if not is_gymnasium(name):
        return make_robot_env(name, render_mode, max_episode_steps, is_paced, engine, randomise)
    from sac_control.envs.gymnasium_env import GymnasiumEnv

    task = make_task(name)
    choose_engine(task, engine)  # there is none to choose
    if randomise:
        raise ConfigError(
            f"simulator.randomise is {randomise!r:.100}, but {name} is no robot of ours: leave it out, or give the "
            "environment its keyword arguments"
        )
    assert isinstance(task, GymnasiumTask)
    steps = _steps(task, max_episode_steps)
    return GymnasiumEnv(task, render_mode=render_mode, max_episode_steps=steps, is_paced=is_paced)


def make_robot_env(
    name: str,
    render_mode: str | None = None,
    max_episode_steps: int | None = None,
    is_paced: bool = True,
    engine: str = "",
    randomise: str = "",
) -> Env:
    """The same, where a robot is needed; see `make_robot_task` for what else is refused."""
    from sac_control.envs.env import Env

    task = make_robot_task(name)
    steps = _steps(task, max_episode_steps)
    engine, _ = choose_engine(task, engine)
    ranges = ranges_of_setting(randomise, "simulator.randomise", task.specification) if randomise else task.randomise
    return Env(
        task,
        engine=engine,
        render_mode=render_mode,
        max_episode_steps=steps,
        is_paced=is_paced,
        randomise=ranges,
    )


def try_out(name: str, engine: str = "", randomise: str = "") -> None:
    """See that a task can be simulated, for one control period, and with what varies.

    Raises:
        ConfigError: its robot cannot be loaded, or not vary so; see `make_env`.
        StateError: a reward or the physics is not finite.
    """
    env = make_env(name, engine=engine, randomise=randomise)
    env.is_varied = True
    try:
        env.reset(seed=0)
        env.step(np.zeros(len(env.specification.command_limit), np.float32))
    finally:
        env.close()


def _steps(task: Task, wanted: int | None) -> int:
    """Steps until an episode is truncated: as wanted, or the task's own."""
    steps = task.max_episode_steps if wanted is None else wanted
    if steps < 1:
        raise ConfigError(f"max_episode_steps is {steps}: expected at least 1")
    return steps


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
