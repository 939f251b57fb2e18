"""What an exam measures of a policy in an environment. Knows no policy: it is given what answers observations."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sac_control.envs.env import Env
from sac_control.envs.environment import Environment, Start
from sac_control.envs.motion import Motion, MotionRecord, root_mean_square, wrapped
from sac_control.envs.trial import Act, Trial, Watch, play
from sac_control.errors import StateError
from sac_control.types import Float32Array, FloatArray
from sac_control.variation.fields import Quantity, Variation

POSITION_NOISE, VELOCITY_NOISE = 0.001, 0.01  # [m or rad], [m/s or rad/s] of every joint while chatter is measured
CHATTER_PERIODS = 500  # at the end of an episode
PUSH_SHARE = 0.3  # of an episode, after which a push comes: the swing-up stands by then
PUSH_STARTS = 2  # from which a push must be survived, to both sides
LARGEST_PUSH = 1e4  # [N s or N m s]
HOUR, FIRST_MINUTE = 3600.0, 60.0  # [s]
_SMALLEST_PUSH, _FIRST_PUSH = 1e-6, 0.1  # [N s or N m s]
_PUSH_ACCURACY = 1.03  # factor between the largest push that was survived and the least that was not
_STREAM = 0x6578616D  # "exam": start states that no training has used


def starts(env: Env, count: int, seed: int) -> Sequence[Start]:
    """How `count` episodes begin: spread out, and with noise that the seed repeats."""
    spread = env.starts(np.random.default_rng([seed, _STREAM]), count)
    return [{**start, "seed": seed + index} for index, start in enumerate(spread)]


def trials(env: Env, act: Act, variation: Variation, begin: Sequence[Start]) -> list[Trial | None]:
    """One episode from each start on that plant; None where the physics diverged."""
    return [_play(env, act, variation, start) for start in begin]


def largest_push(env: Env, act: Act, variation: Variation, joint: str, seed: int) -> float:
    """The largest impulse on `joint` [N s or N m s] that is survived to both sides, within 3 %.

    Survived is a push after which the episode is kept, from each of `PUSH_STARTS` starts. 0: not even the smallest one;
    `LARGEST_PUSH`: no push that was tried is too large.
    """
    begin = starts(env, PUSH_STARTS, seed)
    assert env.max_episode_steps is not None
    at = PUSH_SHARE * env.max_episode_steps * env.specification.control_period

    def is_survived(push: float) -> bool:
        pushed = ({**variation, Quantity("push", joint): side, Quantity("push_time"): at} for side in (push, -push))
        return all(_is_kept(_play(env, act, plant, start)) for plant in pushed for start in begin)

    low, high = 0.0, math.inf
    push = _FIRST_PUSH
    while _SMALLEST_PUSH <= push < LARGEST_PUSH and (low == 0.0 or high == math.inf):
        if is_survived(push):
            low, push = push, 4.0 * push
        else:
            high, push = push, push / 4.0
    if low == 0.0:
        return 0.0
    if high == math.inf:
        return LARGEST_PUSH
    while high / low > _PUSH_ACCURACY:
        push = math.sqrt(low * high)
        low, high = (push, high) if is_survived(push) else (low, push)
    return low


def motion(env: Env, act: Act, variation: Variation, begin: Sequence[Start]) -> tuple[int, Motion | None]:
    """How many of the episodes lasted, and how the robot moves at the end of these, measured with a little noise."""
    assert env.max_episode_steps is not None
    joints, squares = env.specification.joints, []
    noise = {Quantity("noise", joint): POSITION_NOISE for joint in joints}
    noise |= {Quantity("noise", f"velocity({joint})"): VELOCITY_NOISE for joint in joints}
    for start in begin:
        record = MotionRecord(min(CHATTER_PERIODS, env.max_episode_steps // 2))
        trial = _play(env, act, {**variation, **noise}, start, record)
        if trial is not None and not trial.is_terminated:
            squares.append(record.squares(env))
    return len(squares), root_mean_square(squares) if squares else None


def long_episode(env: Env, act: Act, variation: Variation, start: Start) -> tuple[float, bool, FloatArray]:
    """Seconds that an episode of any length lasts, whether it was kept, and how far joints went after a minute.

    Kept is what lasts and, where the exam of the task asks for something at the end of an episode, has it at its end.

    Returns:
        [s]; whether kept; (j,) [m or rad], largest position of each joint to either side.
    """
    period, steps = env.specification.control_period, 0
    largest = np.zeros(len(env.specification.joints))
    turning = [joint in env.task.continuous_joints for joint in env.specification.joints]

    def watch(watched: Environment, _action: Float32Array) -> None:
        nonlocal steps, largest
        steps += 1
        if steps * period > FIRST_MINUTE:
            position = watched.state[0::2]
            largest = np.maximum(largest, np.abs(np.where(turning, wrapped(position), position)))

    trial = _play(env, act, variation, start, watch)
    has_end = env.task.exam is not None and env.task.exam.kept_for > 0.0
    is_kept = trial is not None and (trial.is_kept if has_end else not trial.is_terminated)
    return steps * period, is_kept, largest


def _play(env: Env, act: Act, variation: Variation, start: Start, watch: Watch | None = None) -> Trial | None:
    options = {**start["options"], "variation": variation}
    try:
        return play(env, act, {**start, "options": options}, watch)
    except StateError:
        return None


def _is_kept(trial: Trial | None) -> bool:
    return trial is not None and trial.is_kept
