"""A learner without ROS, in a process of its own, that says what it has and waits to be killed.

Keeps a ledger of every transition that it sends to its training: one LEDGER record each, written before the training
sees it.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from learners import off_policy
from sac_control.envs.registry import make_env
from sac_control.simulation.episode_runner import EpisodeRunner
from sac_control.training.learner_config import learner_config
from sac_control.training.training_run import TrainingRun
from sac_control.types import Array, Float32Array, Transition

ROW_SIZE = 5 + 1 + 1 + 5 + 1
LEDGER = np.dtype([("row", "<f4", ROW_SIZE), ("sent_at", "<f8"), ("version", "<u8")])  # [s] steady time


def row_of(transition: Transition) -> Float32Array:
    """The row of the replay buffer that must come of it."""
    end = [transition.reward], transition.next_observation, [transition.terminated]
    return np.concatenate([transition.observation, transition.action, *end]).astype(np.float32)


def digests(arrays: Mapping[str, Array]) -> dict[str, str]:
    """SHA-256 of each array of a learner, by name."""
    return {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in sorted(arrays.items())}


def main() -> int:
    """``python killable_learner.py RUN LEDGER SEED CHECKPOINT_EVERY RESUME``; goes on when a line comes in."""
    run, ledger, seed, checkpoint_every, resume = sys.argv[1:]
    config = learner_config(
        run_directory=run, resume=resume == "resume", checkpoint_every=int(checkpoint_every), evaluation_every=0,
        max_steps=10**9, warmup_steps=50, replay_ratio=0.5, hidden_sizes=(16,), batch_size=32, buffer_capacity=10**6,
    )  # fmt: skip
    training = TrainingRun(config, say=lambda text: None)
    learner = training.training
    steps, updates = learner.transitions, learner.updates
    say(
        transitions=steps,
        updates=updates,
        version=training.weights.version,
        learner=digests(learner.state().arrays),
        numbers=learner.state().numbers,
        rows=hashlib.sha256(off_policy(learner).buffer.rows(0, steps).tobytes()).hexdigest(),
    )
    sys.stdin.readline()
    with Path(ledger).open("ab", buffering=0) as stream:
        stream.truncate(steps * LEDGER.itemsize)
        episodes = EpisodeRunner(make_env(config.task), source=int(seed), seed=int(seed))
        random = np.random.default_rng(int(seed))
        while True:
            version = training.weights.version
            transition = episodes.step(random.uniform(-3.0, 3.0, 1), version)
            stream.write(np.array((row_of(transition), time.monotonic(), version), LEDGER).tobytes())
            training.ingest(transition)
            training.work()
            if updates >= 0 and learner.updates > updates:
                say(first_update_at=time.monotonic())
                updates = -1
            if os.getppid() == 1:
                return 0  # whoever should kill this process is gone


def say(**values: object) -> None:
    """One line of JSON."""
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
