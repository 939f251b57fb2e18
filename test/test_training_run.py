"""A training keeps what diverged to itself, goes back to what was sound, and gives up in words."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import pytest

from sac_control.config import LearnerConfig
from sac_control.errors import RunError
from sac_control.policy.policy_file import PolicyFile
from sac_control.runs.training_run import MOST_ROLLBACKS, TrainingRun
from sac_control.types import Transition


def training_run(tmp_path: Path, said: list[str], **more: object) -> TrainingRun:
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
    return TrainingRun(config, say=said.append)


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


@pytest.mark.parametrize("backend", ["native", "torch"])
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
    assert float(resumed._training.learner.learning_rate_scale) <= 0.5**rollbacks
    resumed.close()


def test_a_deterministic_training_asks_for_no_transition_until_the_newest_weights_are_in_force(tmp_path: Path) -> None:
    run = training_run(tmp_path, [], deterministic=True)
    run.ingest(transition(0))
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
