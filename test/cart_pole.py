"""A cart-pole as a machine has it: dry friction, encoders with steps, velocities from their differences."""

from __future__ import annotations

import math
from types import TracebackType

import numpy as np
import pybullet

from policies import REGION, SPECIFICATION
from sac_control.policy.policy_file import PolicyFile
from sac_control.types import ActorParameters, FloatArray, JointState
from tasks_for_tests import pybullet_world

T = SPECIFICATION.control_period
LIMIT = SPECIFICATION.command_limit[0]
GAINS = (40.0, 40.0, 400.0, 60.0)  # [N per m, m/s, rad, rad/s], which stabilise it


class CartPole:
    """The simulated cart-pole, seen through encoders.

    Args:
        steps: distance of two values of either encoder [m, rad].
        friction: dry, of either joint [N, N m].
        start: [m, m/s, rad, rad/s].
    """

    def __init__(
        self,
        steps: tuple[float, float] = (1e-4, 2.0 * math.pi / 4096),
        friction: tuple[float, float] = (5.0, 0.01),
        start: tuple[float, float, float, float] = (0.0, 0.0, 0.03, 0.0),
    ) -> None:
        self._steps = steps
        self._world = world = pybullet_world("inverted_pendulum")
        for joint, most in zip(world._joints, friction, strict=True):
            pybullet.setJointMotorControl2(
                world._body, joint, pybullet.VELOCITY_CONTROL, force=most, physicsClientId=world._client
            )
        self._world.reset(start)
        self._before = self._read()
        self.is_frozen = False  # encoders say what they said before

    def __enter__(self) -> CartPole:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._world.close()

    @property
    def state(self) -> FloatArray:
        """What is so, [m, m/s, rad, rad/s]."""
        return self._world.state

    def measure(self, stamp: int) -> JointState:
        """What the encoders say at `stamp` [ns], one control period after they were read last."""
        if not self.is_frozen:
            now = self._read()
            velocity = [(new - old) / T for new, old in zip(now, self._before, strict=True)]
            self._before, self._measured = now, (np.array(now), np.array(velocity))
        position, velocity_ = self._measured
        return JointState(stamp=stamp, names=SPECIFICATION.joints, position=position, velocity=velocity_)

    def step(self, effort: float) -> None:
        """One control period under `effort` [N]."""
        self._world.step([effort])

    def _read(self) -> tuple[float, float]:
        position, angle = self._world.position
        return round(position / self._steps[0]) * self._steps[0], round(angle / self._steps[1]) * self._steps[1]


def effort_of(measured: JointState) -> float:
    """What holds the pole upright [N]."""
    position, angle = measured.position.tolist()
    velocity, rate = measured.velocity.tolist()
    effort = sum(gain * value for gain, value in zip(GAINS, (position, velocity, angle, rate), strict=True))
    return min(max(effort, -LIMIT), LIMIT)


def stabilising_file() -> PolicyFile:
    """Nearly the same as a policy: a network that holds the pole upright."""
    place, speed, angle, rate = (gain / LIMIT for gain in GAINS)
    gains = np.array([place, speed, 0.0, angle, rate], np.float32)  # of the terms observed
    both = np.stack([gains, -gains], axis=1)
    return PolicyFile(
        specification=SPECIFICATION,
        actor=ActorParameters(
            layers=(
                (both, np.zeros(2, np.float32)),
                (np.eye(2, dtype=np.float32), np.zeros(2, np.float32)),
                (np.array([[1.0, 0.0], [-1.0, 0.0]], np.float32), np.zeros(2, np.float32)),
            ),
            observation_mean=np.zeros(5, np.float32),
            observation_std=np.ones(5, np.float32),
            log_std_bounds=(-20.0, 2.0),
        ),
        run="by hand",
        run_id="0" * 31 + "1",
        policy_version=1,
        env_steps=0,
        region=REGION,
    )
