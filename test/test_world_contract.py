"""What every world promises, whichever engine simulates it and whichever way the robot is driven."""

from __future__ import annotations

import copy
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from robot_files import (
    CART_POLE,
    CONTROL_PERIOD,
    STRONG,
    contract_robots,
    make_robot,
)
from sac_control.errors import StateError
from sac_control.robots.engines import is_installed
from sac_control.robots.robot import Robot
from sac_control.tasks.catalogue import make_robot_task
from sac_control.worlds.catalogue import engines, make_world
from sac_control.worlds.world import World

KINDS = ("effort", "velocity", "position", "other_order", "strange_names")
START = [0.1, -0.2, 0.05, 0.3]  # position and velocity of each joint
STARTS = {"free": START, "at_the_limit": [0.999, 2.0, 0.1, 0.0]}
LARGEST = {"effort": 100.0, "velocity": 1.0, "position": 0.3}  # commands
WITHIN = {"velocity": 2, "position": 15}  # control periods until a drive is where it was told to be

Row = tuple[list[float], list[float], list[float]]


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.skipif(not is_installed(name), reason="not installed"))
                        for name in engines()])  # fmt: skip
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def robots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Robot]:
    return contract_robots(tmp_path_factory.mktemp("robots"))


@pytest.fixture(params=KINDS)
def robot(request: pytest.FixtureRequest, robots: dict[str, Robot]) -> Robot:
    return robots[request.param]


@pytest.fixture
def world(engine: str, robot: Robot) -> Iterator[World]:
    world = make_world(engine, robot)
    yield world
    world.close()


def commands(robot: Robot, seed: int, count: int) -> list[list[float]]:
    largest = LARGEST[robot.drives[0].interface]
    return np.random.default_rng(seed).uniform(-largest, largest, (count, 1)).tolist()


def rows(world: World, those: Sequence[Sequence[float]]) -> list[Row]:
    """Position, velocity and effort after each of the commands."""
    answers = []
    for command in those:
        world.step(command)
        answers.append((world.position, world.velocity, world.effort))
    return answers


def repickled(thing: Any) -> Any:
    return pickle.loads(pickle.dumps(thing))  # noqa: S301  our own


# States


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_reset_puts_the_robot_exactly_there_and_forgets_all_that_was(
    world: World, engine: str, start: list[float]
) -> None:
    fresh = make_world(engine, world.robot)
    after = commands(world.robot, 2, 60)
    fresh.reset(start)
    expected = rows(fresh, after)
    fresh.close()
    for seed in (1, 3):
        world.reset([0.9, 2.0, -0.7, 4.0])
        rows(world, commands(world.robot, seed, 60))
        world.reset(start)
        assert (world.position, world.velocity, world.effort) == (start[0::2], start[1::2], [0.0, 0.0])
        assert world.state.tolist() == start
        assert rows(world, after) == expected


def test_what_a_world_tells_has_one_place_for_each_joint_and_is_never_changed_later(world: World) -> None:
    world.reset(START)
    kept = (world.position, world.velocity, world.effort, world.state)
    copies = copy.deepcopy(kept)
    rows(world, commands(world.robot, 1, 3))
    for one, other in zip(kept, copies, strict=True):
        np.testing.assert_array_equal(one, other)
    assert world.position != kept[0]
    for numbers in (world.position, world.velocity, world.effort):
        assert isinstance(numbers, list)
        assert [type(number) for number in numbers] == [float, float]
    state = world.state
    assert state.shape == (4,)
    assert state.dtype == np.float64
    np.testing.assert_array_equal(state[0::2], world.position)
    np.testing.assert_array_equal(state[1::2], world.velocity)
    state[:] = 7.0
    assert 7.0 not in world.position


def test_joints_are_told_in_the_order_of_the_robot_whatever_that_of_the_file_is(
    engine: str, robots: dict[str, Robot]
) -> None:
    one, other = (make_world(engine, robots[kind]) for kind in ("effort", "other_order"))
    one.reset(START)
    other.reset([*START[2:], *START[:2]])
    for command in commands(one.robot, 1, 30):
        one.step(command)
        other.step(command)
        assert (one.position, one.velocity, one.effort) == (
            other.position[::-1], other.velocity[::-1], other.effort[::-1],
        )  # fmt: skip
    one.close()
    other.close()


def test_worlds_in_one_process_do_not_touch_each_other(engine: str, robots: dict[str, Robot]) -> None:
    worlds = [make_world(engine, robots[kind]) for kind in KINDS]
    all_commands = [commands(world.robot, seed, 40) for seed, world in enumerate(worlds)]
    alone = []
    for world, those in zip(worlds, all_commands, strict=True):
        world.reset(START)
        alone.append(rows(world, those))
    for world in worlds:
        world.reset(START)
    together: list[list[Row]] = [[] for _ in worlds]
    for step in range(40):
        for place, world in enumerate(worlds):
            together[place] += rows(world, all_commands[place][step : step + 1])
    assert together == alone
    worlds[0].close()
    worlds[1].reset(START)
    assert rows(worlds[1], all_commands[1]) == alone[1]
    for world in worlds:
        world.close()


# Saved states


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_what_was_saved_goes_on_to_the_last_bit_in_any_world_of_the_robot(
    world: World, engine: str, start: list[float]
) -> None:
    other = make_world(engine, world.robot)
    world.reset(start)
    other.reset([0.0] * 4)
    rows(other, commands(world.robot, 3, 10))
    rows(world, commands(world.robot, 1, 5))
    saved, there = world.save(), (world.position, world.velocity, world.effort)
    after = commands(world.robot, 2, 40)
    expected = rows(world, after)
    for each in (other, world, copy.copy(other), copy.deepcopy(other), repickled(other)):
        each.load(saved)
        assert (each.position, each.velocity, each.effort) == there
        assert rows(each, after) == expected
        if each is not world:
            each.close()


@pytest.mark.parametrize("make_copy", [copy.copy, copy.deepcopy, repickled])
def test_a_copy_goes_on_as_the_original_and_moves_it_not(world: World, make_copy: Callable[[World], World]) -> None:
    world.reset(START)
    rows(world, commands(world.robot, 1, 5))
    copied = make_copy(world)
    assert (copied.position, copied.velocity, copied.effort) == (world.position, world.velocity, world.effort)
    after = commands(world.robot, 2, 20)
    answers = rows(copied, after)
    copied.close()
    assert rows(world, after) == answers


def test_what_is_damaged_or_of_another_robot_is_refused_and_changes_nothing(
    engine: str, robots: dict[str, Robot]
) -> None:
    world, strong = make_world(engine, robots["effort"]), make_world(engine, robots["velocity"])
    foreign = [strong.save()]
    for name in filter(is_installed, engines()):
        task = make_robot_task("inverted_double_pendulum" if name == engine else "inverted_pendulum")
        stranger = make_world(name, task.robot(name) if name == engine else robots["effort"])
        foreign.append(stranger.save())
        stranger.close()
    world.reset(START)
    saved = world.save()
    turned = bytearray(saved)
    turned[-1] ^= 1
    for wrong in (b"", os.urandom(len(saved)), saved[:-1], saved[: len(saved) // 2], bytes(turned), *foreign):
        with pytest.raises(StateError, match=r"expected what save\(\) gave for the same machine, effort.urdf"):
            world.load(wrong)
    assert world.state.tolist() == START
    assert world.save() == saved
    world.close()
    strong.close()


# Drives


def test_effort_at_the_driven_joint_is_what_was_commanded_and_none_at_the_others(
    engine: str, robots: dict[str, Robot]
) -> None:
    for kind in ("effort", "strange_names", "other_order"):
        world = make_world(engine, robots[kind])
        world.reset(START)
        place = world.robot.joints.index(world.robot.drives[0].joint)
        for command in commands(world.robot, 1, 5):
            world.step(command)
            assert world.effort[place] == pytest.approx(command[0], abs=1e-9)
            assert world.effort[1 - place] == 0.0
        world.close()


@pytest.mark.parametrize("wrong", [[], [1.0, 2.0], [np.nan], [np.inf], [-np.inf]])
def test_a_command_that_is_not_one_finite_number_for_each_drive_is_refused_and_moves_nothing(
    world: World, wrong: list[float]
) -> None:
    world.reset(START)
    with pytest.raises(ValueError, match="expected 1 finite number"):
        world.step(wrong)
    assert world.state.tolist() == START


@pytest.mark.parametrize("target", [0.5, -0.3])
@pytest.mark.parametrize("interface", WITHIN)
def test_velocity_and_position_drives_are_where_they_were_told_to_be_soon_and_stay_there(
    engine: str, robots: dict[str, Robot], interface: str, target: float
) -> None:
    world = make_world(engine, robots[interface])
    world.reset([0.0, 0.0, 0.05, 0.0])
    for period in range(WITHIN[interface] + 20):
        world.step([target])
        reached = world.velocity[0] if interface == "velocity" else world.position[0]
        if period >= WITHIN[interface] - 1:
            assert abs(reached - target) < 0.05 * abs(target)
    assert world.effort[0] != 0.0
    assert world.effort[1] == 0.0
    world.close()


@pytest.mark.parametrize("interface", ["velocity", "position"])
@pytest.mark.parametrize("whose", ["drive", "description"])
def test_no_drive_gives_more_effort_than_it_or_the_description_has(
    engine: str, tmp_path: Path, interface: str, whose: str
) -> None:
    most = 5.0 if whose == "drive" else 100.0
    robot = make_robot(
        tmp_path / "weak.urdf",
        STRONG if whose == "drive" else CART_POLE,
        interface=interface,
        limit=10.0,
        max_effort=most if whose == "drive" else None,
    )
    world = make_world(engine, robot)
    world.reset([0.0, 0.0, 0.0, 0.0])
    world.step([10.0])
    assert world.effort[0] == pytest.approx(most, rel=1e-6)
    mass = 10.47  # [kg] of the cart, which the pole helps to resist
    assert 0.0 < world.velocity[0] < most / mass * CONTROL_PERIOD * 1.01
    world.close()


def test_no_effort_drive_gives_more_than_the_description_allows(engine: str, robots: dict[str, Robot]) -> None:
    world = make_world(engine, robots["effort"])
    ends = []
    for command in (100.0, 500.0):
        world.reset(START)
        world.step([command])
        ends.append((world.position, world.velocity, world.effort))
    assert ends[0] == ends[1]
    assert ends[0][2][0] == pytest.approx(100.0)
    world.close()


# Pictures, and the end


def test_a_picture_has_the_size_that_was_asked_for_and_shows_where_the_robot_is(world: World) -> None:
    pictures = []
    for state in (START, [-0.6, 0.0, 0.4, 0.0]):
        world.reset(state)
        before = world.save()
        picture = world.render(width=80, height=60)
        assert picture.shape == (60, 80, 3)
        assert picture.dtype == np.uint8
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 10
        assert world.save() == before
        pictures.append(picture)
    assert (pictures[0] != pictures[1]).any()


def test_a_world_may_be_closed_twice(world: World) -> None:
    world.close()
    world.close()
