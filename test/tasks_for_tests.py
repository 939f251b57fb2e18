"""Built-in tasks with something changed, the rows that a task judges, and worlds of tasks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sac_control.envs.env import Env
from sac_control.expression import Expression, parse
from sac_control.tasks.catalogue import make_robot_task
from sac_control.tasks.engine_choice import choose_engine
from sac_control.tasks.file_task import FileTask
from sac_control.tasks.robot_task import RobotTask
from sac_control.worlds.catalogue import make_world
from sac_control.worlds.world import World

if TYPE_CHECKING:
    from sac_control.worlds.pybullet_world import PybulletWorld


def changed(task: FileTask, **changes: Any) -> FileTask:
    """`task` with other fields of `TaskContent`; reward and terminated may be text."""
    for name in ("reward", "terminated"):
        if isinstance(changes.get(name), str):
            changes[name] = _expression(task, changes[name])
    return FileTask(task.path, dataclasses.replace(task.content, **changes))


def _expression(task: FileTask, text: str) -> Expression:
    expression = parse(text, task.specification.joints)
    expression.check(task.specification.joints, task.specification.actuated_joints)
    return expression


def rows_of(task: RobotTask, *states: Iterable[float]) -> list[list[float]]:
    """Rows of a robot that was in `states`, (2j,) each, newest first, and was not driven."""
    rows = []
    for state in states:
        values = [float(value) for value in state]
        rows.append([*values[0::2], *values[1::2], *[0.0] * (task.layout.width - len(values))])
    return rows


def env_of(task: RobotTask, **options: Any) -> Env:
    """An environment of `task` in the engine that simulates it here."""
    return Env(task, engine=choose_engine(task)[0], **options)


def world_of(task: str) -> World:
    """The robot of `task` in the engine that simulates it here."""
    asked = make_robot_task(task)
    engine, _ = choose_engine(asked)
    return make_world(engine, asked.robot(engine))


def pybullet_world(task: str) -> PybulletWorld:
    """The robot of `task` in pybullet."""
    from sac_control.worlds.pybullet_world import PybulletWorld  # not every interpreter has it

    return PybulletWorld(make_robot_task(task).robot("pybullet"))
