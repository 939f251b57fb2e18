"""Whether mirror images earn the same, end alike and move alike: what `mirror: true` says of a task and its robot."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sac_control.envs.check.finding import Finding, error, hint
from sac_control.envs.env import Env
from sac_control.errors import ConfigError
from sac_control.observation import mirror_signs
from sac_control.tasks.robot_task import RobotTask
from sac_control.types import FloatArray

PROBES = 64  # pairs of states and actions
QUESTIONS = 1_000  # rows about which reward and termination are asked: few have one joint alone beyond its limit
TOLERANCE = 0.05  # of the largest change in a control period: a pole that leans by its model's rounding is within it
_SAME = 1e-6  # relative difference of rewards that is rounding


def check_mirror(env: Env, starts: FloatArray) -> Iterator[Finding]:
    """Compare states around `starts`, (n, 2j), with their mirror images.

    Raises:
        StateError: a reward or the physics was not finite.
    """
    task = env.task
    complaint = _asks_otherwise(task, starts) or _moves_otherwise(env, starts)
    if task.is_mirror_symmetric and complaint:
        yield error(f"mirror is true, but {complaint}: set it to false, or mend what is not the same on both sides")
    elif not task.is_mirror_symmetric and not complaint and _terms_have_mirror_images(task):
        yield hint(
            "opposite signs of all joints and commands are the mirror image here: with mirror: true it learns faster"
        )


def _asks_otherwise(task: RobotTask, starts: FloatArray) -> str:
    """How reward and termination differ between mirror images; empty: they do not."""
    rng = np.random.default_rng(0)
    for index in range(QUESTIONS):
        start, scale = starts[index % len(starts)], (0.05, 0.5, 2.0)[index % 3]
        rows = [task.row_near(start, scale, rng) for _ in range(task.memory + 1)]
        images = [[-value for value in row] for row in rows]
        shown = _state_shown(task, rows[0])
        here, there = task.reward(rows), task.reward(images)
        if np.isfinite((here, there)).all() and abs(here - there) > _SAME * max(1.0, abs(here)):
            return f"reward is {here:.4g} where {shown}, and {there:.4g} in the mirror image"
        if task.is_terminated(rows) != task.is_terminated(images):
            return f"terminated is true on one side alone where {shown}, or its mirror image"
    return ""


def _moves_otherwise(env: Env, starts: FloatArray) -> str:
    """How a simulated control period differs between mirror images; empty: it does not."""
    rng = np.random.default_rng(0)
    names = [kind.format(name) for name in env.specification.joints for kind in ("{}", "velocity({})")]
    changes, differences = [], []
    for index in range(PROBES):
        start = starts[index % len(starts)]
        action = rng.uniform(-1.0, 1.0, len(env.specification.command_limit))
        after, image = _after(env, start, action), _after(env, -start, -action)
        changes.append(np.abs(after - start))
        differences.append(np.abs(after + image))
    allowed = TOLERANCE * np.max(changes, axis=0) + 1e-9
    worst = np.max(differences, axis=0) / allowed
    if worst.max() <= 1.0:
        return ""
    place = int(worst.argmax())
    return (
        f"the robot does not move alike: after one control period {names[place]} is "
        f"{np.max(differences, axis=0)[place]:.3g} beside the mirror image (it changes by up to "
        f"{np.max(changes, axis=0)[place]:.3g}), as where gravity is tilted or an axis points elsewhere"
    )


def _after(env: Env, state: FloatArray, action: FloatArray) -> FloatArray:
    """The state, (2j,), one control period after `state` under `action`."""
    env.reset(options={"state": state})
    env.step(action.astype(np.float32))
    return env.state


def _terms_have_mirror_images(task: RobotTask) -> bool:
    try:
        mirror_signs(task.specification.observation, task.specification.joints)
    except ConfigError:
        return False
    return True


def _state_shown(task: RobotTask, row: list[float]) -> str:
    return ", ".join(f"{name} is {value:.3g}" for name, value in zip(task.specification.joints, row, strict=False))
