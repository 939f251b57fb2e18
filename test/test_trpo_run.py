"""An on-policy training asks for transitions of its newest weights, takes no others, and judges each policy once."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

import numpy as np
import pytest

from policies import make_file
from sac_control.policy.policy_file import PolicyFile
from sac_control.store.run_store import Snapshot
from sac_control.store.table import read_columns
from sac_control.training.evaluation_schedule import EvaluationSchedule
from sac_control.training.intake import Outcome
from sac_control.training.learner_config import learner_config
from sac_control.training.training_run import TrainingRun
from sac_control.types import Transition
from test_end_to_end import SMALL, sac_control

pytestmark = pytest.mark.needs("torch")


def training_run(path: Path, **more: object) -> TrainingRun:
    values = {"batch_size": 20, "hidden_sizes": [8], "evaluation_every": 0, "checkpoint_every": 10**6}
    config = learner_config(algorithm="trpo", run_directory=str(path / "run"), **(values | more))
    return TrainingRun(config, say=lambda sentence: None)


def transition(sequence: int, version: int) -> Transition:
    random = np.random.default_rng(sequence)
    observation, after = random.normal(size=(2, 5)).astype(np.float32)
    raw = random.normal(size=1).astype(np.float32)
    return Transition(
        source=1,
        sequence=sequence,
        episode=0,
        step=sequence,
        stamp=sequence + 1,
        policy_version=version,
        observation=observation,
        action=raw.clip(-1.0, 1.0),
        action_raw=raw,
        reward=1.0,
        next_observation=after,
        terminated=False,
        truncated=False,
    )


def learn(run: TrainingRun, start: int, stop: int) -> None:
    for sequence in range(start, stop):
        assert run.ingest(transition(sequence, run.weights.version)) is Outcome.ACCEPTED
    while run.work():
        pass


def test_simulator_waits_until_the_newest_weights_are_in_force(tmp_path: Path) -> None:
    run = training_run(tmp_path)
    run.note_version_in_force(1)
    learn(run, 0, 12)
    assert run.credit == 20
    learn(run, 12, 20)
    assert run.training.updates == 1
    assert run.weights.version == 2
    assert run.credit == 20, "the policy node still runs version 1"
    assert run.ingest(transition(20, version=1)) is Outcome.STALE
    run.note_version_in_force(2)
    assert run.credit == 41
    assert run.ingest(transition(21, version=2)) is Outcome.ACCEPTED
    assert run.status().stale_transitions == 1
    run.close()


def test_resumed_training_does_not_take_weights_of_an_earlier_life_for_its_own(tmp_path: Path) -> None:
    """Killed behind its checkpoint, it may have published what has the number of the version published next."""
    run = training_run(tmp_path)
    learn(run, 0, 20)
    run.save()
    saved = run.weights.version
    run.close()
    resumed = training_run(tmp_path, resume=True)
    assert resumed.weights.version > saved
    before = resumed.weights.version
    resumed.note_version_in_force(before)
    assert resumed.weights.version == before + 1
    assert resumed.ingest(transition(30, before + 1)) is Outcome.ACCEPTED
    resumed.note_version_in_force(before + 1)
    assert resumed.weights.version == before + 1, "there is no end to it"
    resumed.close()


def test_policy_is_judged_once_until_an_update_has_changed_it() -> None:
    schedule = EvaluationSchedule(learner_config(algorithm="trpo", evaluation_every=50, evaluation_episodes=1), 0)
    candidate = Snapshot(step=60, policy=make_file().to_bytes(), arrays={}, numbers={}, run={})
    try:
        assert not schedule.is_due(49, 1, is_last=False)
        assert schedule.is_due(60, 1, is_last=False)
        schedule.submit(candidate, 1, is_last=False)
        deadline = time.monotonic() + 60.0
        while schedule.result() is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert not schedule.is_due(1000, 1, is_last=False)
        assert schedule.is_due(1000, 2, is_last=False)
        assert not schedule.is_due(70, 2, is_last=False)
        assert schedule.is_due(1000, 1, is_last=True), "the verdict on the last policy is always asked for"
    finally:
        schedule.close()


@pytest.mark.long
def test_training_through_three_nodes_loses_nothing_and_a_resumed_one_collects_its_batch_anew(tmp_path: Path) -> None:
    arguments = ["train", "--runs-dir", "runs", "--run", "a", "--algorithm", "trpo", *SMALL]
    done = sac_control(tmp_path, *arguments, "--set", "learner.batch_size=100", "--max-steps", "350")
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((tmp_path / "runs" / "a" / "summary.json").read_text())
    assert (summary["env_steps"], summary["updates"]) == (350, 3)
    metrics = read_columns(tmp_path / "runs" / "a" / "metrics.csv")
    told = [number for number, entropy in enumerate(metrics["entropy"]) if not math.isnan(entropy)]
    assert told
    assert {(metrics["stale"][number], metrics["limited"][number]) for number in told} == {(0.0, 0.0)}
    file = PolicyFile.read(tmp_path / "runs" / "a" / "checkpoints" / "latest" / "policy.safetensors")
    assert file.actor.distribution == "gaussian"

    done = sac_control(tmp_path, "train", "--runs-dir", "runs", "--run", "a", "--resume", "--max-steps", "480")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "resumes at step 350, 3 updates" in done.stdout
    summary = json.loads((tmp_path / "runs" / "a" / "summary.json").read_text())
    assert (summary["env_steps"], summary["updates"]) == (480, 4)  # at 450: the fifty of before are gone
