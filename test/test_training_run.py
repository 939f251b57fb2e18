"""A training keeps what diverged to itself, goes back to what was sound, and gives up in words."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.compat.proto.event_pb2 import Event, SessionLog

from learners import off_policy
from sac_control.errors import RunError
from sac_control.policy.policy_file import PolicyFile
from sac_control.store.score import NO_SCORE
from sac_control.store.table import read_columns
from sac_control.training.divergence import MOST_ROLLBACKS
from sac_control.training.evaluation import Evaluation
from sac_control.training.intake import Outcome
from sac_control.training.learner_config import LearnerConfig
from sac_control.training.training_run import TrainingRun
from sac_control.types import Transition
from test_metrics_and_curve import tf_records


def training_run(
    tmp_path: Path, said: list[str], clock: Callable[[], float] = time.monotonic, **more: object
) -> TrainingRun:
    config = LearnerConfig.from_mapping(
        {
            "run_directory": str(tmp_path / "run"),
            "evaluation_every": 0,
            "warmup_steps": 20,
            "batch_size": 16,
            "hidden_sizes": [8],
            "replay_ratio": 2.0,
            "publish_every": 10,
            **more,
        }
    )
    return TrainingRun(config, say=said.append, clock=clock)


def transition(sequence: int, reward: float = 1.0) -> Transition:
    rng = np.random.default_rng(sequence)
    return Transition(
        source=1,
        sequence=sequence,
        episode=0,
        step=sequence,
        stamp=sequence + 1,
        policy_version=1,
        observation=rng.standard_normal(5).astype(np.float32),
        action=rng.uniform(-1.0, 1.0, 1).astype(np.float32),
        reward=reward,
        next_observation=rng.standard_normal(5).astype(np.float32),
        terminated=False,
        truncated=False,
    )


def learn(run: TrainingRun, start: int, stop: int, reward: float = 1.0) -> None:
    for sequence in range(start, stop):
        run.ingest(transition(sequence, reward))
        while run.work():
            pass


@pytest.mark.parametrize("backend", ["native", pytest.param("torch", marks=pytest.mark.needs("torch"))])
def test_a_diverged_batch_is_rolled_back_told_of_and_never_published(tmp_path: Path, backend: str) -> None:
    said: list[str] = []
    run = training_run(tmp_path, said, backend=backend)
    learn(run, 0, 40)
    sound = run.weights
    run.ingest(transition(40, reward=3e38))  # finite, but its square is not
    while not run.status().rollbacks:
        run.ingest(transition(run.status().env_steps))
        run.work()
    assert any("diverged" in sentence and f"v{run.weights.version}" in sentence for sentence in said)
    assert run.weights.version >= sound.version
    actor = PolicyFile.from_bytes(run.weights.data).actor  # reading checks that all is finite
    assert all(np.isfinite(array).all() for layer in actor.layers for array in layer)
    assert math.isfinite(run.status().critic_loss) or not run.status().updates
    run.close()
    saved = (run.run.checkpoints / "latest" / "policy.safetensors").read_bytes()
    assert PolicyFile.from_bytes(saved).policy_version >= sound.version


def test_a_training_that_diverges_again_and_again_is_given_up_in_words(tmp_path: Path) -> None:
    said: list[str] = []
    run = training_run(tmp_path, said)
    with pytest.raises(RunError, match=rf"diverged {MOST_ROLLBACKS + 1} times in a row.*lower learner"):
        learn(run, 0, 400, reward=3e38)
    assert len([sentence for sentence in said if "diverged" in sentence]) == MOST_ROLLBACKS
    assert run.weights.version == 1, "nothing was published but the start"
    run.close()


def test_a_rollback_halves_the_learning_rates_and_survives_a_resume(tmp_path: Path) -> None:
    run = training_run(tmp_path, [])
    learn(run, 0, 40)
    run.ingest(transition(40, reward=3e38))
    while not run.status().rollbacks:
        run.ingest(transition(run.status().env_steps))
        run.work()
    rollbacks = run.status().rollbacks
    run.close()
    resumed = training_run(tmp_path, [], resume=True)
    assert resumed.status().rollbacks == rollbacks
    learn(resumed, 1000, 1001)
    assert float(off_policy(resumed.training).learner.learning_rate_scale) <= 0.5**rollbacks
    resumed.close()


def kill(run: TrainingRun) -> None:
    """As a killed process leaves it: unlocked, and nothing else."""
    run.run.unlock()


def test_a_run_can_be_resumed_from_its_first_moment_on(tmp_path: Path) -> None:
    run = training_run(tmp_path, [])
    version = run.weights.version
    kill(run)
    said: list[str] = []
    resumed = training_run(tmp_path, said, resume=True)
    assert said == ["resumes at step 0, 0 updates"]
    assert resumed.weights.version > version
    resumed.close()


def test_transitions_after_the_checkpoint_are_taken_over_and_their_updates_owed(tmp_path: Path) -> None:
    now = 0.0
    run = training_run(tmp_path, [], clock=lambda: now)
    learn(run, 0, 40)
    run.save()
    at_checkpoint = run.status()
    for sequence in range(40, 70):
        now += 0.1
        learn(run, sequence, sequence + 1)
    kill(run)
    said: list[str] = []
    resumed = training_run(tmp_path, said, resume=True)
    status = resumed.status()
    assert 70 - 5 <= status.env_steps <= 70, "written every 0.5 s"
    newer = status.env_steps - 40
    assert said == [
        f"resumes at step {status.env_steps}, 40 updates, with {newer} transitions that came after its checkpoint"
    ]
    assert (status.updates, status.duplicate_transitions) == (at_checkpoint.updates, 0)
    while resumed.work():
        pass
    assert resumed.status().updates == 2 * (status.env_steps - 20)
    assert resumed.ingest(transition(status.env_steps - 1)) is Outcome.DUPLICATE, "its sender sends the last one again"
    resumed.close()


def test_tables_are_cut_where_a_run_is_resumed_and_tensorboard_is_told(tmp_path: Path) -> None:
    run = training_run(tmp_path, [])
    learn(run, 0, 120)
    run.save()
    kill(run)
    with run.run.metrics.open("a") as stream:
        stream.write("500,1\n550,")  # of transitions that were lost, the last row torn
    resumed = training_run(tmp_path, [], resume=True)
    learn(resumed, 120, 160)
    resumed.close()
    assert read_columns(run.run.metrics)["env_steps"] == [50, 100, 160]
    files = sorted(run.run.events.iterdir())
    assert len(files) == 2
    events = [Event.FromString(record) for record in tf_records(files[1].read_bytes())]
    assert (events[1].session_log.status, events[1].step) == (SessionLog.START, 121)


def test_damage_to_a_table_is_told_of_and_does_not_stop_a_resume(tmp_path: Path) -> None:
    run = training_run(tmp_path, [])
    learn(run, 0, 120)
    run.save()
    kill(run)
    text = run.run.metrics.read_text()
    run.run.metrics.write_text(text.replace("\n50,", "\n5x,") + "70,1\n")
    run.run.episodes.write_bytes(b"\xff\xfe\n1,2,3,4\n")
    said: list[str] = []
    resumed = training_run(tmp_path, said, resume=True)
    assert said[:2] == [
        f"dropped 2 damaged rows of {run.run.metrics}",
        f"{run.run.episodes} is damaged: it has no column env_steps; set aside as episodes.csv.damaged",
    ]
    assert read_columns(run.run.metrics)["env_steps"] == [100]
    resumed.close()


def test_best_policy_that_the_disk_could_not_take_is_saved_as_the_best_later(tmp_path: Path) -> None:
    config: dict[str, Any] = {"evaluation_every": 30, "evaluation_episodes": 1, "confirmation_episodes": 0}
    now, said = 0.0, list[str]()
    run = training_run(tmp_path, said, clock=lambda: now, **config)
    learn(run, 0, 31)
    aside = run.run.path.rename(tmp_path / "aside")
    run.run.path.write_text("")
    deadline = time.monotonic() + 60.0
    while math.isnan(run.status().evaluation_return) and time.monotonic() < deadline:
        run.work()
    assert "cannot write to" in run.store.complaint
    run.run.path.unlink()
    aside.rename(run.run.path)
    now += 2.0
    run.work()
    assert run.store.complaint == ""
    assert (run.run.checkpoints / "best").resolve().name in {"30", "31"}
    run.close()


def test_versions_go_on_behind_those_that_an_earlier_life_has_published(tmp_path: Path) -> None:
    run = training_run(tmp_path, [])
    run.note_version_in_force(1)
    assert run.weights.version == 1
    run.note_version_in_force(57)
    assert run.weights.version == 58
    assert PolicyFile.from_bytes(run.weights.data).policy_version == 58
    run.note_version_in_force(2**64 - 1)
    assert run.weights.version == 58, "nobody has published so many"
    run.close()


def test_what_was_best_before_a_kill_stays_best(tmp_path: Path) -> None:
    config: dict[str, Any] = {
        "evaluation_every": 30,
        "evaluation_episodes": 1,
        "confirmation_episodes": 0,
        "task": "inverted_pendulum",
    }
    run = training_run(tmp_path, [], **config)
    learn(run, 0, 31)
    deadline = time.monotonic() + 60.0
    while math.isnan(run.status().evaluation_return) and time.monotonic() < deadline:
        run.work()
    best = run.status().evaluation_return
    run._evaluations.close()
    kill(run)
    resumed = training_run(tmp_path, [], resume=True, **config)
    assert resumed.store.best_score == (False, 0, False, best)
    resumed.close()


def evaluated(version: int, *returns: float, confirmations: tuple[float, ...] = ()) -> Evaluation:
    return Evaluation(
        policy_version=version, env_steps=30, returns=returns, confirmations=confirmations, solved_return=1000.0
    )


def test_a_policy_that_came_to_its_confirmation_is_not_displaced_by_one_that_did_not(tmp_path: Path) -> None:
    """Ten perfect episodes and one weak extreme start are better than nine perfect ones and one that is poor."""
    run = training_run(tmp_path, [], evaluation_every=30)

    def best_after(stop: int, evaluation: Evaluation) -> tuple[str, bool]:
        learn(run, run.training.transitions, stop)
        run.store.offer(run._snapshot(), evaluation.score)
        best = (run.run.checkpoints / "best").resolve()
        return best.name, json.loads((best / "state.json").read_text())["is_solution"]

    perfect = (1000.0,) * 10
    assert best_after(21, evaluated(1, *perfect[:8], 900.0, 700.0)) == ("21", False)
    assert best_after(22, evaluated(2, *perfect, confirmations=(20.0,))) == ("22", False)
    assert best_after(23, evaluated(3, *perfect[:9], 940.0)) == ("22", False)
    assert best_after(24, evaluated(4, *perfect, confirmations=(1000.0, 1000.0))) == ("24", True)
    assert best_after(25, evaluated(5, *perfect, confirmations=(1000.0, 999.0))) == ("24", True)
    run._evaluations.close()
    kill(run)
    resumed = training_run(tmp_path, [], resume=True, evaluation_every=30)
    assert resumed.store.best_score == (False, 0, True, 1000.0)
    resumed.store.offer(resumed._snapshot(), evaluated(6, *perfect).score)
    resumed.store.offer(resumed._snapshot(), evaluated(7, *perfect, confirmations=(10.0,)).score)
    assert resumed.store.best_score == (False, 0, True, 1000.0)
    resumed.close()


def test_a_best_policy_that_is_damaged_is_told_of_and_its_place_is_free(tmp_path: Path) -> None:
    config: dict[str, Any] = {"evaluation_every": 30, "evaluation_episodes": 1, "confirmation_episodes": 0}
    run = training_run(tmp_path, [], **config)
    learn(run, 0, 31)
    deadline = time.monotonic() + 60.0
    while math.isnan(run.status().evaluation_return) and time.monotonic() < deadline:
        run.work()
    best = (run.run.checkpoints / "best").resolve()
    learn(run, 31, 35)
    run.save()
    run._evaluations.close()
    kill(run)
    (best / "policy.safetensors").write_bytes(b"")
    said: list[str] = []
    resumed = training_run(tmp_path, said, resume=True, **config)
    assert said[0] == (
        f"checkpoint {best} is damaged: policy.safetensors does not match its SHA-256; "
        "the next evaluated policy becomes the best"
    )
    assert resumed.store.best_score == NO_SCORE
    resumed.close()


def test_a_run_is_not_resumed_for_another_task_whose_numbers_would_fit(tmp_path: Path) -> None:
    run = training_run(tmp_path, [])
    learn(run, 0, 30)
    run.close()
    before = sorted(run.run.path.rglob("*"))
    with pytest.raises(RunError, match=r"was trained for .*'inverted_pendulum'.*it cannot be resumed with .*swingup"):
        training_run(tmp_path, [], resume=True, task="inverted_pendulum_swingup")
    assert sorted(run.run.path.rglob("*")) == before


def test_policy_lag_is_the_mean_over_the_transitions_that_arrived(tmp_path: Path) -> None:
    run = training_run(tmp_path, [])
    run.note_version_in_force(3)  # the next is version 4
    for sequence in (0, 1):  # of version 1
        run.ingest(transition(sequence))
    run.ingest(dataclasses.replace(transition(2), policy_version=4))
    assert run.status().policy_lag == 2.0
    run.close()


def test_rewards_beyond_all_measure_diverge_in_words_and_without_a_warning(tmp_path: Path) -> None:
    said: list[str] = []
    run = training_run(tmp_path, said)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        learn(run, 0, 21, reward=3e38)
    assert "training diverged" in said[0]
    run.close()


def test_a_deterministic_training_asks_for_no_transition_until_the_newest_weights_are_in_force(tmp_path: Path) -> None:
    run = training_run(tmp_path, [], deterministic=True)
    learn(run, 0, 1)
    assert run.credit == 0, "nobody runs version 1 yet"
    run.note_version_in_force(1)
    assert run.credit == 2
    sequence = 1
    while run.weights.version == 1:
        learn(run, sequence, sequence + 1)
        sequence += 1
    granted = run.credit
    assert granted <= sequence, "version 2 is out, and nobody runs it yet"
    run.note_version_in_force(2)
    assert run.credit == sequence + 1
    run.close()


def test_a_training_whose_steps_end_within_the_warm_up_is_evaluated_and_done(tmp_path: Path) -> None:
    said: list[str] = []
    run = training_run(tmp_path, said, max_steps=5, evaluation_every=10, evaluation_episodes=1)
    learn(run, 0, 5)
    deadline = time.monotonic() + 60.0
    while not run.is_done and time.monotonic() < deadline:
        run.work()
    assert run.is_done
    assert run.verdict() == "not solved: max_steps reached"
    run.close()


def test_what_diverged_within_a_group_of_updates_is_not_saved_on_request(tmp_path: Path) -> None:
    said: list[str] = []
    run = training_run(tmp_path, said, itertools.count().__next__, replay_ratio=40.0)  # each update takes a second
    learn(run, 0, 40)
    run.ingest(transition(40, reward=3e38))
    while run.training.is_finite():
        assert run.work(), "the bad transition was not drawn"
    assert not said, "the group of updates has not come to its end"
    run.save()
    assert "training diverged" in said[0]
    saved = (run.run.checkpoints / "latest" / "policy.safetensors").read_bytes()
    assert all(np.isfinite(array).all() for layer in PolicyFile.from_bytes(saved).actor.layers for array in layer)
    run.close()
