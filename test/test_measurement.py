"""What an environment measures, and when its commands act, where that differs from exact and at once."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from sac_control.envs.command_line import CommandLine
from sac_control.envs.env import Env
from sac_control.envs.sensors import Sensors
from sac_control.envs.trial import play
from sac_control.envs.wire import Wire
from sac_control.errors import ConfigError
from sac_control.tasks.catalogue import make_robot_task
from sac_control.tasks.ranges_reader import ranges_of_setting
from sac_control.types import Float32Array, FloatArray, JointState
from sac_control.variation.fields import FIELDS, Quantity
from sac_control.variation.plants import GATE_SIZE, REPORT_SIZE, gate_plants, report_plants
from sac_control.variation.ranges import Ranges

PERIOD = 0.1  # [s]
TASK = make_robot_task("inverted_pendulum")
CART, POLE = TASK.specification.joints


def varied(**values: float) -> dict[Quantity, float]:
    """``latency__states=1`` is latency(states)."""
    return {Quantity(*name.split("__")): value for name, value in values.items()}


def sensors(**values: float) -> Sensors:
    return Sensors(("arm",), PERIOD, varied(**values), np.random.default_rng(0))


def measured(of: Sensors, positions: list[float], velocity: float = 0.0) -> list[list[float]]:
    """Position and velocity measured of an arm that is at each of `positions` in turn."""
    first, *later = [[position, velocity, 0.0, 0.0] for position in positions]
    return [of.start(first)[:2], *(of.measure(row)[:2] for row in later)]


@pytest.fixture
def env() -> Iterator[Env]:
    env = Env(TASK, max_episode_steps=50)
    yield env
    env.close()


# Sensors


def test_offset_is_added_and_the_encoder_rounds_to_its_steps() -> None:
    assert [row[0] for row in measured(sensors(offset__arm=0.25), [0.0, 1.0])] == [0.25, 1.25]
    assert [row[0] for row in measured(sensors(encoder__arm=0.5), [0.2, 0.3, -0.8])] == [0.0, 0.5, -1.0]
    assert [row[0] for row in measured(sensors(encoder__arm=0.5, offset__arm=0.2), [0.2])] == [0.5]


def test_noise_has_the_deviation_that_is_asked_for_and_is_independent() -> None:
    deviations = {Quantity("noise", "arm"): 0.1, Quantity("noise", "velocity(arm)"): 2.0}
    noisy = Sensors(("arm",), PERIOD, deviations, np.random.default_rng(0))
    rows = np.array(measured(noisy, [0.0] * 5000))
    np.testing.assert_allclose(rows.std(axis=0), [0.1, 2.0], rtol=0.05)
    assert abs(np.corrcoef(rows[:-1, 0], rows[1:, 0])[0, 1]) < 0.05
    assert abs(np.corrcoef(rows.T)[0, 1]) < 0.05


def test_velocity_by_difference_is_that_of_measured_positions_over_a_control_period() -> None:
    rows = measured(sensors(difference=1.0, encoder__arm=0.5), [0.0, 0.3, 0.6, 1.2], velocity=7.0)
    assert [row[1] for row in rows] == [0.0, 5.0, 0.0, 5.0]


@pytest.mark.parametrize(
    ("periods", "expected"), [(1.0, [0.0, 0.0, 1.0, 4.0]), (2.0, [0.0, 0.0, 0.0, 1.0]), (0.5, [0.0, 0.5, 2.5, 6.5])]
)
def test_late_states_are_those_of_before_and_between_two_of_them_on_the_line(
    periods: float, expected: list[float]
) -> None:
    rows = measured(sensors(latency__states=periods), [0.0, 1.0, 4.0, 9.0])
    assert [row[0] for row in rows] == expected


def test_a_lost_state_leaves_the_one_before_and_the_next_one_that_comes_is_fresh() -> None:
    positions = [float(k) for k in range(2000)]
    rows = np.array([row[0] for row in measured(sensors(loss__states=0.3), positions)])
    ages = np.array(positions) - rows
    assert np.mean(ages == 0.0) == pytest.approx(0.7, abs=0.04)
    assert np.mean(ages == 1.0) == pytest.approx(0.21, abs=0.04)
    assert np.all(np.diff(rows) >= 0.0)


def test_jitter_never_lets_an_older_state_follow_a_newer_one() -> None:
    wire = Wire("states", varied(latency__states=0.5, jitter__states=3.0), np.random.default_rng(0))
    wire.start()
    times = np.array([period - wire.age() for period in range(1000)])
    assert np.all(np.diff(times) >= -1e-9)
    assert 0.5 <= min(period - time for period, time in enumerate(times)) < 0.7


# Commands


def test_late_commands_act_that_many_periods_later_to_the_part_of_a_period() -> None:
    line = CommandLine(varied(latency__commands=1.25), np.random.default_rng(0))
    line.start([0.0])
    acting = [line.send([float(k)]) for k in (1, 2, 3)]
    assert [(each.command, each.before, each.delay) for each in acting] == [
        ([0.0], [0.0], 0.25),
        ([1.0], [0.0], 0.25),
        ([2.0], [1.0], 0.25),
    ]


def test_a_lost_command_leaves_the_one_before_in_force() -> None:
    line = CommandLine(varied(loss__commands=0.5), np.random.default_rng(1))
    line.start([0.0])
    acting = [line.send([float(k)]).command[0] for k in range(1, 400)]
    late = [k - value for k, value in enumerate(acting, start=1)]
    assert min(late) == 0
    assert 1 <= max(late) < 20
    assert np.mean([each == 0 for each in late]) == pytest.approx(0.5, abs=0.08)
    assert all(after >= before for before, after in itertools.pairwise(acting))


# The environment


def rollout(env: Env, seed: int | None = None, count: int = 30, **options: object) -> FloatArray:
    """Observations of an episode that begins upright, under small pushes, (n, o)."""
    observation, _ = env.reset(seed=seed, options=options or None)
    rows = [observation]
    for k in range(count):
        observation, _, terminated, _, _ = env.step(np.array([0.02 * (-1) ** k], np.float32))
        rows.append(observation)
        if terminated:
            break
    return np.array(rows)


def test_what_a_policy_is_sent_is_what_the_learner_observes_and_rewards_are_of_what_is_true(env: Env) -> None:
    env.reset(options={"state": [0.0, 0.0, 0.05, 0.0], "variation": {Quantity("offset", POLE): 0.19}})
    observation, reward, terminated, _, _ = env.step(np.zeros(1, np.float32))
    state = env.signals(7, "")
    assert isinstance(state, JointState)
    assert state.position[1] == pytest.approx(env.state[2] + 0.19)
    assert observation[3] == pytest.approx(np.sin(state.position[1]))
    assert (reward, terminated) == (1.0, False)  # as measured, the pole would lie


def test_an_environment_that_varied_is_as_described_again_to_the_last_bit(env: Env) -> None:
    state = [0.0, 0.0, 0.05, 0.0]
    described = rollout(env, state=state)
    all_of_it = {each.quantity: each.high for each in TASK.randomise.ranges}
    assert not np.array_equal(rollout(env, state=state, variation=all_of_it), described)
    np.testing.assert_array_equal(rollout(env, state=state), described)


def test_robots_are_drawn_from_the_seed_anew_for_each_episode_and_only_while_they_are_to_vary() -> None:
    def drawn(env: Env, seed: int) -> list[object]:
        env.reset(seed=seed)
        seen: list[object] = [dict(env.variation)]
        for _ in range(2):
            env.reset()
            seen.append(dict(env.variation))
        return seen

    env, other = (Env(TASK, randomise=TASK.randomise) for _ in range(2))
    assert drawn(env, 5) == [{}, {}, {}]
    env.is_varied = other.is_varied = True
    first = drawn(env, 5)
    assert first == drawn(other, 5)
    assert first[0] != first[1] != first[2]
    assert first != drawn(env, 6)
    bounds = {each.quantity: (each.low, each.high) for each in TASK.randomise.ranges}
    for variation in first:
        assert isinstance(variation, dict)
        assert variation.keys() == bounds.keys()
        assert all(bounds[quantity][0] <= value <= bounds[quantity][1] for quantity, value in variation.items())
    env.close()
    other.close()


def test_a_copy_of_a_varied_environment_goes_on_as_it_would(env: Env) -> None:
    env.randomise, env.is_varied = TASK.randomise, True
    env.reset(seed=2)
    env.step(np.array([0.1], np.float32))
    twin = copy.deepcopy(env)
    for one in (env, twin):
        assert one.variation == env.variation
    ends = [one.step(np.array([-0.2], np.float32))[0].tolist() for one in (env, twin)]
    assert ends[0] == ends[1]
    twin.close()


def test_a_push_comes_once_at_its_time_and_no_other(env: Env) -> None:
    state, period = [0.0, 0.0, 0.0, 0.0], TASK.specification.control_period
    still = rollout(env, state=state)
    pushed = rollout(env, state=state, variation={Quantity("push", CART): 5.0, Quantity("push_time"): 4.5 * period})
    np.testing.assert_array_equal(pushed[:5], still[:5])
    assert pushed[5, 1] - still[5, 1] > 0.2
    assert abs((pushed[6, 1] - still[6, 1]) - (pushed[5, 1] - still[5, 1])) < 0.1


def test_what_cannot_vary_is_refused_before_an_episode_begins(env: Env) -> None:
    with pytest.raises(ConfigError, match="'leg' is none of this robot"):
        env.reset(options={"variation": {Quantity("mass", "leg"): 2.0}})
    ranges = ranges_of_setting(f"{{length: {{{CART}: [0.5, 2]}}}}", "simulator.randomise", TASK.specification)
    with pytest.raises(ConfigError, match=r"length|slide"):
        Env(TASK, randomise=ranges)


# Trials and plants


def fall(observation: Float32Array) -> Float32Array:
    return np.ones(1, np.float32)


def test_a_trial_counts_what_became_of_an_episode(env: Env) -> None:
    trial = play(env, fall, {"options": {"state": [0.0, 0.0, 0.1, 0.0]}})
    assert trial.steps < 50
    assert trial.total_reward == trial.steps
    assert not trial.is_kept


def test_plants_of_training_gate_and_report_share_no_number_but_those_of_the_robot_as_described() -> None:
    assert TASK.exam is not None
    gate, report = gate_plants(TASK.exam.ranges), report_plants(TASK.exam.ranges)
    assert (len(gate), len(report)) == (GATE_SIZE, REPORT_SIZE)
    assert len({plant.name for plant in report}) == REPORT_SIZE

    def numbers(plants: list[dict[Quantity, float]]) -> set[float]:
        return {value for plant in plants for value in plant.values()}

    rng = np.random.default_rng(0)
    sets = [
        numbers([dict(plant.variation) for plant in gate]),
        numbers([dict(plant.variation) for plant in report]),
        numbers([TASK.randomise.draw(rng) for _ in range(200)]),
    ]
    for one in range(3):
        for other in range(one):
            assert not sets[one] & sets[other]
    assert gate[0].variation == report[0].variation == {}


def test_plants_of_a_report_lie_at_the_bounds_and_those_of_the_gate_a_little_beyond_or_within() -> None:
    assert TASK.exam is not None
    bounds = {each.quantity: (each.low, each.high) for each in TASK.exam.ranges.ranges}
    reached: set[tuple[Quantity, float]] = set()
    for plant in report_plants(TASK.exam.ranges):
        reached |= {(quantity, value) for quantity, value in plant.variation.items() if value in bounds[quantity]}
    for quantity, (low, high) in bounds.items():
        assert all((quantity, bound) in reached for bound in (low, high) if bound != quantity.neutral)
    for plant in gate_plants(TASK.exam.ranges):
        for quantity, value in plant.variation.items():
            low, high = bounds[quantity]
            is_beyond = not low <= value <= high
            assert value == quantity.neutral or value not in (low, high)
            assert len({each.field for each in plant.variation}) == 1 or not is_beyond, "mixtures are mild"
            if FIELDS[quantity.field].is_factor:
                low, high = low**1.1, high**1.1
            else:
                low, high = min(low * 1.1, low), max(high * 1.1, high)
            assert low <= value <= high


def test_no_ranges_give_one_plant() -> None:
    assert [plant.name for plant in gate_plants(Ranges())] == ["as described"]
