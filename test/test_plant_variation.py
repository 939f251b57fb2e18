"""What every world promises of a plant that differs from its description: the physics of it, in each engine."""

from __future__ import annotations

import copy
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from robot_files import CART_POLE, contract_robots, make_robot
from sac_control.errors import ConfigError
from sac_control.robots.engines import is_installed
from sac_control.types import FloatArray
from sac_control.variation.fields import FIELDS, Quantity
from sac_control.worlds.catalogue import make_world
from sac_control.worlds.world import World

ENGINES = ("pybullet", "mujoco")
START = [0.1, -0.2, 0.05, 0.3]  # position and velocity of cart and pole
CART, POLE = "slider_to_cart", "cart_to_pendulum"
CHANGES = {
    f"mass({CART})": 2.0,
    f"mass({POLE})": 0.5,
    f"inertia({POLE})": 2.0,
    f"length({POLE})": 1.5,
    f"damping({CART})": 8.0,
    f"damping({POLE})": 0.5,
    f"friction({CART})": 10.0,
    f"gain({CART})": 1.4,
    f"limit({CART})": 0.2,
    f"response({CART})": 0.03,
    "gravity_tilt": 0.04,
}


def variation(text: str, value: float) -> dict[Quantity, float]:
    return {Quantity.parse(text): value}


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.skipif(not is_installed(name), reason="not installed"))
                        for name in ENGINES])  # fmt: skip
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    world = make_world(request.param, make_robot(tmp_path / "robot.urdf"))
    yield world
    world.close()


def trajectory(world: World, **how: object) -> FloatArray:
    """States after each of forty random commands, (40, 4)."""
    world.reset(START)
    states = []
    for command in np.random.default_rng(0).uniform(-80.0, 80.0, (40, 1)).tolist():
        world.step(command, **how)  # type: ignore[arg-type]
        states.append(world.state)
    return np.array(states)


@pytest.mark.parametrize(("text", "value"), CHANGES.items())
def test_each_change_moves_the_robot_otherwise_and_taking_it_back_leaves_no_bit_of_it(
    world: World, text: str, value: float
) -> None:
    described = trajectory(world)
    world.vary(variation(text, value))
    changed = trajectory(world)
    assert np.abs(changed - described).max() > 1e-3
    np.testing.assert_array_equal(trajectory(world), changed)
    world.vary({})
    np.testing.assert_array_equal(trajectory(world), described)
    world.vary(variation(text, FIELDS[Quantity.parse(text).field].neutral))
    np.testing.assert_array_equal(trajectory(world), described)


@pytest.mark.parametrize(("text", "value"), CHANGES.items())
@pytest.mark.skipif(not all(map(is_installed, ENGINES)), reason="compares both engines")
def test_each_change_means_the_same_in_both_engines(tmp_path: Path, text: str, value: float) -> None:
    robot = make_robot(tmp_path / "robot.urdf")
    ends = []
    for engine in ENGINES:
        world = make_world(engine, robot)
        described = trajectory(world)[:15]
        world.vary(variation(text, value))
        ends.append((described, trajectory(world)[:15]))
        world.close()
    (described, changed), (other_described, other_changed) = ends
    apart = np.abs(described - other_described).max()  # the engines agree on the robot as described that well
    effect = np.abs(changed - described).max()
    assert np.abs(changed - other_changed).max() < 2.0 * apart + 0.05 * effect


def test_a_joint_ends_as_many_times_as_far_away(tmp_path: Path, world: World) -> None:
    def end(command: float) -> float:
        world.reset([0.0] * 4)
        for _ in range(300):
            world.step([command])
        return world.position[0]

    (limit,) = re.findall(rf'name="{CART}".*?upper="([\d.]+)"', CART_POLE, re.DOTALL)
    described = end(40.0)
    assert described == pytest.approx(float(limit), rel=0.05)
    for factor in (0.5, 1.3):
        world.vary(variation(f"travel({CART})", factor))
        assert end(40.0) == pytest.approx(factor * described, rel=0.05)
        assert end(-40.0) == pytest.approx(-factor * described, rel=0.05)
    world.vary(variation(f"travel({POLE})", 0.5))  # which goes round and round
    assert end(40.0) == described


AIR = """
<mujoco>
  <option density="0" viscosity="0.3"/>
  <worldbody>
    <body>
      <joint name="arm" type="hinge" axis="0 1 0" damping="0"/>
      <geom type="capsule" fromto="0 0 0 0 0 0.6" size="0.05"/>
    </body>
  </worldbody>
</mujoco>
"""


@pytest.mark.parametrize("engine", ENGINES)
def test_air_brakes_as_many_times_as_much_as_described(tmp_path: Path, engine: str) -> None:
    if not is_installed(engine):
        pytest.skip(f"{engine} is not installed")
    robot = make_robot(tmp_path / "robot.xml", AIR, joints=("arm",), driven="arm")
    world = make_world(engine, dataclasses.replace(robot, air_damping=0.04))

    def height_of_a_swing(factor: float | None) -> float:
        """Angle at which it turns back, after it was let go at the height of its joint [rad from hanging]."""
        world.vary({} if factor is None else {Quantity("air_damping"): factor})
        world.reset([0.5 * np.pi, 0.0])
        while world.velocity[0] >= 0.0 or world.position[0] < np.pi:
            world.step([0.0])
        return world.position[0] - np.pi

    described = height_of_a_swing(None)
    free, thick = height_of_a_swing(1e-6), height_of_a_swing(2.0)
    assert described < free - 0.03
    assert described**2 == pytest.approx(free * thick, rel=0.05)  # each factor takes the same share
    assert height_of_a_swing(1.0) == height_of_a_swing(None) == described
    world.close()


def test_all_of_it_at_once_is_saved_loaded_and_copied_with_the_state_of_the_drives(world: World) -> None:
    changes = {Quantity.parse(text): value for text, value in CHANGES.items()}
    world.vary(changes)
    world.reset(START)
    for command in ([50.0], [-20.0], [70.0]):
        world.step(command)
    saved, twin = world.save(), copy.deepcopy(world)
    ends = []
    other = make_world(type(world).__module__.rpartition(".")[2].removesuffix("_world"), world.robot)
    other.load(saved)
    for one in (world, twin, other):
        for command in ([10.0], [-60.0], [30.0]):
            one.step(command)
        ends.append(one.state.tolist())
    twin.close()
    other.close()
    assert ends[0] == ends[1] == ends[2]


def test_mass_and_length_of_a_pole_give_the_period_of_the_pendulum_that_it_is(world: World) -> None:
    """The cart is so heavy that it stands: the pole's inertia about its joint and its moment of weight decide."""

    def seconds_of_a_swing(changes: dict[Quantity, float]) -> float:
        world.vary({**changes, Quantity("mass", CART): 100.0})
        world.reset([0.0, 0.0, np.pi - 0.02, 0.0])
        signs: list[float] = []
        while len(signs) < 3000 and not (len(signs) > 2 and signs[-1] > 0 > signs[-2]):
            world.step([0.0])
            signs.append(np.pi - world.position[1])
        return len(signs) * world.robot.control_period

    described = seconds_of_a_swing({})
    assert seconds_of_a_swing({Quantity("mass", POLE): 3.0}) == pytest.approx(described, rel=0.03)
    assert seconds_of_a_swing({Quantity("length", POLE): 1.5}) == pytest.approx(described * 1.5**0.5, rel=0.03)


def test_a_push_is_an_impulse_beside_the_drives(world: World) -> None:
    def speed(push: list[float] | None) -> float:
        world.reset([0.0] * 4)
        world.step([0.0], push=push)
        return world.velocity[0]

    still, period = speed(None), world.robot.control_period
    pushed, twice = (speed([impulse / period, 0.0]) - still for impulse in (1.0, 2.0))
    assert pushed > 0.01
    assert twice == pytest.approx(2.0 * pushed, rel=0.02)
    assert speed(None) == still


def test_a_command_that_comes_in_the_middle_of_a_period_acts_for_the_rest_of_it(world: World) -> None:
    def speed(delay: float) -> float:
        world.reset([0.0] * 4)
        world.step([40.0], before=[0.0], delay=delay)
        return world.velocity[0]

    whole, none = speed(0.0), speed(1.0)
    for delay in (0.25, 0.4, 0.7):
        assert speed(delay) - none == pytest.approx((1.0 - delay) * (whole - none), rel=0.03)


def test_drive_of_first_order_goes_63_percent_of_the_way_in_its_time_constant(world: World) -> None:
    world.vary(variation(f"response({CART})", 5 * world.robot.control_period))
    world.reset([0.0] * 4)
    for _ in range(5):
        world.step([50.0])
    assert world.effort[0] == pytest.approx(50.0 * (1.0 - np.exp(-1.0)), rel=0.02)


@pytest.mark.parametrize(
    ("text", "value", "complaint"),
    [
        ("mas(arm)", 2.0, "did you mean mass?"),
        ("mass(carriage)", 2.0, "'carriage' is none of this robot"),
        ("mass", 2.0, "nothing is none of this robot"),
        (f"mass({CART})", 0.0, "is 0: expected greater than 0"),
        (f"friction({CART})", -1.0, "is -1: expected at least 0"),
        (f"gain({POLE})", 2.0, f"'{POLE}' is none of this robot"),
        (f"length({CART})", 2.0, "slide|turn"),
        ("gravity_tilt", float("nan"), "is nan"),
    ],
)
def test_what_no_robot_has_is_refused_and_changes_nothing(
    world: World, text: str, value: float, complaint: str
) -> None:
    described = trajectory(world)
    with pytest.raises(ConfigError, match=complaint.replace("(", r"\(").replace(")", r"\)")):
        world.vary(variation(text, value))
    np.testing.assert_array_equal(trajectory(world), described)


@pytest.mark.parametrize(("field", "kind"), [("gain", "velocity"), ("limit", "position")])
def test_gain_and_limit_are_of_drives_that_are_commanded_by_effort(tmp_path: Path, field: str, kind: str) -> None:
    robot = contract_robots(tmp_path)[kind]
    engine = next(filter(is_installed, ENGINES))
    world = make_world(engine, robot)
    with pytest.raises(ConfigError, match=f"commanded by {kind}"):
        world.vary({Quantity(field, robot.drives[0].joint): 0.5})
    world.vary({Quantity("response", robot.drives[0].joint): 0.05})
    world.close()
