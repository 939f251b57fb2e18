"""A joint that stands still to the last bit while it is pushed latches zero; what encoders and friction do does not."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from cart_pole import LIMIT, CartPole, T, effort_of, stabilising_file
from policies import SPECIFICATION
from sac_control.policy.controller import Controller
from sac_control.policy.frozen_joints import FrozenJoints
from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.safety import Mode
from sac_control.types import JointState

HOUR = 218_000  # control periods
N, SHARE = PolicyConfig().frozen_periods, PolicyConfig().frozen_share
CART, POLE = SPECIFICATION.joints


def watch(periods: int = N, share: float = SHARE) -> FrozenJoints:
    one = FrozenJoints(periods, share)
    one.fit(SPECIFICATION, np.array(SPECIFICATION.command_limit))
    return one


def state(cart: tuple[float, float], pole: tuple[float, float]) -> JointState:
    position, velocity = zip(cart, pole, strict=True)
    return JointState(stamp=0, names=SPECIFICATION.joints, position=np.array(position), velocity=np.array(velocity))


class Bench:
    """A controller as on a robot, with a machine that is simulated, and the time that passes meanwhile."""

    def __init__(self, machine: CartPole, **settings: object) -> None:
        self.machine, self.now, self.efforts = machine, 100.0, list[float]()
        config = PolicyConfig.from_mapping({"check_stamps": False, **settings})
        self.controller = Controller(config, lambda: self.now)
        self.controller.install(stabilising_file())
        self.controller.activate()

    def go_on(self, periods: int) -> None:
        for _ in range(periods):
            self.now += T
            action = self.controller.answer(self.machine.measure(round(1e9 * self.now)))
            assert action is not None
            self.efforts.append(float(action.command[0]))
            self.machine.step(self.efforts[-1])


@pytest.mark.parametrize("joint", [CART, POLE])
def test_a_joint_that_does_not_move_by_a_bit_under_effort_is_objected_to_by_name(joint: str) -> None:
    one, command = watch(), np.array([SHARE * LIMIT])
    words = []
    for k in range(N + 2):
        cart, pole = (0.1, 0.0) if joint == CART else (0.1 + k, 0.0), (0.0, 0.2) if joint == POLE else (k + 0.1, 0.2)
        words.append(one.objection(state(cart, pole), command))
    assert words[:N] == [""] * N, "the first state and the first push are not yet a period under effort"
    assert f"joint {joint!r} has had position" in words[-1]
    assert "its encoder is frozen, or it is blocked" in words[-1]


@pytest.mark.parametrize(
    "change",
    [
        lambda k: (state((0.1, 0.0), (0.2, math.nextafter(0.0, 1.0) * (k % 2))), LIMIT, POLE),  # moves by a bit
        lambda k: (state((0.1, 0.0), (0.2, 0.0)), 0.99 * SHARE * LIMIT, ""),  # friction may hold it
        lambda k: (state((0.1, 0.0), (0.2, 0.0)), LIMIT * (-1) ** (k // (N - 1)), ""),  # one way, then the other
    ],
)
def test_what_moves_by_a_bit_or_may_be_held_by_friction_is_not_objected_to(change: object) -> None:
    one = watch()
    for k in range(20 * N):
        measured, effort, moving = change(k)  # type: ignore[operator]
        objection = one.objection(measured, np.array([effort]))
        assert moving not in objection if moving else not objection


def test_joints_are_told_apart_by_name_and_a_driven_one_is_judged_by_its_own_effort() -> None:
    specification = dataclasses.replace(
        SPECIFICATION,
        joints=("a", "b", "c"),
        actuated_joints=("b", "a"),
        command_limit=(10.0, 2.0),
        interface=("effort", "effort"),
    )
    one = FrozenJoints(3, 0.5)
    one.fit(specification, np.array([10.0, 2.0]))
    command = np.array([1.0, 2.0])  # b hardly, a fully
    words = ""
    for k in range(9):
        numbers = {"a": 0.1 * k, "b": 0.5, "c": 0.2 * k, "gripper": 0.0}
        names = tuple(numbers)
        position = np.array([*numbers.values()])
        words = one.objection(JointState(stamp=k, names=names, position=position, velocity=position), command)
        assert not words, "b stands still, and is hardly pushed"
    command = np.array([5.0, 0.0])
    for _ in range(4):
        words = one.objection(JointState(stamp=9, names=names, position=position, velocity=position), command)
    assert "joint 'b'" in words


def test_a_frozen_encoder_latches_zero() -> None:
    with CartPole(start=(0.0, 0.0, 0.12, 0.0)) as machine:
        bench = Bench(machine)
        bench.go_on(3)
        while abs(bench.efforts[-1]) < SHARE * LIMIT:
            bench.go_on(1)
            assert len(bench.efforts) < 1000, "it does not push"
        machine.is_frozen = True
        bench.go_on(N + 2)
        assert bench.controller.mode is Mode.LATCHED_FAULT
        assert "its encoder is frozen, or it is blocked" in bench.controller.cause
        assert bench.efforts[-1] == 0.0


@pytest.mark.parametrize("settings", [{"frozen_periods": 0}, {"dry_run": True}, {"run_id": "0" * 32}])
def test_where_nothing_is_driven_or_the_setting_is_zero_nothing_is_frozen(settings: dict[str, object]) -> None:
    with CartPole(start=(0.0, 0.0, 0.12, 0.0)) as machine:
        bench = Bench(machine, **settings)
        assert not bench.controller.frozen.is_used


@pytest.mark.long
def test_an_hour_with_coarse_encoders_and_dry_friction_gives_no_false_stop() -> None:
    """Friction of a fifth of the limit, 1 mm and 400 steps per turn: the longest row was 16 of the 25 periods."""
    one, command = watch(), np.zeros(1)
    with CartPole(steps=(1e-3, 2.0 * math.pi / 400), friction=(20.0, 0.01)) as machine:
        highest, longest = 0.0, 0
        for k in range(HOUR):
            measured = machine.measure(k)
            assert not one.objection(measured, command), f"period {k}"
            longest = max(longest, *one._counts) if k else 0
            command[0] = effort_of(measured)
            highest = max(highest, abs(command[0]))
            machine.step(command[0])
            assert abs(machine.state[2]) < 0.5, "the pole has fallen: nothing is tried"
    assert highest == LIMIT
    assert 5 < longest < 20, "a plant in which this could not happen proves nothing"


def test_cart_that_stands_at_the_limit_of_its_friction_goes_on() -> None:
    """It is pushed by as much as friction bears, without end, and its encoder does not move."""
    one = watch()
    with CartPole(steps=(1e-3, 2.0 * math.pi / 400), friction=(0.29 * LIMIT, 1e3), start=(0.0,) * 4) as machine:
        for k in range(2000):
            measured = machine.measure(k)
            assert not one.objection(measured, np.array([0.28 * LIMIT]))
            machine.step(0.28 * LIMIT)
        assert measured.velocity[0] == 0.0, "it slides: nothing is tried"
