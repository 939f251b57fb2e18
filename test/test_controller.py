"""What the controller promises: an answer for every usable state, within the limits, and zero when in doubt."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import SPECIFICATION, make_file, make_weights
from sac_control.config import PolicyConfig
from sac_control.errors import PolicyFileError
from sac_control.policy.controller import Controller
from sac_control.policy.policy import Policy
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.safety import EffortLimiter, Mode, StateWatchdog
from sac_control.types import Action, JointState, Specification

LIMIT = SPECIFICATION.effort_limit[0]
TIMEOUT = 0.05
SLIDER, HINGE = SPECIFICATION.joints


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def state(
    stamp: int = 1,
    names: tuple[str, ...] = (SLIDER, HINGE),
    position: tuple[float, ...] = (0.3, 0.1),
    velocity: tuple[float, ...] = (-0.4, 0.2),
) -> JointState:
    return JointState(stamp=stamp, names=names, position=np.array(position), velocity=np.array(velocity))


def controller(clock: Clock, file: PolicyFile | None = None, **settings: object) -> Controller:
    """An active controller that runs `file`."""
    config = PolicyConfig.from_mapping({"state_timeout": TIMEOUT, **settings})
    controller = Controller(config, clock)
    if file is not None:
        controller.install(file)
    controller.activate()
    return controller


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
    np.testing.assert_allclose(action.effort_raw, LIMIT * action.action.astype(np.float64), rtol=1e-12)
    np.testing.assert_array_equal(action.effort, action.effort_raw)
    assert (action.stamp, action.policy_version) == (77, 3)
    assert action.action.dtype == np.float32
    assert action.effort.dtype == np.float64
    assert 0.01 * LIMIT < abs(action.effort[0]) < 0.99 * LIMIT


def test_order_of_joints_does_not_matter(clock: Clock) -> None:
    one = controller(clock, gentle_file())
    first = answer(one, state(stamp=1))
    second = answer(one, state(2, (HINGE, SLIDER), (0.1, 0.3), (0.2, -0.4)))
    third = answer(one, state(3, ("wheel", HINGE, SLIDER), (9.0, 0.1, 0.3), (9.0, 0.2, -0.4)))
    for other in (second, third):
        np.testing.assert_array_equal(first.effort, other.effort)


def test_state_asked_for_again_gets_the_same_answer_even_after_a_swap(clock: Clock) -> None:
    one = controller(clock, gentle_file(version=1), deterministic=False)
    first = answer(one, state(stamp=1))
    report = one.offer(make_weights(gentle_file(seed=1, version=2)))
    assert report is not None
    assert report.accepted
    assert one.answer(state(stamp=1)) is first
    assert one.ticks == 1
    second = answer(one, state(stamp=2))
    assert second.policy_version == 2
    assert second.effort.tolist() != first.effort.tolist()


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


def test_older_stamp_is_answered_because_a_simulation_may_begin_anew(clock: Clock) -> None:
    one = controller(clock, gentle_file())
    answer(one, state(stamp=10))
    assert answer(one, state(stamp=0)).stamp == 0


@pytest.mark.parametrize(
    ("unusable", "reason"),
    [
        (state(9, (SLIDER, "wheel")), f"joint {HINGE!r} is missing from the joint state"),
        (state(9, (), (), ()), "is missing from the joint state"),
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
    one = controller(clock, gentle_file())
    answer(one, state(stamp=1))
    clock.now += 0.8 * TIMEOUT
    assert one.answer(unusable) is None
    assert one.rejected_states == 1
    assert reason in one.last_rejection
    assert not one.hold_zero_if_stale()
    clock.now += 0.4 * TIMEOUT
    assert one.answer(unusable) is None
    assert one.hold_zero_if_stale()
    assert (one.ticks, one.rejected_states) == (1, 2)


def test_usable_state_is_answered_after_unusable_ones(clock: Clock) -> None:
    one = controller(clock, gentle_file())
    for unusable in (state(1, (SLIDER,), (0.0,), (0.0,)), state(2, velocity=(math.nan, 0.0))):
        assert one.answer(unusable) is None
    expected = answer(controller(clock, gentle_file()), state(stamp=3))
    np.testing.assert_array_equal(answer(one, state(stamp=3)).effort, expected.effort)
    assert one.mode is Mode.ACTIVE


def test_stamp_of_an_unusable_state_may_come_again(clock: Clock) -> None:
    one = controller(clock, gentle_file())
    assert one.answer(state(1, velocity=(math.nan, 0.0))) is None
    assert answer(one, state(1)).stamp == 1


@pytest.mark.filterwarnings("ignore:overflow encountered", "ignore:invalid value encountered")
def test_action_that_is_not_finite_becomes_zero_effort(clock: Clock) -> None:
    one = controller(clock, with_output(gentle_file(), bias=-math.inf, weight=math.inf))
    action = answer(one, state())
    assert not np.isfinite(action.effort_raw).any()
    assert action.effort.tolist() == [0.0]


@given(st.floats(-1e30, 1e30))
def test_effort_is_always_within_its_limit(bias: float) -> None:
    bias = float(np.float32(bias))
    action = answer(controller(Clock(), with_output(gentle_file(), bias=bias), deterministic=False), state())
    assert abs(action.effort[0]) <= LIMIT


@given(st.lists(st.floats(), min_size=3, max_size=3))
def test_limiter_clamps_what_is_finite_and_zeroes_the_rest(values: list[float]) -> None:
    limit = np.array([1.0, 0.5, 100.0])
    limited = EffortLimiter(limit).limit(np.array(values))
    if np.isfinite(values).all():
        np.testing.assert_array_equal(limited, np.clip(values, -limit, limit))
    else:
        assert limited.tolist() == [0.0, 0.0, 0.0]


def test_watchdog_is_stale_until_fed_and_once_the_timeout_is_over() -> None:
    watchdog = StateWatchdog(0.5)
    assert watchdog.age(0.0) == math.inf
    assert watchdog.is_stale(0.0)
    watchdog.feed(10.0)
    assert watchdog.age(10.25) == 0.25
    assert not watchdog.is_stale(10.5)
    assert watchdog.is_stale(10.6)
    watchdog.feed(11.0)
    assert not watchdog.is_stale(11.5)


def test_zero_is_held_from_the_timeout_until_a_usable_state_comes(clock: Clock) -> None:
    one = controller(clock, gentle_file())
    answer(one, state(stamp=1))
    assert not one.hold_zero_if_stale()
    clock.now += TIMEOUT + 1e-6
    for _ in range(2):
        assert one.hold_zero_if_stale()
        assert one.mode is Mode.HOLD_ZERO
        assert one.cause == "no usable state for 0.05 s"
        assert one.zero().tolist() == [0.0]
    answer(one, state(stamp=2))
    assert one.mode is Mode.ACTIVE
    assert not one.hold_zero_if_stale()


def test_state_that_is_repeated_does_not_feed_the_watchdog(clock: Clock) -> None:
    one = controller(clock, gentle_file())
    first = answer(one, state(stamp=1))
    clock.now += 2 * TIMEOUT
    assert one.answer(state(stamp=1)) is first
    assert one.hold_zero_if_stale()


def test_nothing_is_held_before_the_first_state(clock: Clock) -> None:
    one = controller(clock, gentle_file())
    clock.now += 100.0
    assert not one.hold_zero_if_stale()
    assert (one.mode, one.cause) == (Mode.ARMING, "waits for a first state")


def test_inactive_controller_answers_nothing(clock: Clock) -> None:
    one = Controller(PolicyConfig(), clock)
    one.install(gentle_file())
    assert one.mode is Mode.INACTIVE
    assert one.answer(state()) is None
    one.activate()
    answer(one, state())
    one.deactivate()
    assert one.mode is Mode.INACTIVE
    assert one.answer(state()) is None
    clock.now += 10 * TIMEOUT
    assert not one.hold_zero_if_stale()
    assert (one.ticks, one.rejected_states) == (1, 0)


def test_controller_that_is_armed_again_answers_afresh(clock: Clock) -> None:
    one = controller(clock, gentle_file())
    first = answer(one, state())
    one.deactivate()
    one.activate()
    again = answer(one, state())
    assert again is not first
    np.testing.assert_array_equal(again.effort, first.effort)


def test_without_a_policy_states_wait_for_weights(clock: Clock) -> None:
    one = controller(clock)
    assert one.answer(state()) is None
    assert (one.mode, one.cause) == (Mode.ARMING, "waits for policy_weights")
    assert one.zero().tolist() == []
    assert one.rejected_states == 0
    report = one.offer(make_weights(gentle_file(version=2)))
    assert report is not None
    assert report.accepted
    assert answer(one, state()).policy_version == 2


def test_refused_weights_change_no_answer(clock: Clock) -> None:
    one = controller(clock, gentle_file(version=5))
    first = answer(one, state(stamp=1))
    other = dataclasses.replace(SPECIFICATION, effort_limit=(1.0,))
    for file in (gentle_file(seed=1, version=4), gentle_file(seed=1, version=6, specification=other)):
        report = one.offer(make_weights(file))
        assert report is not None
        assert not report.accepted
    assert one.offer(make_weights(gentle_file(seed=1, version=5))) is None
    again = answer(one, state(stamp=2))
    np.testing.assert_array_equal(again.effort, first.effort)
    assert again.policy_version == 5


def test_policy_for_another_task_is_not_installed(clock: Clock) -> None:
    one = Controller(PolicyConfig(task="acrobot"), clock)
    with pytest.raises(PolicyFileError, match="policy is for task 'inverted_pendulum', expected 'acrobot'"):
        one.install(gentle_file())
    one.activate()
    assert one.answer(state()) is None


def test_weights_larger_than_the_setting_allows_are_refused(clock: Clock) -> None:
    report = controller(clock, max_weights_bytes=1024).offer(make_weights(gentle_file()))
    assert report is not None
    assert report.verdict.endswith("bytes of weights, at most 1024 are accepted")


def test_exploration_is_repeated_by_its_seed_and_absent_when_deterministic(clock: Clock) -> None:
    def efforts(**settings: object) -> list[float]:
        one = controller(clock, gentle_file(), **settings)
        return [float(answer(one, state(stamp)).effort[0]) for stamp in range(5)]

    assert len(set(efforts(deterministic=True, seed=1))) == 1
    assert len(set(efforts(deterministic=False, seed=1))) == 5
    assert efforts(deterministic=False, seed=1) == efforts(deterministic=False, seed=1)
    assert efforts(deterministic=False, seed=1) != efforts(deterministic=False, seed=2)


def test_gap_of_a_swap_is_measured_with_the_clock_that_was_given(clock: Clock) -> None:
    one = controller(clock, gentle_file(version=1))
    report = one.offer(make_weights(gentle_file(version=2)))
    assert report is not None
    assert report.gap == 0.0
