"""What the mapping from joint states to observations promises."""

import functools
import math
import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sac_control.errors import ConfigError, StateError
from sac_control.expression import SignalLayout, SignalMemory
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


OLD_NAMES = st.sampled_from(["cart", "pole", "left/arm", "left", "arm", "a - b", "1", "sin", "it's", "a b"])
OLD_FUNCTIONS = {"position": float, "velocity": float, "sin": math.sin, "cos": math.cos}
OLD_SUMMANDS = st.tuples(
    st.sampled_from(["+", "-"]),
    st.sampled_from(["", "0", "0.6", "2", "1", "1.0", "10.25", "0.3000000000000000004"]),
    st.sampled_from(sorted(OLD_FUNCTIONS)),
    st.lists(OLD_NAMES, min_size=1, max_size=3),
)
NUMBERS = st.floats(-1e3, 1e3) | st.sampled_from([0.0, -0.0, 1e-310, 1e300])


@given(st.lists(OLD_SUMMANDS, min_size=1, max_size=4), st.dictionaries(OLD_NAMES, st.tuples(NUMBERS, NUMBERS)))
def test_terms_of_older_policy_files_have_the_same_values_to_the_last_bit(
    summands: list[tuple[str, str, str, list[str]]], state: dict[str, tuple[float, float]]
) -> None:
    """Sums of functions of sums of joints, as this package's first version had and calculated them."""
    summands[0] = ("+", *summands[0][1:])
    state |= {name: (0.5, -0.25) for _, _, _, names in summands for name in names if name not in state}
    text, values = "", []
    for sign, coefficient, function, names in summands:
        text += f" {sign} {coefficient}{'*' * bool(coefficient)}{function}({' + '.join(names)})"
        numbers = [state[name][function == "velocity"] for name in names]
        argument = numbers[0] if len(numbers) == 1 else functools.reduce(operator.add, numbers, 0)
        value, factor = OLD_FUNCTIONS[function](argument), float(f"{sign}{coefficient or 1}")
        values.append(value if factor == 1.0 else factor * value)
    expected = values[0] if len(values) == 1 else functools.reduce(operator.add, values, 0)
    position, velocity = (np.array([numbers[place] for numbers in state.values()]) for place in (0, 1))
    got = Observer((text.removeprefix(" + "),), tuple(state)).values(position, velocity)
    assert np.float64(got[0]).tobytes() == np.float64(expected).tobytes()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_angle_that_is_not_finite_makes_its_own_terms_nan(value: float) -> None:
    out = np.zeros(3, np.float32)
    Observer(("sin(pole)", "cos(pole + cart)", "position(cart)"), ("cart", "pole")).observe(
        np.array([1.0, value]), np.zeros(2), out
    )
    assert np.isnan(out).tolist() == [True, True, False]


def test_what_else_a_joint_state_names_does_not_decide_what_a_term_means() -> None:
    out = np.zeros(1, np.float32)
    state = joint_state(("a", "b", "a/b"), [3.0, 2.0, 0.7], [0.0] * 3)
    for joints, value in ((("a", "b"), math.sin(1.5)), (("a/b",), math.sin(0.7)), (None, math.sin(1.5))):
        StateObserver(("sin(a/b)",), joints).observe(state, out)
        assert out[0] == np.float32(value)


# Efforts, actions and the past

PAST = ("position(cart) - position(cart)@1", "effort(pole)", "action(cart)@2", "sin(pole)")


def test_rows_give_efforts_actions_and_what_was() -> None:
    joints, driven = ("cart", "pole"), ("cart",)
    observer = Observer(PAST, joints, driven)
    assert observer.memory == 2
    assert observer.reads == {"position": ("cart", "pole"), "effort": ("pole",), "action": ("cart",)}
    memory = SignalMemory(observer.memory, SignalLayout(joints, driven))
    out = np.zeros(4, np.float32)
    memory.start([1.0, 0.5, 0.0, 0.0, 7.0, 8.0, 0.9])
    observer.observe_rows(memory.rows, out)
    assert out.tolist() == [0.0, 8.0, 0.0, np.float32(math.sin(0.5))]
    for position, action in ((1.5, 0.25), (2.5, -0.5), (4.0, 0.0)):
        memory.push([position, 0.0, 0.0, 0.0, 0.0, 6.0, action])
    observer.observe_rows(memory.rows, out)
    assert out.tolist() == [1.5, 6.0, 0.25, 0.0]


def test_rows_give_the_same_as_positions_and_velocities_where_nothing_else_is_read() -> None:
    observer = Observer(TERMS, ("cart", "pole"), ("cart",))
    assert observer.memory == 0
    out = np.zeros(len(TERMS), np.float32)
    observer.observe_rows([[0.25, 0.3, -1.5, 2.0, 0.0, 0.0, 0.0]], out)
    np.testing.assert_array_equal(out, EXPECTED)


@pytest.mark.parametrize(
    ("term", "why"),
    [
        ("cos(pole) + action(cart)", r"reads action\(cart\): expected positions and velocities of one moment alone"),
        ("effort(pole)", r"reads effort\(pole\): expected"),
        ("position(cart)@2", "looks back 2 control periods: expected"),
    ],
)
def test_term_that_reads_more_than_a_joint_state_is_refused_where_there_is_no_more(term: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        Observer((term,), ("cart", "pole"), ("cart",)).observe(np.zeros(2), np.zeros(2), np.zeros(1, np.float32))
    with pytest.raises(ConfigError, match=why):
        StateObserver((term,), ("cart", "pole"))


def test_action_of_a_joint_that_is_not_driven_is_refused() -> None:
    with pytest.raises(ConfigError, match="got the name 'pole', expected a driven joint"):
        Observer(("action(pole)",), ("cart", "pole"), ("cart",))


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
    with pytest.raises(ConfigError, match="has no mirror image, .* adds up what keeps its sign and what changes it"):
        mirror_signs(("position(cart)", term))


def test_mirror_of_an_unknown_term_is_refused_like_the_term() -> None:
    with pytest.raises(ConfigError, match=r"'tan\(pole\)', column 1: got the function 'tan'"):
        mirror_signs(("tan(pole)",))


# Mistakes


@pytest.mark.parametrize(
    "term",
    [
        *("tan(pole)", "cos()", "cos(pole", "", "cos(pole)sin(pole)", "0.6sin(pole)", "cos(pole) +", "cos pole"),
        *("cos(pole) + tan(pole)", "sin(pole) = 1", "position(cart, pole)", "'cart", "pole@1.5", "lambda: 0"),
    ],
)
def test_term_that_is_no_expression_is_refused(term: str) -> None:
    for make in (lambda: Observer((term,), ("cart", "pole")), lambda: StateObserver((term,), ("cart", "pole"))):
        with pytest.raises(ConfigError, match=r"expression .*, column \d+: got .*, expected"):
            make()
