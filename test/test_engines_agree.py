"""The built-in tasks in both engines: how far apart they are after the same actions, and that the causes are known.

In pybullet the tasks keep what the original environments have: one physics step in each control period, and the
engine's damping of all that moves. In MuJoCo they have eight steps and none of that: see docs/robots.md.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from sac_control.robots.engines import is_installed
from sac_control.robots.robot import Robot
from sac_control.tasks.catalogue import make_robot_task
from sac_control.types import FloatArray
from sac_control.worlds.catalogue import make_world

pytestmark = pytest.mark.skipif(not (is_installed("pybullet") and is_installed("mujoco")), reason="not both installed")

TASKS = ["inverted_pendulum", "inverted_double_pendulum"]
PERIODS = 50
UPRIGHT = 0.2  # [rad] as far as the pole is compared: later it falls, and whatever differs grows
# Position [m] and velocity [m/s] of the cart, angle [rad] and its velocity [rad/s] of each pole.
TOLERANCES = {
    "inverted_pendulum": [0.01, 0.02, 0.02, 0.04],
    "inverted_double_pendulum": [0.01, 0.1, 0.05, 1.0, 0.1, 0.3],
}
BALANCED = [0.01, 0.02, 0.03, 0.15]  # of the nominal pendulum over all 50 periods
EQUAL = 1e-5


def trajectory(engine: str, robot: Robot, start: FloatArray, efforts: FloatArray) -> FloatArray:
    """States after each of the efforts, (n, 2j)."""
    world = make_world(engine, robot)
    world.reset(start.tolist())
    states = []
    for effort in efforts:
        world.step([effort])
        states.append(world.state)
    world.close()
    return np.array(states)


def start_and_efforts(name: str, seed: int) -> tuple[FloatArray, FloatArray]:
    task, rng = make_robot_task(name), np.random.default_rng(seed)
    (limit,) = task.specification.command_limit
    return task.sample_start(rng), limit * rng.choice([0.1, 1.0]) * rng.uniform(-1.0, 1.0, PERIODS)


@pytest.mark.parametrize("name", TASKS)
def test_tasks_move_alike_in_both_engines_while_the_pole_stands(name: str) -> None:
    task, compared = make_robot_task(name), 0
    for seed in range(10):
        start, efforts = start_and_efforts(name, seed)
        ours, theirs = (trajectory(engine, task.robot(engine), start, efforts) for engine in ("pybullet", "mujoco"))
        fallen = np.abs(ours[:, 2]) > UPRIGHT
        steps = int(fallen.argmax()) if fallen.any() else PERIODS
        assert (np.abs(ours[:steps] - theirs[:steps]).max(axis=0) < TOLERANCES[name]).all()
        compared += steps
    assert compared > 200


def balancing_efforts(robot: Robot, start: FloatArray) -> FloatArray:
    """The efforts by which a linear feedback keeps the pole up in pybullet: in the other engine nobody looks."""
    world, efforts = make_world("pybullet", robot), []
    world.reset(start.tolist())
    for _ in range(PERIODS):
        efforts.append(float(np.clip(np.dot([90.0, 100.0, 720.0, 140.0], world.state), -100.0, 100.0)))
        world.step(efforts[-1:])
    world.close()
    return np.array(efforts)


def test_the_balanced_pendulum_moves_alike_in_both_engines_over_50_periods() -> None:
    task = make_robot_task("inverted_pendulum")
    for angle in (-0.1, -0.03, 0.05, 0.1):
        start = np.array([0.0, 0.0, angle, 0.0])
        efforts = balancing_efforts(task.robot("pybullet"), start)
        ours, theirs = (trajectory(engine, task.robot(engine), start, efforts) for engine in ("pybullet", "mujoco"))
        assert np.abs(ours[:, 2]).max() < UPRIGHT
        assert (np.abs(ours - theirs).max(axis=0) < BALANCED).all()


@pytest.mark.parametrize("name", TASKS)
def test_with_the_same_step_and_without_pybullets_damping_they_move_as_one(name: str) -> None:
    robot = make_robot_task(name).robot("mujoco")
    assert robot.substeps == 8
    assert robot.air_damping == 0.0
    for seed in range(5):
        start, efforts = start_and_efforts(name, seed)
        ours, theirs = (trajectory(engine, robot, start, 0.1 * efforts) for engine in ("pybullet", "mujoco"))
        np.testing.assert_allclose(theirs, ours, rtol=0.0, atol=EQUAL)
        damped = trajectory("pybullet", dataclasses.replace(robot, air_damping=0.04), start, 0.1 * efforts)
        assert np.abs(damped - ours).max() > 100 * EQUAL
