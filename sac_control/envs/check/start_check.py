"""Starts that are failures already, or beyond what the robot can reach."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sac_control.envs.check.finding import Finding, error
from sac_control.envs.env import Env
from sac_control.robots.survey import Survey
from sac_control.tasks.robot_task import RobotTask
from sac_control.types import FloatArray

STARTS = 256  # random ones that are looked at
STEPPED = 32  # of them, from which a period is simulated
_SLACK = 1e-6  # [rad or m] beyond an end that is rounding


def sample_starts(task: RobotTask) -> FloatArray:
    """Start states, (n, 2j): random ones and the two at opposite corners of the task's cube."""
    rng = np.random.default_rng(0)
    random = [task.start_from(unit) for unit in rng.random((STARTS, task.start_dimensions))]
    corners = [task.start_from(np.full(task.start_dimensions, end)) for end in (0.0, 1.0)]
    return np.array([*corners, *random])


def check_starts(env: Env, survey: Survey | None, starts: FloatArray) -> Iterator[Finding]:
    """See whether episodes can begin at `starts`, (n, 2j)."""
    task = env.task
    yield from _check_ends(env, survey, starts)
    failed = [start for start in starts if _is_failure(task, start)]
    if failed:
        yield error(
            f"{_share(len(failed), len(starts))} of the starts are terminated already, such as "
            f"{_shown(task, failed[0])}: draw starts from where terminated is false, or terminate later"
        )


def check_first_steps(env: Env, starts: FloatArray) -> Iterator[Finding]:
    """See whether episodes go on from those of `starts`, (n, 2j), that are no failures.

    Raises:
        StateError: a reward or the physics was not finite.
    """
    task = env.task
    tried = [start for start in starts if not _is_failure(task, start)][:STEPPED]
    ended = [start for start in tried if _ends_at_once(env, start)]
    if len(ended) > len(tried) // 2:
        yield error(
            f"{_share(len(ended), len(tried))} of the starts are terminated after one control period without a "
            f"command, such as {_shown(task, ended[0])}: nothing can be learnt there"
        )


def _check_ends(env: Env, survey: Survey | None, starts: FloatArray) -> Iterator[Finding]:
    robot = env.task.robot(env.engine)
    ranges = {joint.name: joint.range for joint in survey.joints} if survey is not None else {}
    for place, name in enumerate(robot.joints):
        ends, drawn = ranges.get(robot.model_name(name)), starts[:, 2 * place]
        if ends and (drawn.min() < ends[0] - _SLACK or drawn.max() > ends[1] + _SLACK):
            yield error(
                f"starts put joint {name!r} from {drawn.min():.4g} to {drawn.max():.4g}, and it moves from {ends[0]:g} "
                f"to {ends[1]:g} alone: the engine would push it back with force, so begin within its range"
            )


def _is_failure(task: RobotTask, start: FloatArray) -> bool:
    """Whether a robot that stands at `start` is one."""
    return task.is_terminated([task.row_at(start)] * (task.memory + 1))


def _ends_at_once(env: Env, start: FloatArray) -> bool:
    env.reset(options={"state": start})
    return bool(env.step_command(np.zeros(len(env.specification.command_limit)))[2])


def _share(part: int, whole: int) -> str:
    return "all" if part == whole else f"{max(1, round(100 * part / whole))} %"


def _shown(task: RobotTask, state: FloatArray) -> str:
    return ", ".join(
        f"{name} at {value:.3g}" for name, value in zip(task.specification.joints, state[0::2], strict=True)
    )
