"""Limits that are set while a policy runs: stricter at any time, looser only while nothing moves."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import SPECIFICATION
from sac_control.errors import ConfigError
from sac_control.policy.envelope import Envelope
from sac_control.policy.live_limits import LIVE, changed
from sac_control.policy.policy_config import PolicyConfig
from test_controller import LIMIT, Clock, T, answer, armed, gentle_file, state, with_output

OLD = {
    "command_limit": 50.0,
    "max_command_rate": 500.0,
    "envelope": "-0.8 < position(cart) < 0.8; -8 < velocity(pole) < 8",
    "ramp_s": 1.0,
    "state_timeout": 0.06,
}
STRICTER: dict[str, list[Any]] = {
    "command_limit": [49.0, 1e-3],
    "max_command_rate": [499.0, 1e-3],
    "envelope": [
        "-0.7 < position(cart) < 0.8; -8 < velocity(pole) < 8",
        "-8 < velocity(pole) < 8; -0.8 < position(cart) < 0.1; -1 < position(pole) < 1",
    ],
    "ramp_s": [1.1, 60.0],
    "state_timeout": [0.05, 0.017, 0.0],  # 0 is three control periods, 0.05
}
LOOSER: dict[str, list[Any]] = {
    "command_limit": [51.0, 100.0, 0.0],  # 0 is the policy's own, 100
    "max_command_rate": [501.0, 0.0],  # 0 is any
    "envelope": [
        "",
        "-0.8 < position(cart) < 0.8",
        "-0.9 < position(cart) < 0.8; -8 < velocity(pole) < 8",
        "-0.8 < position(cart) < 0.8; -8 < velocity(pole) < 8.1",
        "-0.8 < position(pole) < 0.8; -8 < velocity(pole) < 8",
    ],
    "ramp_s": [0.9, 0.0],
    "state_timeout": [0.061, 0.2],
}


def change(values: dict[str, Any], *, is_active: bool, **more: Any) -> PolicyConfig:
    config = PolicyConfig.from_mapping({**OLD, **more})
    return changed(config, values, is_active=is_active, control_period=T, specification=SPECIFICATION)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in LIVE for value in STRICTER[name]])
@pytest.mark.parametrize("is_active", [True, False])
def test_limits_get_stricter_at_any_time(name: str, value: Any, is_active: bool) -> None:
    assert getattr(change({name: value}, is_active=is_active), name) == value


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in LIVE for value in LOOSER[name]])
def test_limits_get_looser_only_while_nothing_moves(name: str, value: Any) -> None:
    assert getattr(change({name: value}, is_active=False), name) == value
    with pytest.raises(ConfigError, match=rf"policy\.{name} may only get stricter .* policy/stop or deactivate"):
        change({name: value}, is_active=True)


@pytest.mark.parametrize("name", LIVE)
def test_setting_what_is_set_already_is_not_looser(name: str) -> None:
    assert change({name: OLD[name]}, is_active=True) == PolicyConfig.from_mapping(OLD)


@pytest.mark.parametrize("is_active", [True, False])
def test_no_limit_goes_beyond_that_of_policy_or_robot(is_active: bool) -> None:
    with pytest.raises(ConfigError, match="the policy's own limit is 100"):
        change({"command_limit": 101.0}, is_active=is_active)
    with pytest.raises(ConfigError, match=r"policy\.max_command is 80"):
        changed(PolicyConfig(max_command=80.0), {"command_limit": 81.0}, is_active=is_active)
    with pytest.raises(ConfigError, match="stale for a robot"):
        change({"state_timeout": 0.21}, is_active=is_active)


@pytest.mark.parametrize("name", ["command_limit", "max_command_rate", "ramp_s", "state_timeout"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0, 1e300, "fast", True, None, [1.0]])
def test_values_that_are_no_limits_are_refused(name: str, value: Any) -> None:
    for is_active in (True, False):
        with pytest.raises(ConfigError, match=rf"policy\.{name} is "):
            change({name: value}, is_active=is_active)


@pytest.mark.parametrize("value", ["nonsense", "1 < position(cart) < -1", "nan < position(cart) < 1", 3, None])
def test_envelopes_that_are_none_are_refused(value: Any) -> None:
    for is_active in (True, False):
        with pytest.raises(ConfigError, match="envelope"):
            change({"envelope": value}, is_active=is_active)


def test_every_other_setting_is_read_only() -> None:
    for name in set(PolicyConfig.types()) - set(LIVE):
        with pytest.raises(ConfigError, match=rf"policy\.{name} is read-only"):
            change({name: getattr(PolicyConfig(), name)}, is_active=False)


def test_one_value_that_is_looser_refuses_all() -> None:
    with pytest.raises(ConfigError, match=r"policy\.ramp_s"):
        change({"max_command_rate": 1.0, "ramp_s": 0.0}, is_active=True)


BOUND = st.floats(-2.0, 2.0).map(lambda value: round(value, 2))


@given(st.lists(st.tuples(BOUND, BOUND), min_size=2, max_size=2), st.lists(BOUND, min_size=2, max_size=2))
def test_an_envelope_within_another_lets_pass_no_state_that_the_other_stops(
    bounds: list[tuple[float, float]], at: list[float]
) -> None:
    """Bounds on the same term; where one may take the place of the other, no state shows a difference to the worse."""
    inner, outer = (
        Envelope(f"{min(pair):g} < position({SPECIFICATION.joints[0]}) < {max(pair) + 0.01:g}") for pair in bounds
    )
    if inner.is_within(outer):
        for position in (*at, *(value for pair in bounds for value in pair)):
            here = state(position=(position, 0.0))
            assert inner.violation(here) or not outer.violation(here)


def test_controller_limits_efforts_from_the_next_tick_on() -> None:
    clock = Clock()
    one = armed(clock, with_output(gentle_file(), bias=10.0))

    def effort(stamp: int) -> float:
        clock.go_on(T)
        return float(answer(one, state(stamp)).command[0])

    assert effort(0) == pytest.approx(LIMIT)
    one.take_limits(one.checked_limits({"command_limit": 20.0}))
    assert effort(1) == 20.0
    assert one.limiter.clamped == 1
    assert answer(one, state(2)).command_raw[0] == pytest.approx(LIMIT)
    one.take_limits(one.checked_limits({"max_command_rate": 100.0, "command_limit": 10.0}))
    assert effort(3) == 10.0  # at once: nobody asks for less and means later
    with pytest.raises(ConfigError, match="may only get stricter"):
        one.checked_limits({"command_limit": 0.0})
    one.stop("stopped")
    one.take_limits(one.checked_limits({"command_limit": 0.0}))
    assert effort(4) == 0.0


@pytest.mark.parametrize("timeout", [0.001, T])
def test_timeout_that_no_state_could_keep_is_refused_in_words(timeout: float) -> None:
    one = armed(Clock())
    with pytest.raises(ConfigError, match=r"the control period 0\.0165 s: each state would be too old before the next"):
        one.checked_limits({"state_timeout": timeout})


def test_controller_takes_a_shorter_timeout_and_a_narrower_envelope_at_once() -> None:
    clock = Clock()
    one = armed(clock)
    one.take_limits(one.checked_limits({"state_timeout": 0.02}))
    clock.go_on(0.021)
    assert one.must_be_safe()
    clock = Clock()
    one = armed(clock)
    joint = SPECIFICATION.joints[0]
    one.take_limits(one.checked_limits({"envelope": f"-0.2 < position({joint}) < 0.2"}))
    clock.go_on(T)
    assert answer(one, state(0)).command.tolist() == [0.0]
    assert "outside of its envelope" in one.cause
    with pytest.raises(ConfigError, match="elbow"):
        one.checked_limits({"envelope": "-1 < position(elbow) < 1"})


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "command_limit": st.sampled_from([0.0, 1.0, 10.0, 60.0, 100.0]),
                "max_command_rate": st.sampled_from([0.0, 10.0, 500.0]),
                "ramp_s": st.sampled_from([0.0, 0.1, 1.0]),
                "state_timeout": st.sampled_from([0.0, 0.02, 0.1]),
            },
        ),
        max_size=12,
    )
)
def test_while_active_no_row_of_changes_lets_more_through_than_before(rows: list[dict[str, float]]) -> None:
    clock = Clock()
    one = armed(clock, with_output(gentle_file(), bias=10.0))
    largest, timeout, config = LIMIT, one.safety.timeout, PolicyConfig()
    for stamp, values in enumerate(rows):
        try:
            new = one.checked_limits(values)
        except ConfigError:
            continue
        one.take_limits(new)
        config = dataclasses.replace(new)
        clock.go_on(min(T, 0.5 * one.safety.timeout))
        effort = abs(float(answer(one, state(stamp)).command[0]))
        largest = min(largest, float(config.command_limit) or LIMIT)
        assert effort <= largest + 1e-9
        assert one.safety.timeout <= timeout
        timeout = one.safety.timeout
