"""Writes what a training leaves behind: metrics, episodes, checkpoints, replay rows, summary and curve."""

from __future__ import annotations

import importlib.metadata
import math
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from sac_control.errors import RunError
from sac_control.store.checkpoints import Checkpoint, CheckpointStore
from sac_control.store.metrics import Metrics
from sac_control.store.run_directory import RunDirectory
from sac_control.store.table import Table, drop_rows_after, read_columns
from sac_control.training.evaluation import Evaluation
from sac_control.training.replay_log import ReplayLog
from sac_control.training.returns import Episode
from sac_control.training.training import Training, TrainingState
from sac_control.types import TrainingStatus, Transition

METRICS = (
    "last_return",
    "mean_return",
    "critic_loss",
    "actor_loss",
    "alpha",
    "entropy",
    "steps_per_second",
    "updates_per_second",
    "replay_ratio",
    "target_replay_ratio",
    "policy_lag",
    "wall_time",
)
_PACKAGES = ("sac_control", "rclpy", "torch", "numpy", "pybullet", "gymnasium", "safetensors")


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A training at one instant, to be written now or later."""

    step: int  # transitions accepted
    policy: bytes  # content of policy.safetensors
    training: TrainingState
    extra: Mapping[str, Any]  # JSON values beside the training's own


class Recorder:
    """The writer of a run directory.

    Args:
        run: the run; locked by the caller.
        training: whose transitions and state are saved.
        keep_last: checkpoints kept beside the best.
    """

    def __init__(self, run: RunDirectory, training: Training, keep_last: int) -> None:
        self._run, self._training = run, training
        self._store = CheckpointStore(run.checkpoints, keep_last)
        self._replay = ReplayLog(run.replay, training.buffer)

    def begin(self) -> None:
        """Begin a run that has nothing yet; `load` goes on with one.

        Raises:
            OSError: the directory cannot be written.
        """
        self._open_tables()

    def read(self) -> tuple[Checkpoint, list[str]]:
        """The newest whole checkpoint, and a sentence for each damaged one.

        Raises:
            RunError: there is no whole one.
            OSError: one that is damaged cannot be set aside.
        """
        checkpoint, complaints = self._store.load_newest()
        if checkpoint is None:
            reason = "; ".join(complaints) or "there is none"
            raise RunError(
                f"run {self._run.path} has no checkpoint to resume from ({reason}): begin a new one, or overwrite it"
            )
        return checkpoint, complaints

    def load(self, checkpoint: Checkpoint) -> list[str]:
        """Bring the training back: `checkpoint`, and all transitions that came after it.

        Returns:
            A sentence for whatever was damaged, cut off or left out.

        Raises:
            RunError: the checkpoint does not fit the configuration, or its transitions are gone.
            OSError: what is damaged cannot be set aside.
        """
        state = checkpoint.state
        complaints = self._replay.restore(state["replay_rows"])
        arrays = load_tensors(checkpoint.files["learner.safetensors"])
        self._training.restore(TrainingState(arrays=arrays, numbers=state["training"]))
        newer, complaint = self._replay.newer()
        for transition in newer:
            self._training.ingest(transition)
            self._replay.note(transition)
        complaints += [complaint] if complaint else []
        self._training.skip_versions(max((each.policy_version for each in newer), default=0))
        steps = self._training.transitions
        for table in (self._run.metrics, self._run.episodes, self._run.evaluations):
            try:
                damaged = drop_rows_after(table, "env_steps", steps)
            except RunError as error:
                aside = table.rename(table.with_name(f"{table.name}.damaged"))
                complaints.append(f"{error}; set aside as {aside.name}")
            else:
                complaints += [f"left {damaged} damaged rows out of {table}"] if damaged else []
        self._open_tables(resumed_at=steps)
        return complaints

    def best_state(self) -> Mapping[str, Any]:
        """The JSON values of the best checkpoint kept; empty where none is.

        Raises:
            RunError: it is damaged.
        """
        return self._store.best_state()

    def wall_time(self) -> float:
        """[s] of training up to the newest row of metrics; 0 where there is none."""
        times = read_columns(self._run.metrics).get("wall_time", [])
        return max((time for time in times if not math.isnan(time)), default=0.0)

    def note(self, transition: Transition) -> None:
        """Take note of a transition that the training has just accepted."""
        self._replay.note(transition)

    @property
    def unwritten_transitions(self) -> int:
        """Transitions that are in memory alone."""
        return self._replay.unwritten

    def replay_is_due(self, now: float) -> bool:
        """Whether transitions wait to be written at time `now` [s]; asking counts as an attempt."""
        return self._replay.is_due(now)

    def write_replay(self) -> None:
        """Write the transitions that are not written yet.

        Raises:
            OSError: they cannot be written.
        """
        self._replay.write()

    def snapshot(self, policy: bytes, extra: Mapping[str, Any]) -> Snapshot:
        """The training as it is now, with its policy and more JSON values."""
        return Snapshot(
            step=self._training.transitions, policy=policy, training=self._training.state(), extra=dict(extra)
        )

    def save(self, snapshot: Snapshot, *, is_best: bool = False) -> None:
        """Write a checkpoint, after the replay rows that it needs.

        Raises:
            OSError: it cannot be written; the checkpoints before it are untouched.
        """
        self._replay.write(wait=True)
        files = {
            "policy.safetensors": snapshot.policy,
            "learner.safetensors": save_tensors(snapshot.training.arrays),
        }
        state = {**snapshot.extra, "replay_rows": snapshot.step, "training": snapshot.training.numbers}
        self._store.save(snapshot.step, files, state, is_best=is_best)

    def _open_tables(self, *, resumed_at: int | None = None) -> None:
        self._metrics = Metrics(self._run.metrics, self._run.events, METRICS, resumed_at=resumed_at)
        self._episodes = Table(self._run.episodes, ("env_steps", "return", "length", "terminated"))
        columns = ("env_steps", "policy_version", "mean_return", "min_return", "solved_episodes", "episodes")
        self._evaluations = Table(self._run.evaluations, columns)

    def write_status(self, status: TrainingStatus) -> None:
        """One row of metrics."""
        values = {name: float(getattr(status, name)) for name in METRICS}
        self._metrics.write(status.env_steps, {name: value for name, value in values.items() if value == value})

    def write_episode(self, env_steps: int, episode: Episode) -> None:
        """One row of episodes."""
        self._episodes.write(
            {
                "env_steps": env_steps,
                "return": episode.total_reward,
                "length": episode.length,
                "terminated": int(episode.terminated),
            }
        )

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """One row of evaluations."""
        self._evaluations.write(
            {
                "env_steps": evaluation.env_steps,
                "policy_version": evaluation.policy_version,
                "mean_return": evaluation.mean_return,
                "min_return": min(evaluation.all_returns),
                "solved_episodes": evaluation.solved_episodes,
                "episodes": len(evaluation.all_returns),
            }
        )

    def close(self) -> None:
        """End writing of transitions and tables."""
        self._replay.close()
        for table in (self._metrics, self._episodes, self._evaluations):
            table.close()

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Write the summary."""
        versions = {"python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}}
        self._run.write_summary({**summary, "versions": versions})


def _version(package: str) -> str | None:
    """None where it is not installed, or not by something that leaves a version."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
