"""How a robot stands when it has had time: how far from zero its joints are, and how much its commands chatter."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sac_control.envs.environment import Environment, Start
from sac_control.envs.motion import MotionRecord, wrapped
from sac_control.envs.trial import play
from sac_control.types import Float32Array, FloatArray
from sac_control.variation.fields import Quantity, Variation

FIRST_MINUTE = 60.0  # [s] that a robot has to come to rest
WATCHED = 15.0  # [s] after it
POSITION_NOISE, VELOCITY_NOISE = 0.001, 0.01  # [m or rad], [m/s or rad/s] of every joint while chatter is measured
CHATTER_PERIODS = 500  # at the end of an episode


class Reach:
    """How far joints go from the first minute on; `trial.play` is given it to watch.

    Attributes:
        largest: (j,) [m or rad], distance from zero to either side; of joints that turn for ever without whole turns.
        steps: control periods so far.
    """

    def __init__(self, env: Environment) -> None:
        joints = env.specification.joints
        self.largest: FloatArray = np.zeros(len(joints))
        self.steps = 0
        self._turning = [joint in env.task.continuous_joints for joint in joints]
        self._first = FIRST_MINUTE / env.specification.control_period

    def __call__(self, env: Environment, _action: Float32Array) -> None:
        """One control period later."""
        self.steps += 1
        if self.steps > self._first:
            position = env.state[0::2]
            position = np.where(self._turning, wrapped(position), position)
            self.largest = np.maximum(self.largest, np.abs(position))


def small_noise(joints: tuple[str, ...]) -> Variation:
    """Noise of measurements that any robot has, with which chatter is measured."""
    noise = {Quantity("noise", joint): POSITION_NOISE for joint in joints}
    return noise | {Quantity("noise", f"velocity({joint})"): VELOCITY_NOISE for joint in joints}


def rest_periods(control_period: float) -> int:
    """Steps of an episode in which it can be told whether a robot rests."""
    return math.ceil((FIRST_MINUTE + WATCHED) / control_period)


def unrest(env: Environment, act: Callable[[Float32Array], Float32Array], start: Start) -> list[str]:
    """What is not as the exam of the task wants it of the robot as described, in words; empty where all is.

    Args:
        env: of a task with an exam, whose episodes last `rest_periods`.
        act: what a policy answers to an observation, (o,) to (a,).
        start: keyword arguments of `Environment.reset`.
    """
    exam, specification = env.task.exam, env.specification
    assert exam is not None
    reach, record = Reach(env), MotionRecord(CHATTER_PERIODS)

    def watch(env: Environment, action: Float32Array) -> None:
        reach(env, action)
        record(env, action)

    options = {**start.get("options", {}), "variation": small_noise(specification.joints)}
    if play(env, act, {**start, "options": options}, watch).is_terminated:
        return [f"ends after {reach.steps * specification.control_period:.3g} s"]
    change = np.sqrt(record.squares(env).change)
    complaints = [
        f"{joint} rests at {far:.2g}"
        for joint, far in zip(specification.joints, reach.largest, strict=True)
        if far > exam.rest.get(joint, math.inf)
    ]
    return complaints + [
        f"{joint} chatters by {much:.2g}"
        for joint, much in zip(specification.actuated_joints, change, strict=True)
        if much > exam.chatter.get(joint, math.inf)
    ]
