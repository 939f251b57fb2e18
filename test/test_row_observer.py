"""Policies that observe efforts, actions and the past: what the node keeps for them, and when it may move anything."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import sac_control.tasks
from policies import RUN_ID, SPECIFICATION, make_file
from sac_control.envs.registry import make_env
from sac_control.identity import frame_id
from sac_control.policy.controller import Controller
from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.row_observer import RowObserver
from sac_control.policy.safety import Mode
from sac_control.policy.shadow_process import Shadow
from sac_control.simulation.episode_runner import EpisodeRunner
from sac_control.types import Action, JointState, Specification, Transition

CART, POLE = SPECIFICATION.joints
LIMIT = SPECIFICATION.command_limit[0]
T = SPECIFICATION.control_period
PERIOD = round(1e9 * T)  # [ns]
LOOKS_BACK = (f"velocity({POLE})@1", f"action({CART})", f"action({CART})@1")
READS_EFFORT = (f"effort({CART})",)
NOW = 1_800_000_000_000_000_000  # [ns]


def specification(terms: tuple[str, ...]) -> Specification:
    return dataclasses.replace(SPECIFICATION, observation=terms)


def gentle_file(terms: tuple[str, ...], seed: int = 0) -> PolicyFile:
    """A policy whose actions are neither all alike nor all at their limits."""
    file = make_file(seed, specification=specification(terms))
    *hidden, (weight, bias) = file.actor.layers
    layers = (*hidden, (np.float32(0.02) * weight, np.float32(0.02) * bias))
    return dataclasses.replace(file, actor=dataclasses.replace(file.actor, layers=layers))


class Rig:
    """A controller that answers states of a pole whose velocity is told."""

    def __init__(self, terms: tuple[str, ...] = LOOKS_BACK, **settings: object) -> None:
        self.now, self.stamp = 1000.0, NOW
        anything: dict[str, object] = {"check_stamps": False, "period_error": 100.0, "frozen_periods": 0}
        config = PolicyConfig.from_mapping({"state_timeout": 0.05, "accept_weights": RUN_ID, **anything, **settings})
        self.controller = Controller(config, lambda: self.now, lambda: self.stamp)
        self.controller.install(gentle_file(terms))
        self.controller.activate()

    def answer(self, velocity: float = 0.0, *, periods: float = 1.0, effort: tuple[float, ...] = ()) -> Action | None:
        """What is said to a state that comes `periods` control periods after the one before."""
        self.now, self.stamp = self.now + periods * T, self.stamp + round(periods * PERIOD)
        return self.controller.answer(
            JointState(
                stamp=self.stamp,
                names=(POLE, CART),  # as no specification has them
                position=np.array([0.01, 0.02]),
                velocity=np.array([velocity, 0.5]),
                effort=np.array(effort),
            )
        )

    def observation(self, velocity: float = 0.0, *, periods: float = 1.0) -> list[float]:
        assert self.answer(velocity, periods=periods) is not None
        return [float(value) for value in self.controller.admission.observation]

    def mode(self) -> Mode:
        return self.controller.mode

    @property
    def action(self) -> float:
        """Normalised, as it was commanded."""
        return float(np.float32(self.controller.last_command[0] / LIMIT))


def test_rows_hold_what_was_measured_and_what_was_commanded_after_all_limits() -> None:
    """An action of 1 at most, of which the rate lets through 2 % more each control period: 0.02, 0.04, …"""
    one = Rig(lockstep=True, max_command_rate=0.02 * LIMIT / T)
    one.controller.install(pushing(LOOKS_BACK))
    assert one.observation(7.0) == [7.0, 0.0, 0.0], "the pole has stood there before, without an action"
    assert one.observation(8.0) == pytest.approx([7.0, 0.02, 0.0])
    assert one.observation(9.0) == pytest.approx([8.0, 0.04, 0.02])
    assert one.observation(1.0) == pytest.approx([9.0, 0.06, 0.04])


def pushing(terms: tuple[str, ...]) -> PolicyFile:
    file = make_file(specification=specification(terms))
    *hidden, (weight, bias) = file.actor.layers
    layers = (*hidden, (np.zeros_like(weight), np.full_like(bias, 20.0)))
    return dataclasses.replace(file, actor=dataclasses.replace(file.actor, layers=layers))


def test_on_a_robot_nothing_arms_before_the_memory_is_full() -> None:
    one = Rig()
    assert one.answer(1.0) is not None, "what it would do is told all the same"
    assert one.mode() is Mode.ARMING
    assert one.controller.cause == "observation history is filling, 1 of 2 periods"
    for _ in range(3):
        assert one.mode() is Mode.ARMING
        one.answer(1.0)
    assert one.mode() is Mode.ACTIVE


def test_gap_between_stamps_disarms_a_robot_until_the_memory_is_full_again_and_latches_nothing() -> None:
    one = Rig()
    while one.mode() is not Mode.ACTIVE:
        one.answer(1.0)
    before = one.observation(2.0)
    assert before[0] == 1.0
    action = one.answer(3.0, periods=2.0)
    assert action is not None
    assert action.command.tolist() == [0.0]
    assert one.mode() is Mode.ARMING
    assert "observation history is filling, 1 of 2 periods" in one.controller.cause
    assert one.observation(4.0)[:2] == [3.0, 0.0], "of the new row, in which nothing was commanded"
    while one.mode() is not Mode.ACTIVE:
        one.answer(1.0)


@pytest.mark.parametrize("periods", [0.8, 1.0, 1.4])
def test_jitter_is_no_gap(periods: float) -> None:
    one = Rig()
    while one.mode() is not Mode.ACTIVE:
        one.answer(1.0)
    assert one.observation(3.0, periods=periods)[0] == 1.0
    assert one.observation(4.0)[0] == 3.0
    assert one.mode() is Mode.ACTIVE


def test_memory_ends_with_the_activation() -> None:
    one = Rig()
    while one.mode() is not Mode.ACTIVE:
        one.answer(1.0)
    one.controller.deactivate()
    one.controller.activate()
    one.answer(2.0)
    assert one.controller.cause == "observation history is filling, 1 of 2 periods"
    assert one.observation(3.0) == [2.0, 0.0, 0.0]


def test_rejected_state_is_no_row() -> None:
    one = Rig()
    while one.mode() is not Mode.ACTIVE:
        one.answer(1.0)
    assert one.answer(math.nan, periods=0.5) is None
    assert one.observation(3.0, periods=0.5)[0] == 1.0


def test_in_a_simulation_the_first_state_fills_the_memory_and_so_does_each_that_begins_an_episode() -> None:
    one = Rig(lockstep=True)
    assert one.observation(7.0) == [7.0, 0.0, 0.0]
    assert one.mode() is Mode.ACTIVE
    action = one.action
    assert one.observation(8.0) == [7.0, action, 0.0]
    assert one.observation(9.0, periods=2.0) == [9.0, 0.0, 0.0]
    assert one.mode() is Mode.ACTIVE
    action = one.action
    assert one.observation(1.0) == [9.0, action, 0.0]


@pytest.mark.parametrize("effort", [(), (1.0, math.nan)])
def test_state_without_an_effort_that_is_observed_is_rejected_in_a_sentence(effort: tuple[float, ...]) -> None:
    one = Rig(READS_EFFORT)
    assert one.answer(effort=effort) is None
    assert one.controller.admission.last_rejection == (
        f"joint state has nan as effort of joint {CART!r}, which the policy observes: let the robot measure it, and "
        "joint_state_broadcaster publish it"
    )
    assert one.answer(effort=(1.0,)) is None
    assert "2 names, 2 positions, 2 velocities and 1 efforts" in one.controller.admission.last_rejection
    assert one.answer(effort=(math.nan, 3.0)) is not None, "the pole's is not read"
    assert one.controller.admission.observation.tolist() == [3.0]


def test_effort_of_a_robot_that_counts_the_other_way_is_the_policys() -> None:
    one = Rig(READS_EFFORT, joint_sign=f"{CART}: -1")
    state = JointState(
        stamp=NOW, names=(CART, POLE), position=np.zeros(2), velocity=np.zeros(2), effort=np.array([3.0, math.nan])
    )
    assert one.controller.answer(one.controller.robot_joints.state(state)) is not None
    assert one.controller.admission.observation.tolist() == [-3.0]


def test_policies_that_read_a_joint_state_alone_need_none_of_this() -> None:
    assert RowObserver.where_needed(SPECIFICATION, is_simulated=True) is None
    for term in (*LOOKS_BACK, *READS_EFFORT):
        assert RowObserver.where_needed(specification((term,)), is_simulated=True) is not None


def observed(tmp_path: Path, begin: int, late: Sequence[int] = ()) -> list[Transition]:
    """40 transitions, of which environment and policy observed the same to the last bit, for a policy that looks back.

    Args:
        tmp_path: for the task file.
        begin: [ns] of simulated time.
        late: [ns] by how much stamps are late, as a simulator in real time finds after each step; () for lockstep.
    """
    text = (Path(sac_control.tasks.__file__).parent / "inverted_pendulum.yaml").read_text()
    robots = Path(sac_control.tasks.__file__).parent.parent / "robots"
    terms = (*SPECIFICATION.observation, *LOOKS_BACK, *READS_EFFORT, f"(velocity({CART}) - {POLE})@3")
    listed = "".join(f"  - {term}\n" for term in SPECIFICATION.observation)
    assert listed in text
    path = tmp_path / "task.yaml"
    path.write_text(
        text.replace(listed, "".join(f'  - "{term}"\n' for term in terms)).replace("../robots", str(robots))
    )
    env = make_env(str(path), max_episode_steps=7)
    file = dataclasses.replace(gentle_file(terms), specification=env.specification)
    config = PolicyConfig(
        task=env.specification.task, run_id=RUN_ID, lockstep=True, deterministic=False, max_command_rate=900.0
    )
    controller = Controller(config)
    controller.install(file)
    controller.activate()
    runner = EpisodeRunner(env, source=1, seed=3, frame=frame_id(RUN_ID, env.specification.hash), begin=begin)
    transitions = []
    try:
        for k in range(40):
            if k in (10, 18):  # in the middle of an episode, whose newest state was answered
                controller.answer(runner.signals)
                runner.reset()
            action = controller.answer(runner.signals)
            assert action is not None
            transition = runner.step(action.command, action.policy_version)
            np.testing.assert_array_equal(controller.admission.observation, transition.observation)
            assert np.float32(action.command[0] / LIMIT) == transition.action[0]
            transitions.append(transition)
            if late:
                runner.follow(runner.stamp + late[k])
        assert runner.episode >= 5
    finally:
        runner.close()
    return transitions


def test_environment_and_policy_observe_the_same_to_the_last_bit_across_episodes(tmp_path: Path) -> None:
    """Whenever that is: what is learnt does not depend on the date."""
    runs = [observed(tmp_path, begin) for begin in (0, 1_795_000_000_123_456_789)]
    for first, second in zip(*runs, strict=True):
        for field in dataclasses.fields(Transition):
            if field.name != "stamp":
                np.testing.assert_array_equal(getattr(first, field.name), getattr(second, field.name), field.name)


def test_environment_and_policy_observe_the_same_while_stamps_follow_another_clock(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    late = [round(each) for each in rng.choice([-3600e9, -1e6, 0.0, 1e6, 0.02e9, 5e9], 40)]
    transitions = observed(tmp_path, 0, late)
    for before, after in itertools.pairwise(transitions):
        periods = (after.stamp - before.stamp) / PERIOD
        assert 0.9 < periods < 1.1 if after.episode == before.episode else periods > 1.5


def test_shadow_policy_remembers_what_the_policy_in_force_commanded() -> None:
    config = PolicyConfig(check_stamps=False)
    shadow = Shadow(gentle_file(LOOKS_BACK), config)
    try:
        for k, velocity in enumerate((1.0, 2.0, 3.0)):
            state = JointState(
                stamp=k * PERIOD,
                names=(CART, POLE),
                position=np.zeros(2),
                velocity=np.array([0.0, velocity]),
            )
            shadow.ask(state, Mode.ACTIVE, 1.0, np.array([10.0 * (k + 1)]))
            assert (shadow._asked is not None) is (k > 0), "it is asked once its memory is full"
        assert not shadow.fault
        assert shadow._observation.tolist() == [2.0, np.float32(0.2), np.float32(0.1)]
        assert shadow.skipped == 1
    finally:
        shadow.close()
