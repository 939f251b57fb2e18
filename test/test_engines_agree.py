"""The built-in tasks in both engines: how far apart they are after the same actions, and that the causes are known.

In pybullet the tasks keep what the original environments have: one physics step in each control period, and the engine's
damping of all that moves. In MuJoCo they have eight steps and none of that. `docs/robots.md` has the figures.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from sac_control.robots.robot import Robot
from sac_control.tasks.catalogue import make_task
from sac_control.types import FloatArray
from sac_control.worlds.catalogue import is_installed, make_world

pytestmark = pytest.mark.skipif(not (is_installed("pybullet") and is_installed("mujoco")), reason="not both installed")

TASKS = ["inverted_pendulum", "inverted_double_pendulum"]
PERIODS = 50
UPRIGHT = 0.2  # [rad] as far as the pole is compared: later it falls, and whatever differs grows
# Position [m], its velocity [m/s]; angle [rad], its velocity [rad/s]: of the cart, the pole, the second pole.
TOLERANCES = {
    "inverted_pendulum": [0.01, 0.02, 0.02, 0.1],
    "inverted_double_pendulum": [0.01, 0.1, 0.1, 1.0, 0.2, 2.0],
}
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
    task, rng = make_task(name), np.random.default_rng(seed)
    (limit,) = task.specification.command_limit
    return task.sample_start(rng), limit * rng.choice([0.1, 1.0]) * rng.uniform(-1.0, 1.0, PERIODS)


@pytest.mark.parametrize("name", TASKS)
def test_tasks_move_alike_in_both_engines_while_the_pole_stands(name: str) -> None:
    task, compared = make_task(name), 0
    for seed in range(20):
        start, efforts = start_and_efforts(name, seed)
        ours, theirs = (trajectory(engine, task.robot(engine), start, efforts) for engine in ("pybullet", "mujoco"))
        fallen = np.abs(ours[:, 2]) > UPRIGHT
        steps = int(fallen.argmax()) if fallen.any() else PERIODS
        print(name, seed, steps, np.abs(ours[:steps] - theirs[:steps]).max(axis=0))
        assert (np.abs(ours[:steps] - theirs[:steps]).max(axis=0) < TOLERANCES[name]).all()
        compared += steps
    assert compared > 200


@pytest.mark.parametrize("name", TASKS)
def test_with_the_same_step_and_without_pybullets_damping_they_move_as_one(name: str) -> None:
    robot = make_task(name).robot("mujoco")
    assert robot.substeps == 8
    assert robot.air_damping == 0.0
    for seed in range(5):
        start, efforts = start_and_efforts(name, seed)
        ours, theirs = (trajectory(engine, robot, start, 0.1 * efforts) for engine in ("pybullet", "mujoco"))
        np.testing.assert_allclose(theirs, ours, rtol=0.0, atol=EQUAL)
        damped = trajectory("pybullet", dataclasses.replace(robot, air_damping=0.04), start, 0.1 * efforts)
        assert np.abs(damped - ours).max() > 100 * EQUAL
