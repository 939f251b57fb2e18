"""What a policy node commands where nothing may move: effort 0, velocity 0, and the position where the fault began."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from policies import RUN_ID, SPECIFICATION, make_file
from sac_control.errors import PolicyFileError
from sac_control.policy.controller import Controller
from sac_control.policy.frozen_joints import FrozenJoints
from sac_control.policy.limits import Limiter
from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.safe_command import SafeCommand
from sac_control.policy.safety import Mode
from sac_control.policy.shadow_process import check_shadow
from sac_control.types import Action, JointState, Specification

TIMEOUT = 0.05
T = SPECIFICATION.control_period
SLIDER, HINGE = SPECIFICATION.joints
LIMIT = 2.0  # [unit of the interface] of each joint
ALONE = [("effort",), ("velocity",), ("position",)]
INTERFACES = [*ALONE, ("position", "velocity"), ("effort", "position")]  # of the slider, and of the hinge
NAMES = ["+".join(interfaces) for interfaces in INTERFACES]


def specification(interfaces: tuple[str, ...]) -> Specification:
    return dataclasses.replace(
        SPECIFICATION,
        actuated_joints=(SLIDER, HINGE)[: len(interfaces)],
        interface=interfaces,
        command_limit=(LIMIT,) * len(interfaces),
    )


def pushing_file(interfaces: tuple[str, ...], output: float = math.inf, version: int = 1) -> PolicyFile:
    """A policy whose actions are all tanh(`output`)."""
    file = make_file(version=version, specification=specification(interfaces))
    *hidden, (weight, bias) = file.actor.layers
    last = np.zeros_like(weight), np.full_like(bias, min(output, 20.0))
    return dataclasses.replace(file, actor=dataclasses.replace(file.actor, layers=(*hidden, last)))


class Rig:
    """A controller of a robot, a clock that is set by hand, and joints that stand where they are put."""

    def __init__(self, interfaces: tuple[str, ...], file: PolicyFile | None = None, **settings: object) -> None:
        self.now, self.wall, self.stamp = 1000.0, 1_800_000_000_000_000_000, 0
        self.interfaces = interfaces
        anything: dict[str, object] = {"check_stamps": False, "period_error": 100.0, "frozen_periods": 0}
        config = {"state_timeout": TIMEOUT, "accept_weights": RUN_ID, **anything, **settings}
        self.controller = Controller(PolicyConfig.from_mapping(config), lambda: self.now, lambda: self.wall)
        self.controller.install(file or pushing_file(interfaces))
        self.controller.activate()
        self.position = [0.3, 0.1]

    def answer(self, *, velocity: float = 0.0) -> Action | None:
        """One period later, what the controller says to the next state."""
        self.now, self.stamp = self.now + T, self.stamp + round(1e9 * T)
        position, velocities = np.array(self.position), np.array([velocity, 0.0])
        return self.controller.answer(
            JointState(stamp=self.stamp, names=(SLIDER, HINGE), position=position, velocity=velocities)
        )

    def command(self) -> list[float]:
        """One period later, what is commanded."""
        action = self.answer()
        assert action is not None
        assert self.controller.last_command is action.command
        return [float(value) for value in action.command]

    def armed(self) -> Rig:
        self.answer()
        self.controller.arm()
        while self.mode is not Mode.ACTIVE:
            self.answer()
        return self

    def safe(self, *position: float) -> list[float]:
        """The safe command where a fault began at `position`."""
        return [
            where if interface == "position" else 0.0
            for where, interface in zip(position, self.interfaces, strict=False)
        ]

    @property
    def mode(self) -> Mode:
        return self.controller.mode

    @property
    def held(self) -> list[float]:
        """What the node sends for as long as nothing may move."""
        assert not self.controller.lacks_position
        return [float(value) for value in self.controller.safe_command()]


@pytest.fixture(params=INTERFACES, ids=NAMES)
def rig(request: pytest.FixtureRequest) -> Rig:
    """Armed, and commanding its limits from positions 0.5 and 0.2."""
    one = Rig(request.param, require_arm=True).armed()
    one.position = [0.5, 0.2]
    assert one.command() == [LIMIT] * len(one.interfaces)
    return one


def silence(rig: Rig) -> None:
    rig.now += TIMEOUT + 1e-6
    assert rig.controller.must_be_safe()


def freeze(rig: Rig) -> None:
    """The process stood still, so that nobody watched."""
    rig.now += 10 * TIMEOUT
    rig.answer()


def unfinished_policy(rig: Rig) -> None:
    rig.controller.swap.policy = type(
        "Policy", (), {"act": lambda *_: np.full(len(rig.interfaces), math.nan, np.float32)}
    )()
    rig.answer()


FAULTS: dict[str, Callable[[Rig], object]] = {
    "silence": silence,
    "freeze": freeze,
    "stop": lambda rig: rig.controller.stop("stopped"),
    "fault of a callback": lambda rig: rig.controller.hold("TypeError"),
    "deactivation": lambda rig: rig.controller.deactivate(),
    "action that is not finite": unfinished_policy,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_ends_in_the_safe_command_and_it_stays_the_same(rig: Rig, fault: str) -> None:
    FAULTS[fault](rig)
    assert rig.mode is not Mode.ACTIVE
    assert rig.held == rig.safe(0.5, 0.2)
    for rig.position in ([0.6, 0.3], [0.7, 0.4]):  # it sinks, or somebody pushes it
        rig.controller.must_be_safe()
        assert rig.held == rig.safe(0.5, 0.2)
        if rig.mode is not Mode.INACTIVE:
            assert rig.command() == rig.safe(0.5, 0.2)
    rig.now += 2 * TIMEOUT
    rig.controller.must_be_safe()
    assert rig.held == rig.safe(0.5, 0.2)


@pytest.mark.parametrize("interfaces", INTERFACES, ids=NAMES)
def test_envelope_and_frozen_joint_latch_the_safe_command_where_they_were_seen(interfaces: tuple[str, ...]) -> None:
    one = Rig(interfaces, envelope=f"-1 < position({SLIDER}) < 1").armed()
    one.position = [1.2, 0.2]
    assert one.command() == one.safe(1.2, 0.2)
    assert one.mode is Mode.LATCHED_FAULT
    one = Rig(interfaces, frozen_periods=5, frozen_share=0.3).armed()
    for _ in range(8):
        command = one.command()
    assert one.mode is Mode.LATCHED_FAULT
    assert "position 0.3" in one.controller.cause
    assert command == one.safe(0.3, 0.1)


@pytest.mark.parametrize("interfaces", INTERFACES, ids=NAMES)
def test_rejected_state_is_no_measurement(interfaces: tuple[str, ...]) -> None:
    one = Rig(interfaces).armed()
    one.position = [0.9, 0.9]
    assert one.answer(velocity=math.nan) is None
    one.controller.stop("stopped")
    assert one.held == one.safe(0.3, 0.1)


def test_the_next_fault_begins_where_the_robot_is_then(rig: Rig) -> None:
    silence(rig)
    assert rig.held == rig.safe(0.5, 0.2)
    rig.armed().position = [0.8, 0.4]
    assert rig.command() == [LIMIT] * len(rig.interfaces)
    rig.controller.stop("stopped")
    assert rig.held == rig.safe(0.8, 0.4)


def test_a_second_fault_before_arming_moves_nothing(rig: Rig) -> None:
    silence(rig)
    rig.position = [0.8, 0.4]
    rig.answer()
    rig.controller.stop("stopped")
    assert rig.held == rig.safe(0.5, 0.2)


def test_before_arming_the_first_position_is_held(rig: Rig) -> None:
    rig.controller.deactivate()
    rig.controller.activate()
    commands = []
    for rig.position in ([0.6, 0.3], [0.7, 0.4]):
        commands.append(rig.command())
    assert rig.mode is Mode.ARMING
    assert commands == [rig.safe(0.6, 0.3)] * 2


@pytest.mark.parametrize("act", [lambda rig: rig.controller.stop("stopped"), lambda rig: rig.controller.deactivate()])
@pytest.mark.parametrize("interfaces", INTERFACES, ids=NAMES)
def test_position_that_was_never_measured_is_not_made_up(
    interfaces: tuple[str, ...], act: Callable[[Rig], object]
) -> None:
    one = Rig(interfaces)
    act(one)
    if "position" in interfaces:
        assert "the position that would be held was not measured" in one.controller.lacks_position
        assert [math.isnan(value) for value in one.controller.safe_command()] == [i == "position" for i in interfaces]
    else:
        assert one.held == [0.0] * len(interfaces)


def test_what_was_measured_before_an_activation_is_not_held_after_it(rig: Rig) -> None:
    rig.controller.deactivate()
    rig.controller.activate()
    rig.controller.stop("stopped")
    assert bool(rig.controller.lacks_position) is ("position" in rig.interfaces)
    silence_is_told = rig.controller.cause
    assert "stopped" in silence_is_told


def test_while_somebody_else_commands_no_position_grows_old(rig: Rig) -> None:
    rig.controller.blocked_by = "another node commands"
    rig.controller.stop("another node commands")
    assert rig.held == rig.safe(0.5, 0.2)
    rig.position = [0.9, 0.6]
    rig.answer()
    rig.controller.blocked_by = ""
    rig.position = [1.0, 0.7]
    assert rig.command() == rig.safe(0.9, 0.6)


@pytest.mark.parametrize("interfaces", INTERFACES, ids=NAMES)
def test_limits_grow_from_the_safe_command_after_arming(interfaces: tuple[str, ...]) -> None:
    one = Rig(interfaces, ramp_s=10 * T).armed()
    start = one.safe(0.3, 0.1)
    assert one.controller.last_command.tolist() == pytest.approx(start)
    for k in range(1, 12):
        share = min(1.0, k / 10)
        np.testing.assert_allclose(one.command(), [a + share * (LIMIT - a) for a in start], rtol=1e-6)


@pytest.mark.parametrize("interfaces", INTERFACES, ids=NAMES)
def test_commands_change_from_the_safe_one_no_faster_than_allowed(interfaces: tuple[str, ...]) -> None:
    rates = ", ".join(f"{joint}: 1" for joint in (SLIDER, HINGE)[: len(interfaces)])
    one = Rig(interfaces, max_command_rate=rates).armed()
    start = one.safe(0.3, 0.1)  # the state that arms is the first that commands
    for k in range(2, 10):
        np.testing.assert_allclose(one.command(), [a + k * T for a in start], rtol=1e-6)
    one.position = [0.31, 0.12]
    one.controller.must_be_safe()
    one.controller.stop("stopped")
    assert one.held == one.safe(0.3, 0.1), "the newest state that was used"


def test_first_state_may_arm_in_lockstep_and_starts_from_its_position() -> None:
    one = Rig(("position",), lockstep=True, max_command_rate=1.0)
    assert one.command() == [pytest.approx(0.3 + T)]


def test_position_comes_back_from_beyond_its_limit_as_slowly_as_any_command() -> None:
    safe = SafeCommand((SLIDER,), ("position",))
    safe.measure(JointState(stamp=0, names=(SLIDER,), position=np.array([3.0]), velocity=np.zeros(1)))
    limiter = Limiter(np.array([LIMIT]), np.array([10.0]), safe)
    assert limiter.limit(np.array([0.0]), 0.1) == [pytest.approx(2.0)]
    assert limiter.limit(np.array([5.0]), 0.1) == [LIMIT]
    limiter.set(np.array([0.5]), np.array([10.0]))
    assert limiter.limit(np.array([1.0]), 0.1) == [pytest.approx(1.0)], "it is not thrown to a limit that shrank"
    limiter = Limiter(np.array([LIMIT]), None, safe)
    limiter.release()
    assert limiter.limit(np.array([-9.0]), 0.1, 0.0) == [3.0], "nor at the begin of a ramp"
    assert limiter.limit(np.array([-9.0]), 0.1, 0.5) == [0.5]
    assert limiter.limit(np.array([-9.0]), 0.1, 1.0) == [-LIMIT]


def test_effort_comes_back_at_once_from_a_limit_that_shrank() -> None:
    limiter = Limiter(np.array([LIMIT]), np.array([10.0]))
    for _ in range(3):
        limiter.limit(np.array([LIMIT]), 0.1)
    limiter.set(np.array([0.5]), np.array([10.0]))
    assert limiter.limit(np.array([1.0]), 0.1) == [0.5]


def test_robot_with_another_zero_and_direction_is_told_its_own_position() -> None:
    one = Rig(("position",), joint_offset=f"{SLIDER}: 1", joint_sign=f"{SLIDER}: -1")
    measured = JointState(
        stamp=1, names=(SLIDER, HINGE), position=np.array([0.4, 0.1]), velocity=np.zeros(2)
    )  # as the robot says it
    joints = one.controller.robot_joints
    one.controller.answer(joints.state(measured))
    assert one.held == [pytest.approx(0.6)]
    assert joints.command(one.controller.safe_command()) == [pytest.approx(0.4)]


def test_joint_that_is_driven_by_position_must_be_measured_though_it_is_not_observed() -> None:
    observed = dataclasses.replace(specification(("position",)), joints=(HINGE,), observation=(f"position({HINGE})",))
    file = make_file(specification=observed)
    one = Rig(("position",), file, accept_without_region=True)
    state = JointState(stamp=1, names=(HINGE,), position=np.zeros(1), velocity=np.zeros(1))
    assert one.controller.answer(state) is None
    assert SLIDER in one.controller.admission.last_rejection
    assert one.command() == [0.3]


def frozen_after(interface: str, command: float, positions: Sequence[float], joint: str = SLIDER) -> bool:
    """Whether the joint is told as frozen where the slider is commanded `command` and stands at each of `positions`."""
    frozen = FrozenJoints(5, 0.3)
    frozen.fit(specification((interface,)), np.array([LIMIT]))
    objections = [
        frozen.objection(
            JointState(
                stamp=k,
                names=(SLIDER, HINGE),
                position=np.array([value, 0.0 if joint == HINGE else 0.01 * k]),
                velocity=np.zeros(2),
            ),
            np.array([command]),
        )
        for k, value in enumerate(positions)
    ]
    return any(joint in objection for objection in objections)


def test_frozen_joint_is_one_that_does_not_go_where_it_is_commanded_to() -> None:
    still, moving = [1.0] * 10, [1.0 + 0.01 * k for k in range(10)]
    assert frozen_after("effort", LIMIT, still)
    assert frozen_after("velocity", LIMIT, still)
    assert frozen_after("position", 1.7, still)
    assert not frozen_after("position", 1.5, still), "it is nearly there: friction may hold it"
    assert not frozen_after("position", 1.0, still), "it is there"
    assert not frozen_after("velocity", 0.5, still)
    assert not any(frozen_after(interface, LIMIT, moving) for interface in ("effort", "velocity", "position"))


def test_what_is_not_driven_may_rest_unless_an_effort_shakes_it() -> None:
    moving = [-1.0 + 0.01 * k for k in range(10)]
    assert frozen_after("effort", LIMIT, moving, HINGE)
    assert not frozen_after("velocity", LIMIT, moving, HINGE)
    assert not frozen_after("position", LIMIT, moving, HINGE)


def test_shadow_policy_commands_by_the_same_interfaces() -> None:
    with pytest.raises(PolicyFileError, match="commands by velocity, in force is one that commands by position"):
        check_shadow(specification(("velocity",)), specification(("position",)))
