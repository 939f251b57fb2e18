"""When the policy may move something: what arms, what disarms, what latches. Negative controls: docs/reliability.md."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sac_control.policy.safety import MAX_STREAK, Mode, Safety

TIMEOUT = 0.05
T = 0.0165  # [s]


def safety(**settings: bool) -> Safety:
    safety = Safety(TIMEOUT, **settings)
    safety.activate()
    return safety


def mode_of(one: Safety) -> Mode:
    """Its mode, of which mypy assumes that no call changes it."""
    return one.mode


def feed(safety: Safety, start: float, count: int, period: float = T) -> list[bool]:
    """Usable states at `start` [s] and every `period` [s] after; whether each may move something."""
    return [safety.take(start + k * period) for k in range(count)]


def armed(**settings: bool) -> tuple[Safety, float]:
    """Armed, and the time of the newest state [s]."""
    one = safety(**settings)
    one.take(1.0)
    one.arm(1.0)
    feed(one, 1.0 + T, 3)
    assert mode_of(one) is Mode.ACTIVE
    return one, 1.0 + 3 * T


def test_modes_are_ordered_by_how_bad_they_are() -> None:
    assert Mode.INACTIVE < Mode.ARMING < Mode.ACTIVE < Mode.HOLD < Mode.LATCHED_FAULT


def test_three_usable_states_in_a_row_arm() -> None:
    one = safety()
    assert mode_of(one) is Mode.ARMING
    assert feed(one, 1.0, 4) == [False, False, True, True]
    assert (one.mode, one.cause, one.armed_at) == (Mode.ACTIVE, "controls", 1.0 + 2 * T)
    assert feed(safety(), 1.0, 3, period=0.9 * TIMEOUT) == [False, False, True]


def test_states_that_come_all_at_once_do_not_arm() -> None:
    """A process that was frozen finds them in its queue: they may be of any age."""
    one, now = armed()
    assert feed(one, now + 2.0, 50, period=0.0004) == [False] * 50
    assert feed(one, now + 2.0 + 50 * 0.0004, 2) == [False, True]  # spread over half the timeout by now


def test_unusable_state_breaks_the_row() -> None:
    one = safety()
    assert feed(one, 1.0, 2) == [False, False]
    one.refuse()
    assert feed(one, 1.0 + 2 * T, 3) == [False, False, True]


def test_gap_in_the_row_begins_it_anew() -> None:
    one = safety()
    feed(one, 1.0, 2)
    assert feed(one, 1.0 + T + TIMEOUT + 0.001, 3) == [False, False, True]


def test_silence_holds_zero_until_three_states_have_armed_again() -> None:
    one, now = armed()
    assert not one.watch(now + 0.99 * TIMEOUT)
    assert one.watch(now + TIMEOUT + 0.001)
    assert (one.mode, one.cause) == (Mode.HOLD, "no usable state for 0.05 s")
    assert one.watch(now + 100.0)
    assert one.cause == "no usable state for 100.00 s"
    assert feed(one, now + 101.0, 3) == [False, False, True]
    assert not one.watch(now + 101.0 + 2 * T)


def test_freeze_disarms_although_no_watchdog_ran_meanwhile() -> None:
    one, now = armed()
    assert feed(one, now + TIMEOUT + 0.001, 3) == [False, False, True]


def test_nothing_is_held_before_the_first_state() -> None:
    one = safety()
    assert not one.watch(1000.0)
    assert (one.mode, one.cause) == (Mode.ARMING, "waits for a first state")


def test_where_arming_is_required_states_alone_move_nothing() -> None:
    one = safety(require_arm=True)
    assert not any(feed(one, 1.0, 100))
    assert (one.mode, one.cause) == (Mode.ARMING, "waits for policy/arm")
    now = 1.0 + 99 * T
    assert one.arm(now) == (True, "arms after 3 usable states")
    assert feed(one, now + T, 3) == [False, False, True]


def test_where_arming_is_required_silence_requires_it_again() -> None:
    one, now = armed(require_arm=True)
    one.watch(now + 1.0)
    assert not any(feed(one, now + 1.0, 100))
    assert one.cause == "waits for policy/arm again: no usable state for 1.00 s"


def test_what_ended_a_motion_is_said_until_somebody_arms_again() -> None:
    """A silence of 60 ms is over long before anybody looks: whoever finds a pole that fell must read why."""
    for silences in ((0.06, 0.1, 0.3), ()):  # seen by a watchdog, or not: this process was frozen, too
        one, now = armed(require_arm=True)
        for silence in silences:
            one.watch(now + silence)
        feed(one, now + 0.31, 100)
        told = silences[-1] if silences else 0.31
        assert one.cause == f"waits for policy/arm again: no usable state for {told:.2f} s"
        assert one.arm(now + 0.31 + 100 * T)[0]
        one.watch(now + 9.0)
        feed(one, now + 9.0, 4)
        assert one.cause == "waits for policy/arm"
    one, now = armed(require_arm=True)
    one.hold("a callback raised")
    one.watch(now + 1.0)
    feed(one, now + 1.0, 4)
    assert one.cause == "waits for policy/arm again: a callback raised"


def test_what_ended_a_motion_is_not_a_later_silence() -> None:
    one, now = armed(require_arm=True)
    one.watch(now + 0.3)
    feed(one, now + 0.3, 4)
    one.watch(now + 9.0)
    feed(one, now + 9.0, 4)
    assert one.cause == "waits for policy/arm again: no usable state for 0.30 s"


def test_nobody_arms_while_no_states_come_because_it_would_move_at_some_later_time() -> None:
    one, now = armed(require_arm=True)
    assert one.arm(now + 1.0) == (False, "not armed: no usable state for 1.00 s")
    assert not any(feed(one, now + 1.0, 100))
    assert Safety(TIMEOUT).arm(1.0) == (False, "not armed: the node is not active")


def test_cause_of_a_latch_may_become_better_known() -> None:
    one, _ = armed()
    one.restate("something")
    assert mode_of(one) is Mode.ACTIVE
    one.latch("a node whose name is not known yet commands, too")
    one.restate("/other commands, too")
    assert (one.mode, one.cause) == (Mode.LATCHED_FAULT, "/other commands, too")


def test_latch_outlives_states_and_deactivation_and_its_first_cause_stays() -> None:
    one, now = armed()
    one.latch("stopped")
    one.latch("something else")
    assert not any(feed(one, now + T, 100))
    assert (one.mode, one.cause) == (Mode.LATCHED_FAULT, "stopped")
    one.deactivate()
    assert mode_of(one) is Mode.INACTIVE
    one.activate()
    assert (one.mode, one.cause) == (Mode.LATCHED_FAULT, "stopped")
    now += 200 * T
    one.take(now)
    assert one.arm(now)[0]
    assert mode_of(one) is Mode.ARMING
    assert feed(one, now + T, 3) == [False, False, True]


def test_latch_is_worse_than_silence() -> None:
    one, now = armed()
    one.latch("stopped")
    assert one.watch(now + 10.0)
    assert (one.mode, one.cause) == (Mode.LATCHED_FAULT, "stopped")


def test_hold_passes_with_three_states() -> None:
    one, now = armed()
    one.hold("fault in a callback")
    assert one.watch(now)
    assert (one.mode, one.cause) == (Mode.HOLD, "fault in a callback")
    assert feed(one, now + T, 3) == [False, False, True]


def test_objection_latches_what_is_active_and_keeps_from_arming_what_is_not() -> None:
    one = safety()
    assert not any(one.take(1.0 + k * T, "too far left") for k in range(10))
    assert (one.mode, one.cause) == (Mode.ARMING, "too far left")
    assert feed(one, 1.0 + 10 * T, 3) == [False, False, True]
    assert not one.take(1.0 + 13 * T, "too far left")
    assert (one.mode, one.cause) == (Mode.LATCHED_FAULT, "too far left")
    assert not any(feed(one, 1.0 + 14 * T, 100))


def test_lockstep_is_armed_by_its_first_state_and_not_disarmed_by_silence() -> None:
    one = safety(is_lockstep=True)
    assert one.take(1.0)
    assert one.watch(5.0)
    assert mode_of(one) is Mode.HOLD
    assert one.take(9.0)
    assert mode_of(one) is Mode.ACTIVE
    assert one.take(19.0)


def test_lockstep_obeys_stop_and_arm() -> None:
    one = safety(is_lockstep=True)
    one.take(1.0)
    one.latch("stopped")
    assert not any(feed(one, 2.0, 10))
    assert one.arm(50.0)[0]
    assert one.take(60.0)


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["take", "take", "take", "object", "refuse", "watch", "arm", "latch", "hold", "off", "on"]),
        st.floats(0.0, 0.2),
    ),
    max_size=60,
)


@given(EVENTS, st.booleans())
def test_whatever_happens_only_three_good_states_in_a_row_arm_and_only_arming_releases_a_latch(
    events: list[tuple[str, float]], require_arm: bool
) -> None:
    """An account of its own, simpler than the machine: who is active must have earned it."""
    one = safety(require_arm=require_arm)
    now, last, row, is_released, is_latched, is_on = 1.0, -math.inf, 0, False, False, True
    for event, delay in events:
        now += delay
        was_active = one.mode is Mode.ACTIVE
        if event in ("take", "object"):
            row = row + 1 if now - last <= TIMEOUT else 1
            is_released &= now - last <= TIMEOUT
            last = now
            may_move = one.take(now, "outside" if event == "object" else "")
            if event == "object":
                assert not may_move
                row, is_latched = 0, is_latched or one.mode is Mode.LATCHED_FAULT
            if may_move and not was_active:
                assert row >= MAX_STREAK
            if may_move:
                assert is_on
                assert not is_latched
                assert is_released or not require_arm
        elif event == "refuse":
            one.refuse()
            row = 0 if not was_active else row
        elif event == "watch":
            must = one.watch(now)
            assert must or not is_latched or not is_on
            if now - last > TIMEOUT and last > 0.0:
                assert one.mode is not Mode.ACTIVE
                row, is_released = 0, False
        elif event == "arm":
            accepted, _ = one.arm(now)
            if accepted and not was_active:
                is_released, is_latched, row = True, False, 0
        elif event == "latch":
            one.latch("stop")
            is_latched, row, is_released = True, 0, False
        elif event == "hold":
            one.hold("fault")
            row, is_released = 0, False
            assert one.mode is not Mode.ACTIVE
        else:
            one.activate() if event == "on" else one.deactivate()
            is_on, row, is_released, last = event == "on", 0, False, -math.inf if event == "on" else last
        assert one.cause


@pytest.mark.parametrize("name", ["hold", "latch"])
def test_every_disarming_names_its_cause(name: str) -> None:
    one, _ = armed()
    getattr(one, name)("because")
    assert one.cause == "because"
