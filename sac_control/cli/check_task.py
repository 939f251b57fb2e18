"""The verb check-task: tries a task out, and says what its author may not have meant."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sac_control.cli.choice import choice
from sac_control.errors import ConfigError
from sac_control.robots.robot import Robot
from sac_control.store import atomic
from sac_control.store.png import png
from sac_control.system import preflight
from sac_control.tasks.catalogue import make_task, short_name
from sac_control.tasks.robot_task import RobotTask
from sac_control.types import JOINT_INTERFACES

if TYPE_CHECKING:  # the command is a robot's, too, which has no Gymnasium
    from sac_control.envs.check.task_check import TaskCheck

EXIT_OK, EXIT_ERRORS = 0, 1


@dataclass(frozen=True, kw_only=True)
class CheckTaskOptions:
    """What people choose for the check of a task."""

    task: str = choice("a name, a task file, or gymnasium/ID", metavar="TASK", is_positional=True)
    engine: str = choice("physics engine", default="", unset="the task's own", metavar="NAME")
    episodes: int = choice("random episodes", default=3, metavar="N")
    picture: Path | None = choice(
        "where to save the picture", default=None, unset="TASK.png, where you are", metavar="FILE"
    )


def check(options: CheckTaskOptions) -> int:
    """Check the task and tell what was found; returns the exit code."""
    if options.episodes < 1:
        raise ConfigError(f"--episodes is {options.episodes}: expected at least 1")
    preflight.check_packages((*preflight.SIMULATION, "matplotlib"))
    from sac_control.envs.check.task_check import check_task

    task = make_task(options.task)
    picture = options.picture or Path(f"{short_name(options.task)}.png")
    if picture.suffix != ".png":
        raise ConfigError(f"--picture is {picture}: pictures are PNG files, so expected {picture.stem}.png")
    found = check_task(task, engine=options.engine, episodes=options.episodes)
    print("\n".join(_report(found)))
    if found.picture is not None:
        try:
            atomic.write_bytes(picture, png(found.picture))
        except OSError as error:
            raise ConfigError(f"cannot write the picture {picture}: {error.strerror}") from error
        print(f"picture: {os.path.relpath(picture)}")
    sys.stdout.flush()
    for finding in found.findings:
        print(finding, file=sys.stderr)
    if found.has_errors:
        return EXIT_ERRORS
    print(f"next: sac_control train --task {options.task}")
    return EXIT_OK


def _report(found: TaskCheck) -> Iterator[str]:
    task, trial = found.task, found.trial
    specification = task.specification
    period, physics = specification.control_period, ""
    if isinstance(task, RobotTask):
        robot = task.robot(found.engine)
        yield f"{specification.task}: {robot.description.name} by {found.engine}"
        physics = f", physics {robot.physics_period:g} s"
    else:
        yield f"{specification.task}: an environment without joints"
    yield (
        f"periods: control {period:g} s{physics}; episodes of {task.max_episode_steps} "
        f"({task.max_episode_steps * period:g} s)"
    )
    yield f"observation: {len(specification.observation)} terms" + (", seen in random episodes:" if trial else "")
    for index, term in enumerate(specification.observation):
        yield f"  {term}" + (f"  {trial.low[index]:.3g} to {trial.high[index]:.3g}" if trial else "")
    if isinstance(task, RobotTask):
        yield from _drives(found, task.robot(found.engine))
    else:
        yield f"action: {len(specification.actuated_joints)}, from -1 to 1: the least and the most that there is"
    if trial is None:
        return
    solved = f"solved from a return of {task.solved_return:g} on"
    if task.solved_return == math.inf:
        solved = "which has no return that counts as solved"
    yield f"random episodes ({solved}):"
    for number, episode in enumerate(trial.episodes, 1):
        how = "terminated" if episode.is_terminated else "truncated"
        yield f"  {number}: {episode.steps} periods, return {episode.total:.1f}, {how}"


def _drives(found: TaskCheck, robot: Robot) -> Iterator[str]:
    yield f"action: {len(robot.drives)}, from -1 to 1, times the limit:"
    joints = {joint.name: joint for joint in found.survey.joints} if found.survey else {}
    for drive in robot.drives:
        joint = joints.get(robot.model_name(drive.joint))
        units = {each: f" {joint.unit(each)}" if joint else "" for each in JOINT_INTERFACES}
        effort = "" if drive.max_effort is None else f", by at most {drive.max_effort:g}{units['effort']}"
        yield f"  {drive.joint}  {drive.interface} ±{drive.limit:g}{units[drive.interface]}{effort}"
