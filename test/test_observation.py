"""What the mapping from joint states to observations promises."""

import math

import numpy as np
import pytest

from sac_control.errors import ConfigError, StateError
from sac_control.observation import Observer, StateObserver
from sac_control.types import Float32Array, JointState

TERMS = ("position(cart)", "velocity(cart)", "cos(pole)", "sin(pole)", "velocity(pole)")
EXPECTED = np.array([0.25, -1.5, math.cos(0.3), math.sin(0.3), 2.0], dtype=np.float32)


def joint_state(names: tuple[str, ...], position: list[float], velocity: list[float]) -> JointState:
    return JointState(stamp=0, names=names, position=np.array(position), velocity=np.array(velocity))


def observe(observer: StateObserver, state: JointState) -> Float32Array:
    out = np.full(len(TERMS), np.nan, dtype=np.float32)
    observer.observe(state, out)
    return out


def test_terms_are_evaluated_in_the_order_in_which_they_are_given() -> None:
    state = joint_state(("cart", "pole"), [0.25, 0.3], [-1.5, 2.0])
    np.testing.assert_array_equal(observe(StateObserver(TERMS), state), EXPECTED)
    out = np.zeros(2, dtype=np.float32)
    Observer(("velocity(pole)", "position(cart)"), ("cart", "pole")).observe(state.position, state.velocity, out)
    assert out.tolist() == [2.0, 0.25]


def test_joints_are_found_by_name_whatever_their_order_and_whoever_else_is_there() -> None:
    observer = StateObserver(TERMS)
    states = [
        joint_state(("cart", "pole"), [0.25, 0.3], [-1.5, 2.0]),
        joint_state(("pole", "cart"), [0.3, 0.25], [2.0, -1.5]),
        joint_state(("wheel", "pole", "cart"), [9.0, 0.3, 0.25], [8.0, 2.0, -1.5]),
        joint_state(("cart", "pole"), [0.25, 0.3], [-1.5, 2.0]),
    ]
    for state in states:  # one observer: it must notice that the order has changed
        np.testing.assert_array_equal(observe(observer, state), EXPECTED)


def test_missing_joint_is_named_together_with_those_present() -> None:
    with pytest.raises(StateError, match=r"'pole' is missing from the joint state, which names \['cart', 'Pole'\]"):
        observe(StateObserver(TERMS), joint_state(("cart", "Pole"), [0.0, 0.0], [0.0, 0.0]))


def test_observer_recovers_once_the_missing_joint_is_there() -> None:
    observer = StateObserver(TERMS)
    for _ in range(2):
        with pytest.raises(StateError, match="'pole' is missing"):
            observe(observer, joint_state(("cart",), [0.0], [0.0]))
    state = joint_state(("cart", "pole"), [0.25, 0.3], [-1.5, 2.0])
    np.testing.assert_array_equal(observe(observer, state), EXPECTED)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", [0, 1])
def test_velocity_that_is_not_finite_is_refused(place: int, value: float) -> None:
    velocity = [0.0, 0.0]
    velocity[place] = value
    with pytest.raises(StateError, match="not finite"):
        observe(StateObserver(TERMS), joint_state(("cart", "pole"), [0.0, 0.0], velocity))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", [0, 1])
def test_position_that_is_not_finite_is_refused(place: int, value: float) -> None:
    position = [0.0, 0.0]
    position[place] = value
    with pytest.raises(StateError, match="not finite"):
        observe(StateObserver(TERMS), joint_state(("cart", "pole"), position, [0.0, 0.0]))


@pytest.mark.parametrize(
    ("position", "velocity"), [([0.0], [0.0, 0.0]), ([0.0, 0.0], [0.0]), ([0.0, 0.0], []), ([0.0] * 3, [0.0] * 3)]
)
def test_arrays_that_differ_in_length_from_the_names_are_refused(position: list[float], velocity: list[float]) -> None:
    with pytest.raises(StateError, match=f"2 names, {len(position)} positions and {len(velocity)} velocities"):
        observe(StateObserver(TERMS), joint_state(("cart", "pole"), position, velocity))


@pytest.mark.parametrize("term", ["tan(pole)", "pole", "cos()", "cos(pole", "cos(pole) ", "", "cos(pole)sin(pole)"])
def test_term_that_is_not_a_known_function_of_a_joint_is_refused(term: str) -> None:
    with pytest.raises(
        ConfigError, match=r"is not known: expected function\(joint\) with one of position, velocity, cos"
    ):
        Observer((term,), ("cart", "pole"))
