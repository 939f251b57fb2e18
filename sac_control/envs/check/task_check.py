"""The check of a task: all that is found, and what random episodes were like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sac_control.envs.check.description_check import check_description
from sac_control.envs.check.finding import Finding, Level, error, hint
from sac_control.envs.check.mirror_check import check_mirror
from sac_control.envs.check.start_check import check_first_steps, check_starts, sample_starts
from sac_control.envs.check.trial import Trial, check_trial, try_task
from sac_control.envs.check.units_check import check_units
from sac_control.envs.env import Env
from sac_control.envs.gymnasium_env import GymnasiumEnv
from sac_control.errors import ConfigError, SacControlError
from sac_control.robots.survey import Survey
from sac_control.tasks.engine_choice import choose_engine
from sac_control.tasks.gymnasium_task import GymnasiumTask
from sac_control.tasks.robot_task import RobotTask
from sac_control.tasks.task import Task
from sac_control.worlds.survey import survey


@dataclass(frozen=True, kw_only=True)
class TaskCheck:
    """What is known of a task."""

    task: Task
    engine: str  # empty: the task brings its own
    survey: Survey | None  # of its robot description; None: that cannot be read, or there is no robot
    findings: tuple[Finding, ...]  # the worst first
    trial: Trial | None  # None: it cannot be simulated
    picture: NDArray[np.uint8] | None  # (height, width, 3) of the first start; None likewise

    @property
    def has_errors(self) -> bool:
        """Whether something is wrong that cannot be meant."""
        return any(finding.level == Level.ERROR for finding in self.findings)


def check_task(task: Task, *, engine: str = "", episodes: int = 3) -> TaskCheck:
    """Check `task` in the physics engine `engine`, or its own, by that many random episodes.

    Of an environment of Gymnasium nothing is known but what happens in these.

    Raises:
        ConfigError: the engine is unknown or not installed, or the robot's package is not.
    """
    engine, _ = choose_engine(task, engine)
    if not isinstance(task, RobotTask):
        return _check_episodes(task, episodes)
    robot = task.robot(engine)
    starts = sample_starts(task)
    findings: list[Finding] = []
    try:
        surveyed: Survey | None = survey(robot.description)
    except ConfigError as problem:
        surveyed = None
        findings.append(error(str(problem)))
    if surveyed is not None:
        findings += check_description(task, robot, surveyed)
    findings += check_units(task, robot, surveyed, starts)
    trial, picture = None, None
    try:
        env = Env(task, engine=engine, render_mode="rgb_array", max_episode_steps=task.max_episode_steps)
    except ConfigError as problem:
        if not any(finding.level == Level.ERROR for finding in findings):  # otherwise it tells the same in other words
            findings.append(error(str(problem)))
    else:
        with env:
            env.reset(options={"state": starts[-1]})
            picture = env.render()
            findings += check_starts(env, surveyed, starts)
            try:
                trial = try_task(env, episodes)
                findings += check_trial(env, trial)
                findings += check_first_steps(env, starts)
                findings += check_mirror(env, starts)
            except SacControlError as problem:
                findings.append(error(str(problem)))
    ordered = sorted(findings, key=lambda finding: -finding.level)
    return TaskCheck(task=task, engine=engine, survey=surveyed, findings=tuple(ordered), trial=trial, picture=picture)


def _check_episodes(task: Task, episodes: int) -> TaskCheck:
    assert isinstance(task, GymnasiumTask)
    trial, picture = None, None
    try:
        env: GymnasiumEnv = GymnasiumEnv(task, render_mode="rgb_array", max_episode_steps=task.max_episode_steps)
        findings = [hint(note) for note in task.notes]
    except ConfigError as problem:  # pictures need packages that training does not
        findings = [hint(sentence) for sentence in (str(problem), *task.notes)]
        env = GymnasiumEnv(task, max_episode_steps=task.max_episode_steps)
    with env:
        try:
            env.reset(seed=0)
            picture = env.render()
            trial = try_task(env, episodes)
            findings += check_trial(env, trial)
        except SacControlError as problem:
            findings.append(error(str(problem)))
    ordered = sorted(findings, key=lambda finding: -finding.level)
    return TaskCheck(task=task, engine="", survey=None, findings=tuple(ordered), trial=trial, picture=picture)
