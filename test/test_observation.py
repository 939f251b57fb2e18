"""What the mapping from joint states to observations promises."""

import math

import numpy as np
import pytest

from sac_control.errors import ConfigError, StateError
from sac_control.observation import Observer, StateObserver, mirror_signs
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


SUMS = {  # a term, and its value where cart and pole are at 0.25 and 0.3 and move by -1.5 and 2
    "0.5*position(cart)": 0.125,
    "2*velocity(pole)": 4.0,
    "position(cart + pole)": 0.55,
    "velocity(cart + pole)": 0.5,
    "cos(pole + pole)": math.cos(0.6),
    "sin(cart + pole + pole)": math.sin(0.85),
    "position(cart) + 0.6*sin(pole)": 0.25 + 0.6 * math.sin(0.3),
    "position(cart) - 0.6*sin(pole) + 0.3*sin(pole + pole)": 0.25 - 0.6 * math.sin(0.3) + 0.3 * math.sin(0.6),
    "cos(pole) - 0.0165*velocity(pole) - velocity(cart)": math.cos(0.3) - 0.033 + 1.5,
}


@pytest.mark.parametrize("term", SUMS)
def test_joints_add_up_inside_a_term_and_functions_outside(term: str) -> None:
    out = np.zeros(1, np.float32)
    Observer((term,), ("cart", "pole")).observe(np.array([0.25, 0.3]), np.array([-1.5, 2.0]), out)
    assert out[0] == pytest.approx(SUMS[term], abs=1e-6)


def test_joint_that_is_missing_from_a_sum_is_named() -> None:
    for term in ("sin(pole + wheel)", "sin(pole) + 0.5*sin(wheel)"):
        with pytest.raises(StateError, match="'wheel' is missing"):
            Observer((term,), ("cart", "pole"))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_sum_that_holds_what_is_not_finite_is_refused(value: float) -> None:
    state = joint_state(("cart", "pole"), [0.0, value], [0.0, 0.0])
    for term in ("position(cart) + 0.5*sin(pole)", "cos(cart + pole)", "position(cart + pole)"):
        with pytest.raises(StateError, match="not finite"):
            StateObserver((term,)).observe(state, np.zeros(1, np.float32))


# Mirror


def test_positions_velocities_and_sines_change_their_sign_in_the_mirror_and_cosines_keep_it() -> None:
    signs = mirror_signs(TERMS)
    assert signs.dtype == np.float32
    assert signs.tolist() == [-1.0, -1.0, 1.0, -1.0, -1.0]


@pytest.mark.parametrize(
    ("term", "sign"),
    [
        ("position(cart) + 0.6*sin(pole) - 0.3*sin(pole + pole)", -1.0),
        ("2*velocity(cart + pole)", -1.0),
        ("cos(pole) + 0.5*cos(pole + pole)", 1.0),
    ],
)
def test_sum_has_the_sign_that_all_its_parts_have(term: str, sign: float) -> None:
    assert mirror_signs((term,)).tolist() == [sign]


@pytest.mark.parametrize("term", ["position(cart) + cos(pole)", "cos(pole) - 0.1*sin(pole)"])
def test_sum_whose_parts_have_different_signs_has_no_mirror_image(term: str) -> None:
    with pytest.raises(ConfigError, match="has no mirror image: it adds up cosines"):
        mirror_signs(("position(cart)", term))


def test_mirror_of_an_unknown_term_is_refused_like_the_term() -> None:
    with pytest.raises(ConfigError, match=r"'tan\(pole\)' is not known"):
        mirror_signs(("tan(pole)",))


# Mistakes


@pytest.mark.parametrize(
    "term",
    [
        *("tan(pole)", "pole", "cos()", "cos(pole", "cos(pole) ", "", "cos(pole)sin(pole)"),
        *("cos(pole)+sin(pole)", "cos(pole) +", " + cos(pole)", "-cos(pole)", "cos(pole) + tan(pole)"),
        *("0.6 * sin(pole)", "0.6sin(pole)", "-1*sin(pole)", "1e3*sin(pole)", ".5*sin(pole)", "sin(pole)*0.6"),
        *("cos(pole) * sin(pole)", "cos(sin(pole))", "cos(pole)\n"),
    ],
)
def test_term_that_is_not_a_known_function_of_a_joint_is_refused(term: str) -> None:
    with pytest.raises(
        ConfigError, match=r"is not known: expected function\(joint\) with one of position, velocity, cos"
    ):
        Observer((term,), ("cart", "pole"))
