"""A training accepts each transition once, keeps its replay ratio, resumes to the last bit, and learns."""

from __future__ import annotations

import dataclasses
import json
import math
import subprocess
import sys
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learners import NEEDS_TORCH, off_policy
from sac_control.algorithms.algorithm import State
from sac_control.errors import RunError, TransitionError
from sac_control.policy.policy import Policy
from sac_control.training.learner_config import learner_config
from sac_control.training.training import Training
from sac_control.types import ActorParameters, Transition

BACKENDS = [
    {"backend": "native"},
    pytest.param({"backend": "torch"}, marks=NEEDS_TORCH),
    pytest.param({"algorithm": "sac_v1"}, marks=NEEDS_TORCH),
]


def training(*, has_exam: bool = False, **changes: Any) -> Training:
    values: dict[str, Any] = {
        "hidden_sizes": (8,),
        "batch_size": 16,
        "warmup_steps": 10,
        "replay_ratio": 2.0,
        "run_ahead": 4,
    }
    return Training(learner_config(**(values | changes)), observation_size=2, action_size=1, has_exam=has_exam)


def transition(sequence: int, **changes: Any) -> Transition:
    random = np.random.default_rng(sequence)
    observation, next_observation = random.normal(size=(2, 2)).astype(np.float32)
    values: dict[str, Any] = {
        "source": 1,
        "sequence": sequence,
        "episode": sequence // 5,
        "step": sequence % 5,
        "stamp": sequence,
        "policy_version": 0,
        "observation": observation,
        "action": random.uniform(-1, 1, 1).astype(np.float32),
        "reward": 1.0,
        "next_observation": next_observation,
        "terminated": sequence % 10 == 4,
        "truncated": sequence % 10 == 9,
    }
    return Transition(**(values | changes))


def same(first: State, second: State) -> bool:
    return first.numbers == second.numbers and all(
        np.array_equal(first.arrays[name], second.arrays[name]) for name in first.arrays
    )


def test_a_transition_that_comes_twice_is_learnt_from_once() -> None:
    run = training()
    for sequence in (0, 1, 1, 0, 2):
        run.ingest(transition(sequence))
    assert (run.transitions, len(off_policy(run).buffer), run.counters().duplicates) == (3, 3, 2)


def test_a_late_transition_is_learnt_from_and_no_longer_lost() -> None:
    run = training()
    for sequence in (0, 2, 3, 1, 1):
        run.ingest(transition(sequence))
    counters = run.counters()
    assert (run.transitions, counters.missing, counters.duplicates) == (4, 0, 1)
    np.testing.assert_array_equal(off_policy(run).buffer.rows(3, 4)[0, :2], transition(1).observation)


def test_strangers_who_say_nothing_usable_make_no_known_source_forgotten() -> None:
    run = training()
    run.ingest(transition(0))
    for source in range(2, 2000):
        with pytest.raises(TransitionError):
            run.ingest(transition(7 * source, source=source, reward=math.nan))
    run.ingest(transition(0))
    run.ingest(transition(2))
    counters = run.counters()
    assert (run.transitions, counters.rejected, counters.duplicates, counters.missing) == (2, 1998, 1, 1)


def test_lost_transitions_are_counted() -> None:
    run = training()
    for sequence in (0, 1, 6):
        run.ingest(transition(sequence))
    assert (run.transitions, run.counters().missing) == (3, 4)


def test_a_bad_transition_is_counted_refused_and_does_not_stop_the_run() -> None:
    run = training()
    run.ingest(transition(0))
    with pytest.raises(TransitionError):
        run.ingest(transition(1, reward=math.nan))
    run.ingest(transition(2))
    counters = run.counters()
    assert (counters.transitions, counters.rejected, counters.missing) == (2, 1, 0)
    assert off_policy(run).learner.normaliser.arrays()["count"] == 2


def test_returns_are_reported_per_episode() -> None:
    run = training()
    ended = [episode for sequence in range(12) if (episode := run.ingest(transition(sequence)).episode)]
    assert [(episode.episode, episode.total_reward, episode.terminated) for episode in ended] == [
        (0, 5.0, True),
        (1, 5.0, False),
    ]
    assert (run.counters().episodes, run.counters().last_return, run.counters().mean_return) == (2, 5.0, 5.0)


def test_no_update_is_owed_for_the_warm_up() -> None:
    run = training(warmup_steps=10, replay_ratio=2.5)
    owed = []
    for sequence in range(14):
        run.ingest(transition(sequence))
        owed.append(run.updates_owed)
    assert owed == [0] * 10 + [2, 5, 7, 10]


@given(
    ratio=st.sampled_from([0.01, 0.1, 0.29, 1 / 3, 1.0, 1.5, 4.0, 7.3, 20.0]),
    warmup=st.integers(1, 20),
    run_ahead=st.integers(1, 12),
    choices=st.lists(st.integers(0, 9), max_size=150),
)
@settings(max_examples=150, deadline=None)
def test_the_source_never_runs_away_and_never_waits_for_nothing(
    ratio: float, warmup: int, run_ahead: int, choices: list[int]
) -> None:
    """Whatever the speeds of source and learner, with transitions under way between them."""
    run = training(replay_ratio=ratio, warmup_steps=warmup, run_ahead=run_ahead, hidden_sizes=(1,))
    exact = Fraction(ratio).limit_denominator(10**6)
    sent = arrived = made = credit = 0
    for choice in choices:
        if choice < 5 and (sent < credit or sent == 0):
            sent += 1
        elif choice < 8 and arrived < sent:
            run.ingest(transition(arrived, episode=0, step=arrived))
            arrived += 1
        elif run.updates_owed:
            run.algorithm.updates += 1  # an update, as far as counting goes
            made += 1
        assert run.credit >= credit, "credit never shrinks"
        credit = run.credit
        assert sent - arrived <= run_ahead
        assert made <= exact * max(0, arrived - warmup), "never more updates than the ratio allows"
        due = warmup + math.ceil((made + 1) / exact)  # with this transition the next update becomes due
        assert sent < due + run_ahead, "never more than run_ahead transitions without their updates"
        waiting = sent > 0 and sent >= credit and sent == arrived
        assert not waiting or run.updates_owed, "a source that waits is waited for by no one"


def test_credit_is_zero_before_anything_was_heard_and_counts_as_the_last_source_does() -> None:
    run = training(run_ahead=4)
    assert run.credit == 0
    run.ingest(transition(1000))
    assert run.credit == 1005
    run.ingest(transition(0, source=2))
    assert run.credit == 5


def test_a_late_learner_does_not_let_the_backlog_grow() -> None:
    run = training(warmup_steps=10, run_ahead=4)
    for sequence in range(30):  # a source that does not ask
        run.ingest(transition(sequence))
    assert run.credit < 30
    run.update(run.updates_owed)
    assert run.credit == 30 + 4


def test_updates_in_one_go_equal_updates_one_by_one() -> None:
    at_once, apart = training(), training()
    for run in (at_once, apart):
        for sequence in range(20):
            run.ingest(transition(sequence))
    at_once.update(6)
    for _ in range(6):
        apart.update(1)
    assert same(at_once.state(), apart.state())


@pytest.mark.parametrize("backend", BACKENDS[:2], ids=str)
def test_same_seed_and_calls_give_the_same_numbers_and_another_seed_does_not(backend: dict[str, Any]) -> None:
    runs = [training(seed=seed, **backend) for seed in (3, 3, 4)]
    for run in runs:
        for sequence in range(30):
            run.ingest(transition(sequence))
            run.update(run.updates_owed)
    assert same(runs[0].state(), runs[1].state())
    assert not same(runs[0].state(), runs[2].state())
    assert runs[0].metrics() == runs[1].metrics()


def test_networks_and_batches_use_unrelated_random_streams() -> None:
    run = training()
    parts = off_policy(run).learner, off_policy(run).buffer
    first, second = (part.generator.random(1000) for part in parts)
    assert not np.isin(first, second).any()
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.1


@pytest.mark.parametrize("backend", BACKENDS[:2], ids=str)
def test_a_restored_training_continues_bit_identically(backend: dict[str, Any]) -> None:
    original = training(buffer_capacity=40, **backend)
    for sequence in range(60):
        original.ingest(transition(sequence))
        original.update(original.updates_owed)
        if original.publication_due:
            original.publish()
    saved = original.state()
    rows = off_policy(original).buffer.rows(20, 60)

    resumed = training(buffer_capacity=40, **backend)
    off_policy(resumed).buffer.restore(rows, saved.numbers["transitions"])
    resumed.restore(State(arrays=saved.arrays, numbers=json.loads(json.dumps(saved.numbers))))
    for run in (original, resumed):
        for sequence in range(58, 90):
            run.ingest(transition(sequence))
            run.update(run.updates_owed)
    assert same(original.state(), resumed.state())
    assert original.counters() == resumed.counters()


def test_restoring_without_the_transitions_is_refused() -> None:
    original = training()
    original.ingest(transition(0))
    with pytest.raises(RunError, match="restored to 0 transitions"):
        training().restore(original.state())


def test_transitions_that_came_after_the_checkpoint_are_taken_over_by_ingesting_them() -> None:
    original = training()
    for sequence in range(30):
        original.ingest(transition(sequence))
        original.update(original.updates_owed)
        if sequence == 19:
            saved, rows = original.state(), off_policy(original).buffer.rows(0, 20)
    resumed = training()
    off_policy(resumed).buffer.restore(rows, 20)
    resumed.restore(saved)
    for sequence in range(20, 30):
        resumed.ingest(transition(sequence))
    assert resumed.updates_owed == original.updates - saved.numbers["updates"]
    ingested, counted = resumed.counters(), original.counters()
    assert (ingested.transitions, ingested.episodes, ingested.duplicates) == (30, counted.episodes, 0)
    np.testing.assert_array_equal(off_policy(resumed).buffer.rows(0, 30), off_policy(original).buffer.rows(0, 30))
    resumed.ingest(transition(29))
    assert resumed.transitions == 30, "the sender sends its last transition again while it waits"


def test_versions_of_an_earlier_life_are_skipped_and_never_counted_back() -> None:
    run = training()
    run.skip_versions(7)
    run.skip_versions(3)
    run.publish()
    assert run.policy_version == 8


def test_publications_are_numbered_and_due_by_updates() -> None:
    run = training(publish_every=5)
    due = [run.publication_due]
    assert isinstance(run.publish(), ActorParameters)
    assert run.policy_version == 1
    due.append(run.publication_due)
    for sequence in range(12):
        run.ingest(transition(sequence))
    for count in (4, 1):
        run.update(count)
        due.append(run.publication_due)
    assert due == [True, False, False, True]


def test_critics_start_at_the_value_of_going_on_for_ever() -> None:
    run = training(gamma=0.9, critic_learning_rate=0.0)
    for sequence in range(10):
        run.ingest(transition(sequence, reward=2.0))
    run.update(1)
    assert run.metrics()["q"] == pytest.approx(2.0 / 0.1, abs=1.5)


def test_no_update_is_no_change() -> None:
    run = training()
    run.ingest(transition(0))
    before = run.state()
    run.update(0)
    assert same(before, run.state())


def test_metrics_are_empty_before_the_first_update_and_plain_numbers_after() -> None:
    run = training()
    assert run.metrics() == {}
    run.ingest(transition(0))
    run.update(1)
    assert set(run.metrics()) == {"alpha", "alpha_loss", "critic_loss", "q", "actor_loss", "entropy"}
    assert all(type(value) is float and math.isfinite(value) for value in run.metrics().values())


def test_an_infinite_reward_history_is_noticed_before_publication() -> None:
    run = training()
    for sequence in range(10):
        run.ingest(transition(sequence, reward=3e38))
    run.update(20)
    assert not run.is_finite()


def test_a_rollback_returns_to_the_last_publication_with_half_the_rates_and_other_batches() -> None:
    run = training(learning_rate_decay=0)
    for sequence in range(30):
        run.ingest(transition(sequence))
    run.update(3)
    run.publish()
    published, draws = off_policy(run).learner.state(), off_policy(run).buffer.generator.bit_generator.state
    run.update(2)
    run.roll_back()
    for name, array in off_policy(run).learner.state().items():
        np.testing.assert_array_equal(array, published[name], err_msg=name)
    assert off_policy(run).buffer.generator.bit_generator.state != draws, "the same batches would come again"
    assert (run.updates, run.counters().rollbacks) == (5, 1)
    run.update(1)
    assert off_policy(run).learner.learning_rate_scale == 0.5


def revived(run: Training, **changes: Any) -> Training:
    """Another training that goes on from the checkpoint of `run`."""
    state, resumed = run.state(), training(**changes)
    off_policy(resumed).buffer.restore(off_policy(run).buffer.rows(0, run.transitions), run.transitions)
    resumed.restore(State(arrays=state.arrays, numbers=json.loads(json.dumps(state.numbers))))
    return resumed


@pytest.mark.parametrize("is_resumed", [False, True])
@pytest.mark.parametrize("backend", BACKENDS, ids=str)
def test_a_rollback_to_before_the_first_update_has_the_optimistic_start_again(
    backend: dict[str, Any], is_resumed: bool
) -> None:
    """It is made of all rewards so far, and statistics of the observations are in force with it."""
    settings = {**backend, "gamma": 0.9, "critic_learning_rate": 0.0}
    run = training(**settings)
    run.publish()
    for sequence in range(10):
        run.ingest(transition(sequence, reward=1.0))
    run.update(1)
    run.roll_back()
    assert (run.updates, off_policy(run).learner.updates) == (1, 0)
    if is_resumed:
        run = revived(run, **settings)
        run.publish()
    for sequence in range(10, 30):
        run.ingest(transition(sequence, reward=4.0))
    run.update(1)
    assert run.metrics()["q"] == pytest.approx(3.0 / 0.1, abs=2.0)
    rows = off_policy(run).buffer.rows(0, 30)[:, :2]
    np.testing.assert_allclose(off_policy(run).learner.normaliser.mean, rows.mean(axis=0), rtol=1e-5)
    run.update(1)
    assert run.metrics()["q"] == pytest.approx(3.0 / 0.1, abs=2.0), "once"


@pytest.mark.parametrize("backend", BACKENDS, ids=str)
def test_a_rollback_forgets_what_was_learnt_and_not_what_was_observed(backend: dict[str, Any]) -> None:
    run = training(**backend)
    for sequence in range(30):
        run.ingest(transition(sequence))
    run.update(3)
    run.publish()
    sound = off_policy(run).learner.state()
    for sequence in range(30, 240):
        run.ingest(transition(sequence))
    run.update(2)  # refreshes the statistics
    assert (off_policy(run).learner.normaliser.mean != sound["normaliser.mean"]).all()
    run.roll_back()
    np.testing.assert_array_equal(
        off_policy(run).learner.normaliser.mean, sound["normaliser.mean"]
    )  # the networks' own
    for each in (run, revived(run, **backend)):
        each.update(1)
        rows = off_policy(each).buffer.rows(0, 240)[:, :2]
        np.testing.assert_allclose(off_policy(each).learner.normaliser.mean, rows.mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose(off_policy(each).learner.normaliser.std, rows.std(axis=0), rtol=1e-5)
        assert off_policy(each).learner.normaliser.arrays()["count"] == 240


def test_rollbacks_leave_a_sixty_fourth_of_the_learning_rates_and_a_resumed_training_has_no_less() -> None:
    run = training(learning_rate_decay=0)
    run.publish()
    for sequence in range(30):
        run.ingest(transition(sequence))
    run.update(1)
    assert [run.roll_back() for _ in range(2000)] == [True] * 6 + [False] * 1994
    for each in (run, revived(run, learning_rate_decay=0)):
        before = off_policy(each).learner.state()
        each.update(1)
        assert float(off_policy(each).learner.learning_rate_scale) == 1 / 64
        assert (off_policy(each).learner.state()["actor.parameters"] != before["actor.parameters"]).any(), (
            "it still learns"
        )


def test_a_training_that_has_published_nothing_yet_is_rolled_back_to_its_beginning() -> None:
    run = training()
    beginning = off_policy(run).learner.state()
    for sequence in range(20):
        run.ingest(transition(sequence))
    run.update(3)
    run.roll_back()
    np.testing.assert_array_equal(off_policy(run).learner.state()["actor.parameters"], beginning["actor.parameters"])
    np.testing.assert_array_equal(
        off_policy(run).learner.state()["critics.parameters"], beginning["critics.parameters"]
    )


def test_a_deterministic_source_has_one_transition_under_way() -> None:
    run = training(deterministic=True, run_ahead=8, warmup_steps=3)
    for sequence in range(10):
        run.ingest(transition(sequence))
        assert run.credit <= sequence + 2
        run.update(run.updates_owed)
        assert run.credit == sequence + 2


@pytest.mark.parametrize(
    "options",
    [
        *BACKENDS[:2],
        pytest.param({"backend": "torch", "use_sde": True}, marks=NEEDS_TORCH),
        pytest.param(
            {
                "algorithm": "sac_v1",
                "reward_scale": 2.0,
                "replay_ratio": 4.0,
            },
            marks=NEEDS_TORCH,
        ),
    ],
    ids=str,
)
def test_learns_to_copy_its_observation(options: dict[str, Any]) -> None:
    """As stable-baselines3's test_identity: the reward is how near the action comes to the first observation."""
    rates = {"actor_learning_rate": 3e-3, "critic_learning_rate": 3e-3}
    options = rates | options
    run = training(hidden_sizes=(32,), batch_size=64, warmup_steps=100, gamma=0.5, seed=1, **options)
    random = np.random.default_rng(0)
    for sequence in range(400):
        state, following = random.uniform(-0.9, 0.9, (2, 2)).astype(np.float32)
        action = Policy(off_policy(run).learner.actor_parameters()).act(state, random)
        reward = -4.0 * float((action - state[:1]).item() ** 2)
        run.ingest(
            dataclasses.replace(
                transition(sequence),
                observation=state,
                action=action,
                reward=reward,
                next_observation=following,
                terminated=True,
            )
        )
        run.update(run.updates_owed)
    tests = random.uniform(-0.9, 0.9, (200, 2)).astype(np.float32)
    policy = Policy(off_policy(run).learner.actor_parameters())
    errors = [(policy.act(state) - state[:1]).item() for state in tests]
    assert np.sqrt(np.mean(np.square(errors))) < 0.15  # an untrained policy has 0.52


def test_mirror_images_are_sampled_only_where_they_are_asked_for() -> None:
    signs = np.array([-1.0, 1.0], np.float32)
    for is_asked in (False, True):
        config = learner_config(hidden_sizes=(8,), backend="native", mirror=is_asked)
        run = Training(config, observation_size=2, action_size=1, mirror=signs)
        for sequence in range(20):
            run.ingest(transition(sequence))
        kept = off_policy(run).buffer.rows(0, 20)[:, 0]
        sampled = off_policy(run).buffer.sample(200).observation[0, :, 0]
        assert np.isin(sampled, kept).all() == (not is_asked)
        assert np.isin(np.abs(sampled), np.abs(kept)).all()


def test_the_default_configuration_learns_without_torch() -> None:
    """Torch takes seconds to load: a run that does not need it must not wait for it."""
    code = (
        "import sys, sac_control.algorithms.sac.native_learner\n"
        "from sac_control.training.training import Training\n"
        "from sac_control.training.learner_config import learner_config\n"
        "Training(learner_config(), observation_size=2, action_size=1)\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_once_solved_it_explores_farther_and_updates_less_and_a_resumed_training_does_so_too() -> None:
    run = training(
        replay_ratio=4.0, solved_replay_ratio=1.0, noise_correlation=0.1, solved_noise_correlation=0.9,
        target_entropy=-0.5, solved_target_entropy=0.25,
    )  # fmt: skip
    for sequence in range(20):
        run.ingest(transition(sequence))
    run.update(run.updates_owed)
    assert (run.updates, run.publish().noise_correlation, float(off_policy(run).learner.state()["target_entropy"])) == (
        40,
        0.1,
        -0.5,
    )
    run.note_solved(20, run.publish(), run.algorithm.state().arrays)
    for sequence in range(20, 30):
        run.ingest(transition(sequence))
    assert run.updates_owed == 10
    assert (run.publish().noise_correlation, float(off_policy(run).learner.state()["target_entropy"])) == (0.9, 0.25)
    run.roll_back()
    assert float(off_policy(run).learner.state()["target_entropy"]) == 0.25

    resumed = training(replay_ratio=4.0, solved_replay_ratio=1.0, solved_noise_correlation=0.9)
    state = run.state()
    off_policy(resumed).buffer.restore(off_policy(run).buffer.rows(0, 30), 30)
    resumed.restore(State(arrays=state.arrays, numbers=json.loads(json.dumps(state.numbers))))
    assert (resumed.solved_at, resumed.updates_owed, resumed.publish().noise_correlation) == (20, 10, 0.9)
    assert float(off_policy(resumed).learner.state()["target_entropy"]) == 0.25


@pytest.mark.parametrize("backend", BACKENDS[:2], ids=str)
def test_where_robots_vary_the_entropy_falls_at_its_own_pace_and_stays_low_once_hardened_and_resumed(
    backend: dict[str, Any],
) -> None:
    settings: dict[str, Any] = {
        **backend, "target_entropy": 0.5, "hardening_target_entropy": -2.0, "alpha": 1.0,
        "alpha_learning_rate": 1e-4, "hardening_alpha_learning_rate": 1e-2, "solved_learning_rate_scale": 1.0,
        "learning_rate_decay": 0, "replay_ratio": 4.0, "solved_replay_ratio": 4.0,
    }  # fmt: skip

    def alpha_after(run: Training, sequence: int) -> float:
        """The temperature after ten more updates or so."""
        while run.updates_owed < 10:
            run.ingest(transition(sequence := sequence + 1))
        run.update(run.updates_owed)
        return run.metrics()["alpha"]

    run = training(has_exam=True, **settings)
    for sequence in range(20):
        run.ingest(transition(sequence))
    run.update(run.updates_owed)
    before = run.metrics()["alpha"]
    assert abs(before - 1.0) < 0.02
    run.note_solved(20, run.publish(), run.algorithm.state().arrays)
    assert float(off_policy(run).learner.state()["target_entropy"]) == -2.0
    assert alpha_after(run, 20) < before - 0.03  # ten steps of about 1e-2 each, of its logarithm
    run.note_hardened(30, run.publish(), run.algorithm.state().arrays)
    assert float(off_policy(run).learner.state()["target_entropy"]) == -2.0  # robots go on to vary

    resumed = training(has_exam=True, **settings)
    state = run.state()
    rows = off_policy(run).buffer.added
    off_policy(resumed).buffer.restore(off_policy(run).buffer.rows(0, rows), rows)
    resumed.restore(State(arrays=state.arrays, numbers=json.loads(json.dumps(state.numbers))))
    for each in (run, resumed):
        each.ingest(transition(1000))
        each.update(4)
    assert resumed.metrics()["alpha"] == run.metrics()["alpha"]


def test_steps_are_smaller_once_solved_and_smaller_still_once_hardened_also_where_it_was_resumed_or_taken_back() -> (
    None
):
    settings: dict[str, Any] = {
        "learning_rate_decay": 0, "solved_learning_rate_scale": 0.5, "hardened_learning_rate_scale": 0.25,
    }  # fmt: skip

    def scale_after_update(run: Training, sequence: int) -> float:
        run.ingest(transition(sequence))
        run.update(1)
        return float(off_policy(run).learner.learning_rate_scale)

    run = training(has_exam=True, **settings)
    assert scale_after_update(run, 0) == 1.0
    run.note_solved(1, run.publish(), run.algorithm.state().arrays)
    assert scale_after_update(run, 1) == 0.5
    actor, arrays = run.publish(), run.algorithm.state().arrays
    run.note_hardened(2, actor, arrays)
    assert scale_after_update(run, 2) == 0.25
    run.return_to_solution(arrays, actor)
    assert scale_after_update(run, 3) == 0.125, "in the same steps it would lose it again"

    resumed, state = training(has_exam=True, **settings), run.state()
    off_policy(resumed).buffer.restore(off_policy(run).buffer.rows(0, 4), 4)
    resumed.restore(State(arrays=state.arrays, numbers=json.loads(json.dumps(state.numbers))))
    assert scale_after_update(resumed, 4) == 0.125

    plain = training(**settings)  # of a task without an exam
    assert scale_after_update(plain, 0) == 1.0
    plain.note_solved(1, plain.publish(), plain.algorithm.state().arrays)
    assert scale_after_update(plain, 1) == 0.5


@pytest.mark.parametrize("backend", BACKENDS, ids=str)
def test_what_is_learnt_goes_on_from_the_policy_that_solved_it_though_that_was_an_average(
    backend: dict[str, Any],
) -> None:
    """Were it the newest actor of then, the average would move from a policy that is known to be good to that."""
    run = training(has_exam=True, actor_average=1000, learning_rate_decay=0, **backend)
    for sequence in range(60):
        run.ingest(transition(sequence))
        run.update(run.updates_owed)
        solution = run.publish()
    arrays = run.algorithm.state().arrays
    observations = np.random.default_rng(0).normal(0.0, 2.0, (20, 2)).astype(np.float32)
    asked, newest = Policy(solution), Policy(off_policy(run).learner.actor_parameters())
    assert max(np.abs(asked.act(each) - newest.act(each)).max() for each in observations) > 1e-3
    for sequence in range(60, 400):  # statistics change meanwhile
        run.ingest(transition(sequence, observation=np.full(2, sequence, np.float32)))
    run.update(8)

    for note in (run.note_solved, run.note_hardened):
        note(60, solution, arrays)
        taken = Policy(off_policy(run).learner.actor_parameters())
        for each in observations:
            np.testing.assert_allclose(taken.act(each), asked.act(each), atol=1e-5)
    run.return_to_solution(arrays, solution)
    taken = Policy(off_policy(run).learner.actor_parameters())
    for each in observations:
        np.testing.assert_allclose(taken.act(each), asked.act(each), atol=1e-5)


def test_observations_are_normalised_as_they_were_once_hardened() -> None:
    """Once robots stand still their rates spread less: gains of a policy that is to stay would grow with that."""

    def advanced(run: Training, begin: int, end: int) -> tuple[float, ...]:
        for sequence in range(begin, end):
            run.ingest(transition(sequence))
        run.update(1)
        return tuple(off_policy(run).learner.normaliser.mean)

    run = training(has_exam=True)
    solved = advanced(run, 0, 30)
    run.note_solved(30, run.publish(), run.algorithm.state().arrays)
    hardening = advanced(run, 30, 300)
    assert hardening != solved
    run.note_hardened(300, run.publish(), run.algorithm.state().arrays)
    assert advanced(run, 300, 600) == hardening

    resumed, state = training(has_exam=True), run.state()
    off_policy(resumed).buffer.restore(off_policy(run).buffer.rows(0, 600), 600)
    resumed.restore(State(arrays=state.arrays, numbers=json.loads(json.dumps(state.numbers))))
    assert advanced(resumed, 600, 900) == hardening


def test_what_is_published_once_solved_begins_at_the_solution_and_changes_slowly() -> None:
    def distance(one: ActorParameters, other: ActorParameters) -> float:
        return max(float(np.abs(a - b).max()) for a, b in zip(one.layers[-1], other.layers[-1], strict=True))

    def advanced(run: Training, begin: int, end: int) -> ActorParameters:
        for sequence in range(begin, end):
            run.ingest(transition(sequence))
            run.update(run.updates_owed)
        return run.publish()

    runs = [training(solved_actor_average=average, learning_rate_decay=0) for average in (0, 1000)]
    newest, averaged = runs
    solution = advanced(newest, 0, 30)
    assert distance(solution, advanced(averaged, 0, 30)) == 0.0
    for run in runs:
        advanced(run, 30, 40)  # it goes on learning while its policy is tested
        run.note_solved(30, solution, run.algorithm.state().arrays)
    assert distance(averaged.publish(), solution) < 1e-6
    way = distance(advanced(newest, 40, 60), solution)
    kept = distance(advanced(averaged, 40, 60), solution)
    assert 0.0 < kept < 0.1 * way

    resumed, state = training(solved_actor_average=1000, learning_rate_decay=0), averaged.state()
    off_policy(resumed).buffer.restore(off_policy(averaged).buffer.rows(0, 60), 60)
    resumed.restore(state)
    assert distance(advanced(resumed, 60, 70), advanced(averaged, 60, 70)) == 0.0


def test_actors_may_be_averaged_before_the_task_is_solved_and_are_saved_so() -> None:
    def last_layer(run: Training) -> np.ndarray[Any, Any]:
        return run.publish().layers[-1][0]

    averaged, newest = training(actor_average=50), training()
    for sequence in range(60):
        for run in (averaged, newest):
            run.ingest(transition(sequence))
            run.update(run.updates_owed)
            run.publish()
    first, second = off_policy(averaged).learner.state(), off_policy(newest).learner.state()
    assert all(np.array_equal(array, second[name]) for name, array in first.items()), "it learns as ever"
    assert np.abs(last_layer(averaged) - last_layer(newest)).max() > 1e-4
    resumed = training(actor_average=50)
    off_policy(resumed).buffer.restore(off_policy(averaged).buffer.rows(0, 60), 60)
    resumed.restore(averaged.state())
    np.testing.assert_array_equal(last_layer(resumed), last_layer(averaged))


def test_rewards_below_the_floor_count_as_the_floor_in_the_losses_and_as_they_are_in_returns() -> None:
    """A fall that costs a hundred teaches to stand still; returns must tell what it cost all the same."""
    floored, plain = training(reward_floor=-10.0), training()
    for sequence in range(40):
        fell = sequence % 10 == 4
        floored.ingest(transition(sequence, reward=-100.0 if fell else 1.0))
        plain.ingest(transition(sequence, reward=-10.0 if fell else 1.0))
        for run in (floored, plain):
            run.update(run.updates_owed)
    assert same(
        dataclasses.replace(floored.algorithm.state(), numbers={}),
        dataclasses.replace(plain.algorithm.state(), numbers={}),
    )
    assert floored.counters().last_return == plain.counters().last_return == 5.0
    assert floored.counters().mean_return < plain.counters().mean_return
    assert off_policy(floored).buffer.rows(4, 5)[0, 3] == -100.0
