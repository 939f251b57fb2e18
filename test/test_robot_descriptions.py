"""The URDFs of the built-in robots: they move as the simulated machines do, and say what ros2_control needs.

Tolerances are absolute, in m, m/s, rad and rad/s alike, and hold over 50 control periods. docs/robots.md explains them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from sac_control import robots
from sac_control.robots.robot import Robot
from sac_control.tasks.catalogue import TASKS, make_robot_task
from sac_control.tasks.robot_task import RobotTask
from sac_control.types import FloatArray
from sac_control.worlds.catalogue import make_world
from sac_control.worlds.world import World

FOLDER = Path(robots.__file__).parent
PERIODS = 50
EQUAL = 1e-5  # two descriptions of one machine
BALANCED = {"position": 0.005, "velocity": 0.01}  # MuJoCo and pybullet, which brakes what moves, while poles stand
ROBOTS = ["inverted_pendulum", "inverted_double_pendulum"]  # a task of each

Step = Callable[[float], FloatArray]  # effort [N] -> the state one control period later
Efforts = Callable[[FloatArray], float]  # state -> effort, as a share of the limit


def stepped(world: World, start: FloatArray) -> Step:
    world.reset(start.tolist())

    def step(effort: float) -> FloatArray:
        world.step([effort])
        return world.state

    return step


def built_in(task: RobotTask, start: FloatArray) -> Step:
    """The machine that the task simulates in pybullet."""
    return stepped(make_world("pybullet", task.robot("pybullet")), start)


def in_pybullet(task: RobotTask, start: FloatArray, *, damping: float = 0.04) -> Step:
    """The URDF in pybullet; 0.04 is what its bodies are braked by where nobody says otherwise."""
    return stepped(make_world("pybullet", urdf(task, air_damping=damping)), start)


def in_mujoco(task: RobotTask, start: FloatArray) -> Step:
    """The URDF in MuJoCo with pybullet's integrator and step: semi-implicit Euler, one step per control period."""
    return stepped(make_world("mujoco", urdf(task)), start)


def urdf(task: RobotTask, **changes: float) -> Robot:
    """The robot that MuJoCo simulates, with one physics period in each control period."""
    robot = task.robot("mujoco")
    return dataclasses.replace(robot, physics_period=robot.control_period, **changes)  # type: ignore[arg-type]


def trajectory(step: Step, start: FloatArray, efforts: Efforts, limit: float) -> FloatArray:
    """States after each of `PERIODS` control periods, (PERIODS, 2j)."""
    states, state = [], start
    for _ in range(PERIODS):
        state = step(limit * efforts(state))
        states.append(state)
    return np.array(states)


def none(state: FloatArray) -> float:
    return 0.0


def at_random(seed: int) -> Efforts:
    rng = np.random.default_rng(seed)
    return lambda state: float(rng.uniform(-1.0, 1.0))


def balancing(state: FloatArray) -> float:
    gains = [0.9, 1.0, 7.2, 1.4] if len(state) == 4 else [-0.7, -1.0, -6.4, -3.1, -17.9, -2.9]
    return float(np.clip(np.dot(gains, state), -1.0, 1.0))


CASES: dict[str, tuple[list[float], Callable[[], Efforts]]] = {  # start state of three joints, and efforts
    "upright": ([0.0, 0.0, 0.05, 0.0, -0.03, 0.0], lambda: none),
    "upright_pushed": ([0.2, 0.5, 0.05, -0.5, -0.03, -0.5], lambda: at_random(1)),
    "hanging_pushed": ([0.0, 0.0, 3.1, 0.0, 0.0, 0.0], lambda: at_random(2)),
    "horizontal": ([0.0, 0.3, 1.5, 1.0, 0.3, -1.0], lambda: none),
    "at_the_rail_s_end": ([0.8, 1.0, 0.05, 0.0, -0.03, 0.0], lambda: lambda state: 0.5),
}


@pytest.fixture(params=ROBOTS)
def task(request: pytest.FixtureRequest) -> RobotTask:
    return make_robot_task(request.param)


def difference(
    task: RobotTask, case: str, one: Callable[..., Step], other: Callable[..., Step], **options: float
) -> FloatArray:
    """Largest differences between two trajectories, (2j,)."""
    numbers, make_efforts = CASES[case]
    start = np.array(numbers)[: 2 * len(task.specification.joints)]
    (limit,) = task.specification.command_limit
    pair = [
        trajectory(make(task, start, **extra), start, make_efforts(), limit)
        for make, extra in ((one, {}), (other, options))
    ]
    return np.abs(pair[0] - pair[1]).max(axis=0)


@pytest.mark.needs("pybullet")
@pytest.mark.parametrize("case", CASES)
def test_urdf_moves_in_pybullet_as_the_built_in_machine_does(task: RobotTask, case: str) -> None:
    assert (difference(task, case, built_in, in_pybullet) < EQUAL).all()


@pytest.mark.needs("pybullet")
@pytest.mark.parametrize("case", [case for case in CASES if case != "at_the_rail_s_end"])
def test_engines_agree_where_pybullet_does_not_brake(task: RobotTask, case: str) -> None:
    assert (difference(task, case, in_mujoco, in_pybullet, damping=0.0) < EQUAL).all()


@pytest.mark.needs("pybullet")
@pytest.mark.parametrize("seed", range(5))
def test_balanced_machine_moves_alike_in_mujoco_and_in_the_task(task: RobotTask, seed: int) -> None:
    start = 0.5 * task.sample_start(np.random.default_rng(seed))
    (limit,) = task.specification.command_limit
    ours, mujocos = (trajectory(make(task, start), start, balancing, limit) for make in (built_in, in_mujoco))
    worst = np.abs(ours - mujocos).max(axis=0)
    assert (worst[0::2] < BALANCED["position"]).all()
    assert (worst[1::2] < BALANCED["velocity"]).all()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.urdf")), ids=lambda path: path.name)
def test_each_moving_link_has_a_mass_and_an_inertia_that_exist_in_nature(path: Path) -> None:
    robot = ElementTree.parse(path).getroot()
    for child in robot.iterfind("joint/child"):
        (inertial,) = robot.iterfind(f"link[@name='{child.get('link')}']/inertial")
        (mass,) = inertial.iterfind("mass")
        (inertia,) = inertial.iterfind("inertia")
        assert float(mass.get("value", "nan")) > 0
        given = {key: float(value) for key, value in inertia.items()}
        ixx, iyy, izz, ixy, ixz, iyz = (given[key] for key in ("ixx", "iyy", "izz", "ixy", "ixz", "iyz"))
        moments = np.linalg.eigvalsh([[ixx, ixy, ixz], [ixy, iyy, iyz], [ixz, iyz, izz]])
        assert moments[0] > 0
        assert moments[0] + moments[1] >= moments[2]


@pytest.mark.parametrize("name", TASKS)
def test_ros2_control_commands_each_driven_joint_within_the_task_s_limit_and_reads_every_joint(name: str) -> None:
    specification = make_robot_task(name).specification
    robot = ElementTree.parse(make_robot_task(name).robot("mujoco").description).getroot()
    system = robot.find("ros2_control[@type='system']")
    assert system is not None
    assert system.findtext("hardware/plugin") == "mock_components/GenericSystem"
    assert [joint.get("name") for joint in system.iterfind("joint")] == list(specification.joints)
    driven = {}
    for joint in system.iterfind("joint"):
        states = {state.get("name") for state in joint.iterfind("state_interface")}
        assert {"position", "velocity"} <= states
        for command in joint.iterfind("command_interface"):
            assert command.get("name") == "effort"
            bounds = {param.get("name"): float(param.text or "nan") for param in command.iterfind("param")}
            driven[joint.get("name")] = bounds
            limit = robot.find(f"joint[@name='{joint.get('name')}']/limit")
            assert limit is not None
            assert float(limit.get("effort", "nan")) == bounds["max"]
    limits = zip(specification.actuated_joints, specification.command_limit, strict=True)
    assert driven == {joint: {"min": -limit, "max": limit} for joint, limit in limits}


def test_every_description_is_of_a_built_in_task() -> None:
    assert {make_robot_task(name).robot("mujoco").description for name in TASKS} == set(FOLDER.glob("*.urdf"))
