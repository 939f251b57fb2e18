"""A deterministic training is the same whatever takes how long: updates, evaluations, messages. Without ROS."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from learners import NEEDS_TORCH
from sac_control.algorithms.algorithm import State
from sac_control.envs.registry import make_env
from sac_control.policy.controller import Controller
from sac_control.policy.policy_config import PolicyConfig
from sac_control.simulation.episode_runner import EpisodeRunner
from sac_control.training.intake import Outcome
from sac_control.training.learner_config import LearnerConfig
from sac_control.training.training_run import TrainingRun
from test_training_run import transition

PATIENCE = 120.0  # [s]


def deterministic_run(tmp_path: Path, clock: Callable[[], float], **more: object) -> TrainingRun:
    values = {"run_directory": str(tmp_path / "run"), "deterministic": True, **more}
    return TrainingRun(LearnerConfig.from_mapping(values), say=lambda _: None, clock=clock)


def state_of(run: TrainingRun) -> State:
    return run.training.state()


def assert_same(first: State, second: State) -> None:
    assert first.numbers == second.numbers
    assert first.arrays.keys() == second.arrays.keys()
    for name, array in first.arrays.items():
        np.testing.assert_array_equal(array, second.arrays[name], err_msg=name)


def slow_clock() -> Callable[[], float]:
    """Every look at it finds a second gone: whatever is timed is slow."""
    return itertools.count().__next__


def learnt(path: Path, clock: Callable[[], float], rewards: Sequence[float], **more: object) -> State:
    """The state of a training after transitions with these rewards, each worked off before the next."""
    run = deterministic_run(
        path, clock, warmup_steps=20, batch_size=16, hidden_sizes=[8], evaluation_every=0, publish_every=24,
        checkpoint_every=7, replay_ratio=37.0, **more,
    )  # fmt: skip
    for sequence, reward in enumerate(rewards):
        run.ingest(transition(sequence, reward))
        while run.work():
            pass
    state = state_of(run)
    run.close()
    return state


@pytest.mark.parametrize("backend", ["native", pytest.param("torch", marks=[NEEDS_TORCH, pytest.mark.long])])
def test_slow_and_fast_updates_give_the_same_numbers_and_publications(tmp_path: Path, backend: str) -> None:
    fast = learnt(tmp_path / "fast", lambda: 0.0, [1.0] * 35, backend=backend)
    slow = learnt(tmp_path / "slow", slow_clock(), [1.0] * 35, backend=backend)
    assert fast.numbers["updates"] == 37 * 15
    assert_same(fast, slow)


def test_slow_and_fast_updates_that_diverge_are_rolled_back_to_the_same_numbers(tmp_path: Path) -> None:
    rewards = [1.0] * 40 + [3e38]  # finite, but its square is not
    fast, slow = learnt(tmp_path / "fast", lambda: 0.0, rewards), learnt(tmp_path / "slow", slow_clock(), rewards)
    assert fast.numbers["_rollbacks"] > 0
    assert_same(fast, slow)


def until_busy(run: TrainingRun) -> int:
    """Let a training learn until an evaluation is under way; returns the transitions that took."""
    sequence = 0
    while not run._evaluations.is_busy:
        assert run.ingest(transition(sequence)) is Outcome.ACCEPTED
        sequence += 1
        while run.work():
            pass
        run.note_version_in_force(run.weights.version)
    return sequence


def test_while_a_verdict_is_awaited_nothing_is_asked_for_and_nothing_taken(tmp_path: Path) -> None:
    run = deterministic_run(
        tmp_path, time.monotonic, warmup_steps=20, batch_size=16, hidden_sizes=[8], evaluation_every=30,
        replay_ratio=40.0,
    )  # fmt: skip
    count = until_busy(run)
    candidate = run._evaluations._candidate
    assert candidate is not None
    assert candidate.numbers["updates"] == 40 * (count - 20), "all are made that its transitions are worth"
    granted = run.credit
    assert granted <= count
    assert run.ingest(transition(count)) is Outcome.UNWANTED, "nobody asked for it"
    deadline = time.monotonic() + PATIENCE
    while run._evaluations.is_busy and time.monotonic() < deadline:
        assert run.credit == granted
        run.work()
    assert run.credit == count + 1
    assert run.ingest(transition(count)) is Outcome.ACCEPTED, "its source sends it again"
    assert run.status().missing_transitions == 0
    run.close()


def test_nothing_is_asked_for_before_all_is_done_that_the_newest_transition_makes_due(tmp_path: Path) -> None:
    run = deterministic_run(
        tmp_path, time.monotonic, warmup_steps=20, batch_size=16, hidden_sizes=[8], evaluation_every=0,
        replay_ratio=0.25, checkpoint_every=10,
    )  # fmt: skip
    for sequence in range(30):
        run.note_version_in_force(run.weights.version)
        assert run.credit in (0, sequence + 1)
        granted, version = run.credit, run.weights.version
        run.ingest(transition(sequence))
        assert run.credit == granted, "a checkpoint may be due, and with it other weights"
        while run.work():
            pass
        is_published = run.weights.version > version
        assert run.credit == (granted if is_published else sequence + 2)
    run.close()


def test_what_was_granted_to_a_source_is_not_granted_to_the_next_one_whose_numbers_begin_anew(tmp_path: Path) -> None:
    run = deterministic_run(tmp_path, time.monotonic, warmup_steps=20, evaluation_every=0)
    run.note_version_in_force(run.weights.version)
    for sequence in range(10):
        assert run.ingest(transition(sequence)) is Outcome.ACCEPTED
        run.work()
    assert run.credit == 11
    assert run.ingest(dataclasses.replace(transition(0), source=2)) is Outcome.ACCEPTED
    assert run.credit == 0, "nothing yet, or it would go on to its eleventh"
    run.work()
    assert run.credit == 2
    run.close()


def solved(path: Path, *, is_impatient: bool) -> tuple[TrainingRun, int]:
    """Train the pendulum until solved; returns the training, open, and how far credit had gone.

    Impatient: credit is looked at wherever a timer of the node might, and transitions come as soon as it allows.
    """
    run = deterministic_run(path, time.monotonic, seed=2, max_steps=2000, until="solved")
    episodes = EpisodeRunner(make_env("inverted_pendulum"), source=1, seed=2)
    controller = Controller(PolicyConfig(deterministic=False, seed=2, lockstep=True, accept_weights=run.run_id))
    controller.activate()
    in_force, deadline = None, time.monotonic() + PATIENCE
    while not run.is_done:
        assert time.monotonic() < deadline, "is not solved"
        has_more = run.work()
        if in_force is None or run.weights.version > in_force.version:
            in_force = run.weights
            controller.offer(in_force)
            run.note_version_in_force(in_force.version)
        if not is_impatient and (has_more or run._evaluations.is_busy or run.is_done):
            continue
        while episodes.sequence == 0 or run.credit > episodes.sequence:
            action = controller.answer(episodes.signals)
            assert action is not None
            run.ingest(episodes.step(action.command, action.policy_version))
            if not is_impatient:
                break
    credit = run.credit
    episodes.close()
    return run, credit


def test_training_ends_with_the_transition_that_its_solution_was_evaluated_at(tmp_path: Path) -> None:
    states = []
    for is_impatient in (False, True):
        run, credit = solved(tmp_path / str(is_impatient), is_impatient=is_impatient)
        assert run.verdict() == "solved"
        count = run.status().env_steps
        assert count == run.training.solved_at, "not one more after it"
        assert credit <= count, "and none is asked for"
        assert run.ingest(transition(count)) is Outcome.UNWANTED, "nor taken"
        run.close()
        assert run.credit == credit
        states.append(state_of(run))
    assert_same(*states)
