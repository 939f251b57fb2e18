"""What the controller promises: an answer for every usable state, within the limits, and zero when in doubt."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from policies import RUN_ID, SPECIFICATION, make_file, make_weights
from sac_control.errors import ConfigError, PolicyFileError
from sac_control.identity import frame_id
from sac_control.policy.controller import Controller
from sac_control.policy.limits import Limiter
from sac_control.policy.policy import Policy
from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.safety import Mode
from sac_control.types import Action, JointState, Specification

LIMIT = SPECIFICATION.command_limit[0]
TIMEOUT = 0.05
T = SPECIFICATION.control_period
SLIDER, HINGE = SPECIFICATION.joints


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0  # [s] steady
        self.wall = 1_800_000_000_000_000_000  # [ns] system time

    def __call__(self) -> float:
        return self.now

    def go_on(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self.now += seconds
        self.wall += round(1e9 * seconds)


def state(
    stamp: int = 1,
    names: tuple[str, ...] = (SLIDER, HINGE),
    position: tuple[float, ...] = (0.3, 0.1),
    velocity: tuple[float, ...] = (-0.4, 0.2),
) -> JointState:
    return JointState(stamp=stamp, names=names, position=np.array(position), velocity=np.array(velocity))


def controller(clock: Clock, file: PolicyFile | None = None, **settings: object) -> Controller:
    """An active controller that runs `file`, in lockstep: its first answer may move something already."""
    anything: dict[str, object] = {"check_stamps": False, "period_error": 100.0, "frozen_periods": 0}
    config = PolicyConfig.from_mapping(
        {"state_timeout": TIMEOUT, "lockstep": True, "accept_weights": RUN_ID, **anything, **settings}
    )
    controller = Controller(config, clock, lambda: clock.wall)
    if file is not None:
        controller.install(file)
    controller.activate()
    return controller


def mode_of(one: Controller) -> Mode:
    """Its mode, of which mypy assumes that no call changes it."""
    return one.mode


def assert_same_again(one: Controller, state: JointState, first: Action) -> None:
    """A state that was answered by `first` is answered so once more, and the answer says that it is repeated."""
    again = one.answer(state)
    assert again is not None
    assert (first.is_repeated, again.is_repeated) == (False, True)
    assert (again.stamp, again.policy_version) == (first.stamp, first.policy_version)
    assert again.command.tolist() == first.command.tolist()


def armed(clock: Clock, file: PolicyFile | None = None, **settings: object) -> Controller:
    """As above, but for hardware, and armed by states with the stamps -3, -2 and -1."""
    one = controller(clock, file or gentle_file(), lockstep=False, **settings)
    arm(one, clock, -3)
    assert mode_of(one) is Mode.ACTIVE
    return one


def arm(one: Controller, clock: Clock, stamp: int) -> None:
    """Three good states from `stamp` on."""
    for k in range(3):
        clock.go_on(T)
        assert one.answer(state(stamp + k)) is not None


def answer(controller: Controller, state: JointState) -> Action:
    action = controller.answer(state)
    assert action is not None
    return action


def gentle_file(seed: int = 0, *, version: int = 1, specification: Specification = SPECIFICATION) -> PolicyFile:
    """A policy whose actions are neither all alike nor all at their limits."""
    file = make_file(seed, version=version, specification=specification)
    *hidden, (weight, bias) = file.actor.layers
    scale = np.float32(0.02)
    actor = dataclasses.replace(file.actor, layers=(*hidden, (scale * weight, scale * bias)))
    return dataclasses.replace(file, actor=actor)


def with_output(file: PolicyFile, *, weight: float = 0.0, bias: float = 0.0) -> PolicyFile:
    """`file` with a last layer of the same numbers throughout."""
    *hidden, last = file.actor.layers
    changed = (np.full_like(last[0], weight), np.full_like(last[1], bias))
    actor = dataclasses.replace(file.actor, layers=(*hidden, changed))
    return dataclasses.replace(file, actor=actor)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_answer_is_what_the_policy_says_scaled_to_effort(clock: Clock) -> None:
    file = gentle_file(version=3)
    action = answer(controller(clock, file), state(stamp=77))
    observation = np.array([0.3, -0.4, math.cos(0.1), math.sin(0.1), 0.2], np.float32)
    np.testing.assert_array_equal(action.action, Policy(file.actor).act(observation))
    np.testing.assert_allclose(action.command_raw, LIMIT * action.action.astype(np.float64), rtol=1e-12)
    np.testing.assert_array_equal(action.command, action.command_raw)
    assert (action.stamp, action.policy_version) == (77, 3)
    assert action.action.dtype == np.float32
    assert action.command.dtype == np.float64
    assert 0.01 * LIMIT < abs(action.command[0]) < 0.99 * LIMIT


@pytest.mark.parametrize("settings", [{}, {"command_limit": 0.9 * LIMIT}])
def test_gaussian_sample_travels_as_it_is_and_is_clipped_where_it_is_commanded(
    clock: Clock, settings: dict[str, object]
) -> None:
    file = gentle_file()
    *hidden, (weight, bias) = file.actor.layers
    weight[:, 1], bias[:] = 0.0, (0.7, math.log(0.5))  # samples about a mean near the limit
    actor = dataclasses.replace(file.actor, layers=(*hidden, (weight, bias)), distribution="gaussian")
    one = controller(clock, dataclasses.replace(file, actor=actor), deterministic=False, **settings)
    limit, chosen, changed = one.limiter.limits[0], [], 0
    for stamp in range(200):
        clock.go_on(T)
        action = answer(one, state(stamp))
        chosen.append(action.action.item())
        np.testing.assert_allclose(action.command_raw, LIMIT * action.action.astype(np.float64), rtol=1e-12)
        np.testing.assert_array_equal(action.command, np.clip(action.command_raw, -limit, limit))
        changed += abs(action.command[0]) < min(abs(action.command_raw[0]), LIMIT)
    assert max(chosen) > 1.2
    assert min(chosen) < 0.8
    assert one.limiter.clamped == changed  # by the settings; what lies beyond 1 has been no command yet


def test_order_of_joints_does_not_matter(clock: Clock) -> None:
    one = controller(clock, gentle_file())
    first = answer(one, state(stamp=1))
    second = answer(one, state(2, (HINGE, SLIDER), (0.1, 0.3), (0.2, -0.4)))
    third = answer(one, state(3, ("wheel", HINGE, SLIDER), (9.0, 0.1, 0.3), (9.0, 0.2, -0.4)))
    for other in (second, third):
        np.testing.assert_array_equal(first.command, other.command)


def test_state_asked_for_again_gets_the_same_answer_even_after_a_swap(clock: Clock) -> None:
    one = controller(clock, gentle_file(version=1), deterministic=False)
    first = answer(one, state(stamp=1))
    report = one.offer(make_weights(gentle_file(seed=1, version=2)))
    assert report is not None
    assert report.accepted
    assert_same_again(one, state(stamp=1), first)
    assert one.ticks == 1
    second = answer(one, state(stamp=2))
    assert second.policy_version == 2
    assert second.command.tolist() != first.command.tolist()


def test_exploration_goes_on_across_a_swap_until_its_ticks_are_over(clock: Clock) -> None:
    file = gentle_file(version=1)
    file = dataclasses.replace(file, actor=dataclasses.replace(file.actor, sde_sample_interval=5))
    one = controller(clock, file, deterministic=False)
    actions = [answer(one, state(stamp=stamp)).action.item() for stamp in range(2)]
    report = one.offer(make_weights(dataclasses.replace(file, policy_version=2)))
    assert report is not None
    assert report.accepted
    actions += [answer(one, state(stamp=stamp)).action.item() for stamp in range(2, 10)]
    assert actions == [actions[0]] * 5 + [actions[5]] * 5
    assert actions[0] != actions[5]


@pytest.mark.parametrize("lockstep", [True, False])
def test_older_stamp_is_not_answered_until_the_newer_one_is_stale(clock: Clock, lockstep: bool) -> None:
    one = controller(clock, gentle_file(), lockstep=lockstep)
    answer(one, state(stamp=10))
    assert one.answer(state(stamp=9)) is None
    assert (one.ticks, one.admission.rejected_states) == (1, 1)
    assert "state is out of order" in one.admission.last_rejection
    clock.go_on(TIMEOUT + 0.001)
    assert answer(one, state(stamp=0)).stamp == 0  # a simulation may begin anew, or a clock be set


@pytest.mark.parametrize(
    ("unusable", "reason"),
    [
        (state(9, (SLIDER, "wheel")), f"joint {HINGE!r} is missing from the joint state"),
        (state(9, (HINGE,), (0.1,), (0.2,)), f"joint {SLIDER!r} is missing from the joint state, which holds {HINGE}"),
        (state(9, position=(math.nan, 0.1)), "not finite"),
        (state(9, position=(0.3, math.inf)), "not finite"),
        (state(9, velocity=(0.0, -math.inf)), "not finite"),
        (state(9, velocity=()), "2 names, 2 positions and 0 velocities"),
        (state(9, position=(0.3,)), "2 names, 1 positions and 2 velocities"),
        (state(9, velocity=(1e300, 0.0)), "not finite"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_unusable_state_is_counted_not_answered_and_does_not_feed_the_watchdog(
    clock: Clock, unusable: JointState, reason: str
) -> None:
    one = armed(clock)
    answer(one, state(stamp=1))
    clock.now += 0.8 * TIMEOUT
    assert one.answer(unusable) is None
    assert one.admission.rejected_states == 1
    assert reason in one.admission.last_rejection
    assert not one.must_be_safe()
    clock.now += 0.4 * TIMEOUT
    assert one.answer(unusable) is None
    assert one.must_be_safe()
    assert (one.ticks, one.admission.rejected_states) == (4, 2)


def test_usable_state_is_answered_after_unusable_ones(clock: Clock) -> None:
    one = controller(clock, gentle_file())
    for unusable in (state(1, (SLIDER,), (0.0,), (0.0,)), state(2, velocity=(math.nan, 0.0))):
        assert one.answer(unusable) is None
    expected = answer(controller(clock, gentle_file()), state(stamp=3))
    np.testing.assert_array_equal(answer(one, state(stamp=3)).command, expected.command)
    assert mode_of(one) is Mode.ACTIVE


def test_stamp_of_an_unusable_state_may_come_again(clock: Clock) -> None:
    one = controller(clock, gentle_file())
    assert one.answer(state(1, velocity=(math.nan, 0.0))) is None
    assert answer(one, state(1)).stamp == 1


@pytest.mark.filterwarnings("ignore:overflow encountered", "ignore:invalid value encountered")
def test_action_that_is_not_finite_becomes_zero_and_latches_it(clock: Clock) -> None:
    one = controller(clock, with_output(gentle_file(), bias=-math.inf, weight=math.inf))
    action = answer(one, state())
    assert not np.isfinite(action.command_raw).any()
    assert action.command.tolist() == [0.0]
    assert mode_of(one) is Mode.LATCHED_FAULT
    assert one.cause == "policy version 1 gave an action that is not finite"
    assert one.must_be_safe()


@given(st.floats(-1e30, 1e30))
def test_effort_is_always_within_its_limit(bias: float) -> None:
    bias = float(np.float32(bias))
    action = answer(controller(Clock(), with_output(gentle_file(), bias=bias), deterministic=False), state())
    assert abs(action.command[0]) <= LIMIT


@given(st.lists(st.floats(), min_size=3, max_size=3))
@example([0.0, math.nan, 0.0])
@example([0.0, 0.0, math.inf])
def test_limiter_clamps_what_is_finite_and_takes_nothing_else(values: list[float]) -> None:
    limit = np.array([1.0, 0.5, 100.0])
    limited = Limiter(limit).limit(np.array(values))
    if np.isfinite(values).all():
        assert limited is not None
        np.testing.assert_array_equal(limited, np.clip(values, -limit, limit))
    else:
        assert limited is None


def test_zero_is_held_from_the_timeout_until_three_states_have_armed_again(clock: Clock) -> None:
    one = armed(clock)
    assert answer(one, state(stamp=1)).command[0] != 0.0
    assert not one.must_be_safe()
    clock.now += TIMEOUT + 1e-6
    for _ in range(2):
        assert one.must_be_safe()
        assert mode_of(one) is Mode.HOLD
        assert one.cause == "no usable state for 0.05 s"
        assert one.safe_command().tolist() == [0.0]
    efforts = []
    for stamp in range(2, 6):
        clock.now += T
        efforts.append(float(answer(one, state(stamp)).command[0]))
    assert [effort != 0.0 for effort in efforts] == [False, False, True, True]
    assert not one.must_be_safe()


def test_while_zero_is_held_the_raw_effort_is_told_all_the_same(clock: Clock) -> None:
    one = controller(clock, gentle_file(), lockstep=False)
    action = answer(one, state())
    assert action.command.tolist() == [0.0]
    assert action.command_raw[0] != 0.0


def test_watchdog_is_due_to_the_point_when_the_newest_state_is_too_old(clock: Clock) -> None:
    one = armed(clock)
    assert one.watchdog_delay() == TIMEOUT
    clock.go_on(0.3 * TIMEOUT)
    assert one.watchdog_delay() == pytest.approx(0.7 * TIMEOUT)
    answer(one, state(0))
    assert one.watchdog_delay() == TIMEOUT
    clock.go_on(one.watchdog_delay() + 1e-9)
    assert one.must_be_safe()
    assert one.watchdog_delay() == 0.5 * T  # and from now on zero at every tick


def test_state_after_a_freeze_moves_nothing_although_no_watchdog_ran(clock: Clock) -> None:
    one = armed(clock)
    clock.now += TIMEOUT + 1e-6
    assert answer(one, state(1)).command.tolist() == [0.0]


def test_answer_is_late_where_the_process_stood_still_while_it_was_made(clock: Clock) -> None:
    one = armed(clock)
    answer(one, state(1))
    assert not one.is_late()
    clock.now += TIMEOUT + 1e-6
    assert one.is_late()


def test_silence_in_lockstep_disarms_nothing_because_time_stands_still(clock: Clock) -> None:
    one = controller(clock, gentle_file())
    first = answer(one, state(1))
    clock.now += 100.0
    assert one.must_be_safe()
    assert_same_again(one, state(1), first)
    assert answer(one, state(2)).command[0] == first.command[0] != 0.0
    assert mode_of(one) is Mode.ACTIVE


def test_silence_in_lockstep_is_a_pause_and_elsewhere_a_fault_unless_states_are_refused(clock: Clock) -> None:
    one = controller(clock, gentle_file())
    for stamp, bad in ((1, None), (2, state(3, position=(math.nan, 0.0)))):
        answer(one, state(stamp))
        assert not one.is_left_alone
        clock.now += 100.0
        if bad is not None:
            one.answer(bad)
        assert one.must_be_safe()
        assert one.is_left_alone is (bad is None)
    robots = armed(clock)
    clock.now += 100.0
    assert robots.must_be_safe()
    assert not robots.is_left_alone


def test_state_that_is_repeated_feeds_no_watchdog_and_loses_its_force_with_it(clock: Clock) -> None:
    """By a simulator in realtime, whose time may stand still, too."""
    one = controller(clock, gentle_file(), lockstep=False, run_id=RUN_ID)
    frame = frame_id(RUN_ID, SPECIFICATION.hash)

    def of_run(stamp: int) -> JointState:
        clock.go_on(T)
        return dataclasses.replace(state(stamp), frame=frame)

    for stamp in range(3):
        first = answer(one, of_run(stamp))
    assert first.command[0] != 0.0
    clock.now += 0.6 * TIMEOUT
    assert_same_again(one, of_run(2), first)
    clock.now += 0.2 * TIMEOUT
    assert one.must_be_safe()
    again = answer(one, of_run(2))
    assert (again.stamp, again.command_raw.tolist()) == (2, first.command_raw.tolist())
    assert again.command.tolist() == [0.0]
    assert one.admission.rejected_states == 0


def test_stamp_that_comes_again_from_a_robot_is_rejected_in_words_and_breaks_no_row(clock: Clock) -> None:
    one = controller(clock, gentle_file(), lockstep=False)
    for stamp in (1, 1, 2, 2, 3):
        clock.go_on(0.6 * T)
        action = one.answer(state(stamp))
    assert mode_of(one) is Mode.ACTIVE
    assert one.answer(state(3)) is None
    assert (one.ticks, one.admission.rejected_states) == (3, 3)
    assert (
        "is that of the previous state: its publisher must set the stamp of each state" in one.admission.last_rejection
    )
    assert action is not None
    clock.go_on(0.9 * TIMEOUT)
    assert one.answer(state(3)) is None
    clock.go_on(0.2 * TIMEOUT)
    assert one.must_be_safe(), "it feeds no watchdog"


@pytest.mark.parametrize("lockstep", [True, False])
def test_stop_takes_the_force_from_an_answer_that_is_asked_for_again(clock: Clock, lockstep: bool) -> None:
    one = controller(clock, gentle_file(), lockstep=lockstep)
    for stamp in range(3):
        clock.go_on(T)
        assert one.answer(state(stamp)) is not None
    assert one.last_command[0] != 0.0
    one.stop("stopped")
    assert one.last_command.tolist() == [0.0]
    if lockstep:
        assert answer(one, state(2)).command.tolist() == [0.0]
    assert answer(one, state(3)).command.tolist() == [0.0]
    assert one.must_be_safe()


def test_arming_that_is_required_comes_before_any_force(clock: Clock) -> None:
    one = controller(clock, gentle_file(), lockstep=False, require_arm=True)
    for stamp in range(10):
        clock.go_on(T)
        assert answer(one, state(stamp)).command.tolist() == [0.0]
    assert one.arm()[0]
    arm(one, clock, 10)
    assert mode_of(one) is Mode.ACTIVE
    assert answer(one, state(13)).command[0] != 0.0


def test_system_time_older_or_newer_than_the_timeout_counts_as_no_message(clock: Clock) -> None:
    one = controller(clock, gentle_file(), lockstep=False, check_stamps=True)
    for k in range(3):
        clock.go_on(T)
        answer(one, state(clock.wall - k))
    assert mode_of(one) is Mode.ACTIVE
    for age in (TIMEOUT + 0.001, -TIMEOUT - 0.001, 3600.0, -3600.0):
        clock.go_on(T / 10)
        assert one.answer(state(clock.wall - round(1e9 * age))) is None
    assert one.admission.rejected_states == 4
    clock.go_on(T / 10)
    assert answer(one, state(clock.wall - 1_000_000)).command[0] != 0.0


def test_clock_that_is_set_back_by_an_hour_costs_the_timeout_and_an_arming(clock: Clock) -> None:
    one = controller(clock, gentle_file(), lockstep=False, check_stamps=True)
    efforts = []
    for tick in range(20):
        clock.go_on(T)
        clock.wall -= 3_600_000_000_000 if tick == 10 else 0
        action = one.answer(state(clock.wall))
        efforts.append(0.0 if one.must_be_safe() or action is None else float(action.command[0]))
    assert [effort != 0.0 for effort in efforts[2:10]] == [True] * 8
    assert efforts[10:13] == [0.0] * 3
    assert [effort != 0.0 for effort in efforts[16:]] == [True] * 4


@pytest.mark.parametrize("date", [0, 1, 10**9, 10**18])
def test_age_is_checked_on_a_robot_whatever_the_date_its_clock_has(clock: Clock, date: int) -> None:
    """A clock without a battery begins in 1970; a stamp that was never set says the same."""
    one = controller(clock, gentle_file(), lockstep=False, check_stamps=True)
    assert one.answer(state(date)) is None
    words = "has no stamp" if date == 0 else "limit 0.05 s: synchronise the clocks"
    assert words in one.admission.last_rejection
    clock.wall = date + 10**7
    assert answer(one, state(date + 1)).stamp == date + 1, "the age counts, not the date"


def test_age_is_checked_neither_in_a_run_nor_where_clocks_are_said_to_differ(clock: Clock) -> None:
    one = controller(clock, gentle_file(), lockstep=False, check_stamps=False)
    arm(one, clock, clock.wall - 10**12)
    assert mode_of(one) is Mode.ACTIVE
    one = controller(clock, gentle_file(), lockstep=False, check_stamps=True, run_id=RUN_ID)
    for stamp in range(3):
        clock.go_on(T)
        answer(one, dataclasses.replace(state(stamp), frame=frame_id(RUN_ID, SPECIFICATION.hash)))
    assert mode_of(one) is Mode.ACTIVE


def test_simulated_time_that_nobody_publishes_is_asked_for(clock: Clock) -> None:
    """What rclpy's clock says with use_sim_time before the first message on /clock is 0."""
    one = controller(clock, gentle_file(), lockstep=False, check_stamps=True)
    clock.wall = 0
    assert one.answer(state(10**18)) is None
    assert "nothing is published on /clock" in one.admission.last_rejection


def test_value_that_is_not_finite_counts_as_no_message_even_where_the_policy_does_not_look(clock: Clock) -> None:
    specification = dataclasses.replace(SPECIFICATION, observation=(f"cos({HINGE})",))
    one = armed(clock, gentle_file(specification=specification))
    for bad in (math.nan, math.inf, -math.inf):
        for position, velocity in (((bad, 0.1), (0.0, 0.0)), ((0.0, 0.1), (bad, 0.0)), ((0.0, 0.1), (0.0, bad))):
            assert one.answer(state(5, position=position, velocity=velocity)) is None
    assert one.admission.rejected_states == 9
    extra = state(6, (*SPECIFICATION.joints, "gripper"), (0.0, 0.1, 0.0), (0.0, 0.0, math.nan))
    assert one.answer(extra) is not None  # whose velocity nobody measures


BAD = st.sampled_from([math.nan, math.inf, -math.inf])


@given(
    st.dictionaries(st.tuples(st.sampled_from(["position", "velocity"]), st.integers(0, 1)), BAD, min_size=1),
    st.permutations([0, 1, 2]),
    st.booleans(),
)
def test_whatever_field_is_not_finite_the_state_counts_as_no_message(
    bad: dict[tuple[str, int], float], order: list[int], is_repeated: bool
) -> None:
    """Not answered, so that nothing is commanded; counted; and neither watchdog nor row of arming sees it."""
    clock = Clock()
    one = armed(clock)
    names = (SLIDER, HINGE, "elbow")
    fields = {"position": [0.1, 0.05, math.nan], "velocity": [0.2, 0.1, math.inf]}  # elbows are nobody's business
    good = state(1, tuple(names[k] for k in order), *(tuple(values[k] for k in order) for values in fields.values()))
    for (place, joint), value in bad.items():
        fields[place][joint] = value
    wrong = {
        stamp: state(
            stamp, tuple(names[k] for k in order), *(tuple(values[k] for k in order) for values in fields.values())
        )
        for stamp in (2, 3)
    }
    clock.go_on(T)
    assert answer(one, good).command.any()
    for count, stamp in enumerate((2, 2 if is_repeated else 3), start=1):
        clock.go_on(0.4 * TIMEOUT)
        assert one.answer(wrong[stamp]) is None
        assert one.admission.rejected_states == count
        assert not one.must_be_safe()
    clock.go_on(0.3 * TIMEOUT)
    assert one.must_be_safe()
    assert mode_of(one) is Mode.HOLD
    arm(one, clock, 10)
    assert mode_of(one) is Mode.ACTIVE


def test_state_outside_of_the_envelope_latches_zero(clock: Clock) -> None:
    one = armed(clock, envelope=f"-0.9 < position({SLIDER}) < 0.9; -8 < velocity({HINGE}) < 8")
    assert answer(one, state(1, position=(0.89, 0.1))).command[0] != 0.0
    assert answer(one, state(2, position=(0.91, 0.1))).command.tolist() == [0.0]
    assert mode_of(one) is Mode.LATCHED_FAULT
    assert one.cause == f"position({SLIDER}) is 0.91, outside of its envelope from -0.9 to 0.9"
    assert answer(one, state(3)).command.tolist() == [0.0]
    assert one.arm()[0]
    arm(one, clock, 4)
    assert mode_of(one) is Mode.ACTIVE
    assert answer(one, state(8, velocity=(0.0, -8.1))).command.tolist() == [0.0]


@pytest.mark.parametrize(
    "text", ["position(a)", "1 < position(a) < 0", "0 < position(a)", "-1 < a b < 1 2", "nan < x < 1"]
)
def test_envelope_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"policy\.envelope"):
        Controller(PolicyConfig(envelope=text))


@pytest.mark.parametrize("text", ["-1 < position(elbow) < 1", "-1 < tangent(slider_to_cart) < 1"])
def test_envelope_that_the_joints_of_the_policy_cannot_be_judged_by_is_refused(clock: Clock, text: str) -> None:
    with pytest.raises(ConfigError, match=r"elbow|tangent"):
        controller(clock, gentle_file(), envelope=text)


def test_authority_grows_after_arming(clock: Clock) -> None:
    one = armed(clock, with_output(gentle_file(), bias=10.0), ramp_s=10 * T)
    efforts = []
    for stamp in range(12):
        clock.go_on(T)
        efforts.append(float(answer(one, state(stamp)).command[0]))
    np.testing.assert_allclose(efforts, [LIMIT * min(1.0, (k + 1) / 10) for k in range(12)], rtol=1e-6)


def test_effort_changes_no_faster_than_allowed_but_falls_to_zero_at_once(clock: Clock) -> None:
    one = armed(clock, with_output(gentle_file(), bias=10.0), max_command_rate=100.0)
    before = 100.0 * T  # of the state that armed
    for stamp in range(5):
        clock.go_on(T / 2)
        effort = float(answer(one, state(stamp)).command[0])
        assert effort - before == pytest.approx(100.0 * T / 2)
        before = effort
    clock.go_on(10 * T)
    one.must_be_safe()
    assert one.last_command.tolist() == [0.0]


def test_rate_is_that_of_simulated_time_in_lockstep(clock: Clock) -> None:
    one = controller(clock, with_output(gentle_file(), bias=10.0), max_command_rate=100.0)
    period = round(1e9 * T)
    efforts = [float(answer(one, state(k * period)).command[0]) for k in range(5)]
    np.testing.assert_allclose(efforts, [100.0 * T * (k + 1) for k in range(5)], rtol=1e-6)


ANYTHING = st.one_of(st.floats(), st.floats(-10.0, 10.0), st.sampled_from([0.0, 0.1, math.nan, 1e300]))
STATE = st.tuples(
    st.just("state"), st.lists(ANYTHING, max_size=4), st.integers(-(2**63), 2**63 - 1) | st.integers(-9, 99)
)
CALM = st.tuples(st.just("calm"), st.integers(1, 8))
CALL = st.tuples(st.sampled_from(["stop", "hold", "arm", "watch", "roll back", "off", "on"]))
SWAP = st.tuples(st.just("swap"), st.floats(width=32), st.floats(width=32))
LIMITS = st.tuples(
    st.just("limits"),
    st.fixed_dictionaries(
        {},
        optional={
            "command_limit": st.sampled_from([0.0, 1.0, 30.0, 99.0, 101.0, -1.0, math.nan]),
            "max_command_rate": st.sampled_from([0.0, 100.0, 500.0, math.inf]),
            "ramp_s": st.sampled_from([0.0, 0.05, 0.5]),
            "state_timeout": st.sampled_from([0.0, 0.02, 0.1, 0.5]),
        },
    ),
)
RATE = 500.0


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@given(
    st.lists(st.tuples(STATE | CALM | CALM | CALL | SWAP | LIMITS, st.floats(0.0, 0.1)), max_size=40),
    st.sampled_from([0.0, 0.1]),
    st.booleans(),
)
def test_no_force_leaves_that_is_not_finite_or_beyond_its_limit_or_changes_too_fast_whatever_comes_in(
    events: list[tuple[tuple[Any, ...], float]], ramp_s: float, lockstep: bool
) -> None:
    clock = Clock()
    envelope = f"-2 < position({SLIDER}) < 2"
    one = controller(
        clock, gentle_file(), lockstep=lockstep, max_command_rate=RATE, ramp_s=ramp_s, envelope=envelope,
        deterministic=False,
    )  # fmt: skip
    last, last_time, stamp, limit, rate = 0.0, clock.now, 0, LIMIT, RATE

    before: Action | None = None  # asked for again, it is told again, and moves nothing

    def is_again(action: Action) -> bool:
        return action.is_repeated and before is not None and action.command is before.command

    def leaves(action: Action | None) -> None:
        nonlocal last, last_time
        if action is None:
            return
        (effort,) = action.command.tolist()
        assert math.isfinite(effort)
        assert abs(effort) <= limit or is_again(action)
        if one.mode is not Mode.ACTIVE and not (lockstep and one.mode is Mode.HOLD):
            assert effort == 0.0
        if effort != 0.0:
            allowed = (rate or math.inf) * (T if lockstep else min(clock.now - last_time, T))
            assert effort == last or abs(effort - last) <= allowed + 1e-9 or abs(last) > abs(effort) == limit
        if effort != last or effort == 0.0:
            last = effort
        last_time = clock.now

    for (kind, *values), delay in events:
        clock.go_on(delay)
        if kind == "state":
            numbers, stamp_of_it = values
            half = len(numbers) // 2
            is_moving = one.mode is Mode.ACTIVE and (lockstep or not one.safety.is_stale(clock.now))
            action = one.answer(state(stamp_of_it, SPECIFICATION.joints[:half], numbers[:half], numbers[half:]))
            leaves(action)
            if action is not None and not is_again(action) and not abs(numbers[0]) < 2.0:  # out of the envelope
                assert action.command.tolist() == [0.0]
                assert mode_of(one) is Mode.LATCHED_FAULT if is_moving else mode_of(one) is not Mode.ACTIVE
            before = action or before
        elif kind == "calm":
            for _ in range(values[0]):
                clock.go_on(T)
                stamp += 1
                action = one.answer(state(stamp))
                leaves(action)
                before = action or before
        elif kind == "limits":
            try:
                config = one.checked_limits(values[0])
            except ConfigError:
                continue
            one.take_limits(config)
            limit, rate = min(LIMIT, float(config.command_limit) or LIMIT), float(config.max_command_rate)
        elif kind == "swap":
            assert one.swap.file is not None
            version = one.swap.file.policy_version + 1
            file = with_output(gentle_file(version=version), bias=values[0], weight=values[1])
            one.swap.file, one.swap.policy = file, Policy(file.actor)  # past every check of weights
        else:
            calls: dict[str, Callable[[], object]] = {
                "stop": lambda: one.stop("stopped"),
                "hold": lambda: one.hold("held"),
                "arm": one.arm,
                "watch": one.must_be_safe,
                "roll back": one.roll_back,
                "off": one.deactivate,
                "on": one.activate,
            }
            outcome = calls[kind]()
            if kind in ("stop", "hold", "off") or (kind == "watch" and outcome and not lockstep):
                last = 0.0  # which the node commands now
        assert one.safe_command().tolist() == [0.0]


def test_rollback_puts_the_policy_before_in_force_and_newer_offers_alone_replace_it(clock: Clock) -> None:
    one = controller(clock, gentle_file(version=1))
    assert one.roll_back() == (False, "there is no previous policy")
    for version in (2, 3):
        one.offer(make_weights(gentle_file(seed=version, version=version)))
    expected = answer(controller(clock, gentle_file(seed=2, version=2)), state()).command
    assert one.roll_back() == (True, "version 2 of run 'test' is in force")
    action = answer(one, state())
    assert action.policy_version == 2
    np.testing.assert_array_equal(action.command, expected)
    assert one.offer(make_weights(gentle_file(seed=3, version=3))) is None  # announced again: no verdict, no swap
    assert answer(one, state(2)).policy_version == 2
    report = one.offer(make_weights(gentle_file(seed=4, version=4)))
    assert report is not None
    assert report.accepted
    assert one.roll_back()[0]
    assert one.roll_back() == (False, "there is no previous policy")
    report = one.offer(make_weights(gentle_file(seed=3, version=3)))
    assert report is not None
    assert report.verdict == "version 3 is not newer than 4, which was in force before"


def test_nothing_is_held_before_the_first_state(clock: Clock) -> None:
    one = controller(clock, gentle_file(), lockstep=False)
    clock.now += 100.0
    assert not one.must_be_safe()
    assert (one.mode, one.cause) == (Mode.ARMING, "waits for a first state")


def test_inactive_controller_answers_nothing(clock: Clock) -> None:
    one = Controller(PolicyConfig(accept_weights=RUN_ID, check_stamps=False), clock)
    one.install(gentle_file())
    assert mode_of(one) is Mode.INACTIVE
    assert one.answer(state()) is None
    one.activate()
    answer(one, state())
    one.deactivate()
    assert mode_of(one) is Mode.INACTIVE
    assert one.answer(state()) is None
    clock.now += 10 * TIMEOUT
    assert not one.must_be_safe()
    assert (one.ticks, one.admission.rejected_states) == (1, 0)


def test_controller_that_is_armed_again_answers_afresh(clock: Clock) -> None:
    one = controller(clock, gentle_file())
    first = answer(one, state())
    one.deactivate()
    one.activate()
    again = answer(one, state())
    assert again is not first
    np.testing.assert_array_equal(again.command, first.command)


def test_without_a_policy_states_wait_for_weights(clock: Clock) -> None:
    one = controller(clock)
    assert one.answer(state()) is None
    assert (one.mode, one.cause) == (
        Mode.ARMING, "waits for policy_weights: nothing received on policy_weights from run 01234567"
    )  # fmt: skip
    assert one.safe_command().tolist() == []
    assert one.admission.rejected_states == 0
    report = one.offer(make_weights(gentle_file(version=2)))
    assert report is not None
    assert report.accepted
    assert answer(one, state()).policy_version == 2


def test_refused_weights_change_no_answer(clock: Clock) -> None:
    one = controller(clock, gentle_file(version=5))
    first = answer(one, state(stamp=1))
    other = dataclasses.replace(SPECIFICATION, command_limit=(1.0,))
    for file in (gentle_file(seed=1, version=4), gentle_file(seed=1, version=6, specification=other)):
        report = one.offer(make_weights(file))
        assert report is not None
        assert not report.accepted
    assert one.offer(make_weights(gentle_file(seed=1, version=5))) is None
    again = answer(one, state(stamp=2))
    np.testing.assert_array_equal(again.command, first.command)
    assert again.policy_version == 5


def test_policy_for_another_task_is_not_installed(clock: Clock) -> None:
    one = Controller(PolicyConfig(task="acrobot", accept_weights=RUN_ID), clock)
    with pytest.raises(PolicyFileError, match="policy is for task 'inverted_pendulum', expected 'acrobot'"):
        one.install(gentle_file())
    one.activate()
    assert one.answer(state()) is None


def test_weights_larger_than_the_setting_allows_are_refused(clock: Clock) -> None:
    report = controller(clock, max_weights_bytes=1024).offer(make_weights(gentle_file()))
    assert report is not None
    assert report.verdict.endswith("bytes, limit 1024")


def test_exploration_is_repeated_by_its_seed_and_absent_when_deterministic(clock: Clock) -> None:
    def efforts(**settings: object) -> list[float]:
        one = controller(clock, gentle_file(), **settings)
        return [float(answer(one, state(stamp)).command[0]) for stamp in range(5)]

    assert len(set(efforts(deterministic=True, seed=1))) == 1
    assert len(set(efforts(deterministic=False, seed=1))) == 5
    assert efforts(deterministic=False, seed=1) == efforts(deterministic=False, seed=1)
    assert efforts(deterministic=False, seed=1) != efforts(deterministic=False, seed=2)


def test_gap_of_a_swap_is_measured_with_the_clock_that_was_given(clock: Clock) -> None:
    one = controller(clock, gentle_file(version=1))
    report = one.offer(make_weights(gentle_file(version=2)))
    assert report is not None
    assert report.gap == 0.0
