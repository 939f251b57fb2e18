"""What `gymnasium.make` calls. Loaded by it and not before, because it loads the physics engine."""

from __future__ import annotations

from sac_control.envs.env import Env
from sac_control.tasks.catalogue import make_robot_task
from sac_control.tasks.engine_choice import choose_engine


def make_gymnasium_env(name: str, render_mode: str | None = None, engine: str = "") -> Env:
    """An environment for the task `name` that never truncates, because Gymnasium's own wrapper does."""
    task = make_robot_task(name)
    return Env(task, engine=choose_engine(task, engine)[0], render_mode=render_mode)


# Gymnasium asks the entry point which modes it may ask for; for "rgb_array_list" it collects the pictures itself.
make_gymnasium_env.metadata = Env.metadata  # type: ignore[attr-defined]
