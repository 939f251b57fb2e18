"""Everything that one training leaves on the disk: what is written where, and what is done when the disk fails.

Decides neither when something is due nor what it means: training/training_run.py does.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from sac_control.errors import RunError
from sac_control.store.checkpoints import Checkpoint, CheckpointStore
from sac_control.store.columns import RATES, RETURNS
from sac_control.store.metrics import Metrics
from sac_control.store.replay_log import ReplayLog
from sac_control.store.run_directory import RunDirectory
from sac_control.store.score import NO_SCORE, Score
from sac_control.store.table import VARIATION, Table, drop_rows_after, read_columns
from sac_control.store.writing import Writing
from sac_control.types import Array, RowBuffer, TrainingStatus, Transition

RETRY_PERIOD = 1.0  # [s] after which a checkpoint that could not be written is tried again
EPISODES = ("env_steps", "return", "length", "terminated", VARIATION)
EVALUATIONS = (
    "env_steps",
    "policy_version",
    "mean_return",
    "min_return",
    "solved_episodes",
    "episodes",
    "plants_passed",
    "plants_tried",
)


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A training at one instant, to be written now or later."""

    step: int  # transitions accepted
    policy: bytes  # content of policy.safetensors
    arrays: Mapping[str, Array]  # content of learner.safetensors
    numbers: Mapping[str, Any]  # the training's own JSON values
    run: Mapping[str, Any]  # JSON values that say whose it is
    is_solution: bool = False  # that its policy solves the task: known only once it is evaluated
    is_hardened: bool = False  # that it is good on all plants, too


class RunStore:
    """The writer of a run directory. While the disk fails, `complaint` says so, and what is missing is tried again.

    Args:
        run: the run; locked by the caller.
        memory: the algorithm's transitions, whose rows are kept on the disk; None: it keeps none.
        metric_names: what the algorithm tells of its updates.
        keep_last: checkpoints kept beside the best.
        say: takes sentences for people.
        clock: steady clock [s].

    Attributes:
        rows: the memory on the disk; None where there is none.
        newest_step: transitions seen when the newest checkpoint was made; None before there is one.
        best_score: of the best policy so far.
    """

    def __init__(
        self,
        run: RunDirectory,
        memory: RowBuffer | None,
        metric_names: tuple[str, ...],
        keep_last: int,
        *,
        say: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._run, self._say, self._clock = run, say, clock
        self.rows = None if memory is None else ReplayLog(run.replay, memory)
        self._metric_names = metric_names
        self._checkpoints = CheckpointStore(run.checkpoints, keep_last)
        self._writing = Writing(run, say, clock)
        self.newest_step: int | None = None
        self.best_score = NO_SCORE
        self._unsaved_best: Snapshot | None = None  # the disk could not take it
        self._is_incomplete = False  # the disk could not take the newest checkpoint, or what it held is gone
        self._retry_at = -math.inf  # [s] steady time

    # beginning and resuming

    def begin(self, *, resumed_at: int | None = None) -> None:
        """Open the tables, of a run that has none yet or of one that is `resumed_at` that many transitions.

        Raises:
            OSError: the directory cannot be written.
        """
        self._metrics = Metrics(
            self._run.metrics, self._run.events, (*RETURNS, *self._metric_names, *RATES), resumed_at=resumed_at
        )
        self._tables = {"episodes": Table(self._run.episodes, EPISODES)}
        self._tables["evaluations"] = Table(self._run.evaluations, EVALUATIONS)

    def read(self) -> tuple[Checkpoint, list[str]]:
        """The newest whole checkpoint, and a sentence for each damaged one.

        Raises:
            RunError: there is no whole one.
            OSError: one that is damaged cannot be set aside.
        """
        checkpoint, complaints = self._checkpoints.load_newest()
        if checkpoint is None:
            reason = "; ".join(complaints) or "there is none"
            raise RunError(
                f"run {self._run.path} has no checkpoint to resume from ({reason}): begin a new one, or overwrite it"
            )
        return checkpoint, complaints

    def resume(self, checkpoint: Checkpoint, steps: int) -> list[str]:
        """Go on from `checkpoint` and the transitions after it, `steps` in all; cuts the tables there.

        Returns:
            A sentence for whatever was damaged.

        Raises:
            OSError: the tables cannot be written.
        """
        complaints = []
        for table in (self._run.metrics, self._run.episodes, self._run.evaluations):
            try:
                damaged = drop_rows_after(table, "env_steps", steps)
            except RunError as error:
                aside = table.rename(table.with_name(f"{table.name}.damaged"))
                complaints.append(f"{error}; set aside as {aside.name}")
            else:
                complaints += [f"dropped {damaged} damaged rows of {table}"] if damaged else []
        self.begin(resumed_at=steps)
        self.newest_step = checkpoint.step
        try:
            best = self._checkpoints.load_best()
            self.best_score = max(map(_best_score, (checkpoint.state, {} if best is None else best.state)))
        except RunError as error:
            complaints.append(f"{error}; the next evaluated policy becomes the best")
        return complaints

    def wall_time(self) -> float:
        """[s] of training up to the newest row of metrics; 0 where there is none."""
        times = read_columns(self._run.metrics).get("wall_time", [])
        return max((time for time in times if not math.isnan(time)), default=0.0)

    # checkpoints

    def save(self, snapshot: Snapshot) -> bool:
        """Write a checkpoint, and the best one if that is still missing; whether the disk took it all."""
        return self._save(lambda: self._put_all(snapshot), snapshot.step)

    def offer(self, candidate: Snapshot, score: Score) -> None:
        """Save `candidate`, whose policy was evaluated, as the best if none was better."""
        if score >= self.best_score:
            self.best_score = score
            self._unsaved_best = dataclasses.replace(
                candidate, is_solution=score.is_solution, is_hardened=score.is_hardened
            )
            self._save(self._put_best, candidate.step)

    def solution(self) -> Snapshot | None:
        """The best policy with its learner; None where it is no solution, or cannot be read."""
        if not self.best_score.is_solution:
            return None
        if self._unsaved_best is not None:
            return self._unsaved_best
        try:
            best = self._checkpoints.load_best()
        except RunError as error:
            self._say(str(error))
            return None
        if best is None:
            return None
        return Snapshot(
            step=best.step,
            policy=best.files["policy.safetensors"],
            arrays=load_tensors(best.files["learner.safetensors"]),
            numbers=best.state["training"],
            run={},
            is_solution=True,
        )

    @property
    def is_due_again(self) -> bool:
        """Whether to `save` now: the newest checkpoint or all of them are not on the disk, and it may take them now."""
        return self._is_incomplete and self._clock() >= self._retry_at

    def _save(self, put: Callable[[], None], step: int) -> bool:
        attempt = self._writing.attempt("checkpoint", put, is_all=True)
        self._is_incomplete = not attempt.was_written or attempt.was_recreated
        if attempt.was_written:
            self.newest_step = max(self.newest_step or 0, step)
        self._retry_at = self._clock() + RETRY_PERIOD
        return attempt.was_written

    def _put_all(self, snapshot: Snapshot) -> None:
        self._put_best()
        if not self._checkpoints.has_best:
            self.best_score = NO_SCORE  # it was deleted: its place is for the next that is evaluated
        self._put(snapshot, is_best=False)

    def _put_best(self) -> None:
        if self._unsaved_best is not None:
            self._put(self._unsaved_best, is_best=True)
            self._unsaved_best = None

    def _put(self, snapshot: Snapshot, *, is_best: bool) -> None:
        """Write a checkpoint, after the replay rows that it needs."""
        if self.rows is not None:
            self.rows.write(wait=True)
        files = {"policy.safetensors": snapshot.policy, "learner.safetensors": save_tensors(dict(snapshot.arrays))}
        best = self.best_score
        state = {
            **snapshot.run,
            "best_is_hardened": best.is_hardened,
            "best_plants_passed": best.plants_passed,
            "best_is_solution": best.is_solution,
            "best_score": best.mean_return if math.isfinite(best.mean_return) else None,
            "is_solution": snapshot.is_solution,
            "is_hardened": snapshot.is_hardened,
            "replay_rows": snapshot.step,
            "training": snapshot.numbers,
        }
        self._checkpoints.save(snapshot.step, files, state, is_best=is_best)

    # all else

    @property
    def complaint(self) -> str:
        """What cannot be written at present, and why, as one sentence; empty where all is well."""
        return self._writing.complaint

    def note(self, transition: Transition) -> None:
        """Take note of the transition that the memory took last."""
        if self.rows is not None:
            self.rows.note(transition)

    def write_rows(self) -> None:
        """Write the transitions of the last fraction of a second, where they are due."""
        if self.rows is not None and self.rows.is_due(self._clock()):
            self._write("replay", self.rows.write)
            self._is_incomplete |= not self._run.checkpoints.exists()

    def write_metrics(self, status: TrainingStatus) -> None:
        """Write one row of metrics."""
        values = {name: float(getattr(status, name)) for name in (*RETURNS, *RATES)}
        values |= dict(zip(status.metric_names, status.metrics, strict=True))
        known = {name: value for name, value in values.items() if not math.isnan(value)}
        self._write("metrics", lambda: self._metrics.write(status.env_steps, known))

    def write_row(self, table: str, row: Mapping[str, object]) -> None:
        """Write one row of `table`, episodes or evaluations."""
        self._write(table, lambda: self._tables[table].write(row))

    def write_end(self, status: TrainingStatus, summary: Mapping[str, Any]) -> None:
        """Write the last row of metrics and the summary, and close the tables."""
        self.write_metrics(status)
        self._write("summary", lambda: self._run.write_summary(dict(summary)))
        if self.rows is not None:
            self.rows.close()
        tables: tuple[Metrics | Table, ...] = (self._metrics, *self._tables.values())
        for table in tables:
            with contextlib.suppress(OSError):  # that rows could not be written was told when they came
                table.close()

    def _write(self, what: str, write: Callable[[], None]) -> None:
        self._is_incomplete |= self._writing.attempt(what, write).was_recreated


def _best_score(state: Mapping[str, Any]) -> Score:
    """What the JSON values of a checkpoint say of the best policy; earlier versions knew of less."""
    mean_return = state.get("best_score")
    if mean_return is None:
        return NO_SCORE
    return Score(
        is_hardened=state.get("best_is_hardened", False),
        plants_passed=state.get("best_plants_passed", 0),
        is_solution=state.get("best_is_solution", False),
        mean_return=mean_return,
    )
