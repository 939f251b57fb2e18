"""Checkpoints of a training that goes on: the newest, the best, and once more what the disk could not take."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

from sac_control.errors import RunError
from sac_control.store.checkpoints import Checkpoint
from sac_control.store.run_directory import RunDirectory
from sac_control.store.writing import Writing
from sac_control.training.evaluation import NO_SCORE, Evaluation, Score
from sac_control.training.recorder import Recorder, Snapshot

RETRY_PERIOD = 1.0  # [s] after which a checkpoint that could not be written is tried again


class Saving:
    """Saves snapshots, and knows which of them was the best.

    Args:
        run: its directory.
        recorder: writes it.
        writing: what is done where the disk fails.
        clock: steady clock [s].

    Attributes:
        newest_step: transitions seen when the newest checkpoint was made; None before there is one.
        best_score: of the best policy so far; see `Evaluation.score`.
    """

    def __init__(self, run: RunDirectory, recorder: Recorder, writing: Writing, clock: Callable[[], float]) -> None:
        self._run, self._recorder, self._writing, self._clock = run, recorder, writing, clock
        self.newest_step: int | None = None
        self.best_score = NO_SCORE
        self._unsaved_best: Snapshot | None = None  # the disk could not take it
        self._retry_at = -math.inf  # [s] steady time

    def resume(self, checkpoint: Checkpoint) -> list[str]:
        """Go on from `checkpoint`, which was loaded; a sentence if the best one is damaged."""
        self.newest_step = checkpoint.step
        try:
            self.best_score = max(map(_best_score, (checkpoint.state, self._recorder.best_state())))
        except RunError as error:
            return [f"{error}; the next policy that is evaluated takes the place of the best"]
        return []

    def save(self, snapshot: Snapshot, *, is_best: bool = False) -> bool:
        """Write a checkpoint if the disk takes it; whether it did. If not, it `is_missing`."""
        self._writing.was_remade = False
        was_saved = self._writing.attempt(
            "checkpoint", lambda: self._recorder.save(snapshot, is_best=is_best), is_all=True
        )
        if is_best:
            self._unsaved_best = None if was_saved else snapshot
        if was_saved:
            self.newest_step = max(self.newest_step or 0, snapshot.step)
        self._retry_at = self._clock() + RETRY_PERIOD
        return was_saved

    def offer(self, candidate: Snapshot, evaluation: Evaluation) -> None:
        """Save `candidate`, whose policy was evaluated, as the best if none was better."""
        if evaluation.score >= self.best_score:
            self.best_score = evaluation.score
            known = {**self.best(), "is_solution": evaluation.is_solved}
            self.save(dataclasses.replace(candidate, extra={**candidate.extra, **known}), is_best=True)

    def best(self) -> dict[str, Any]:
        """What a checkpoint says of the best policy so far, in values that JSON keeps."""
        is_solution, score = self.best_score
        return {"best_is_solution": is_solution, "best_score": score if math.isfinite(score) else None}

    @property
    def is_missing(self) -> bool:
        """Whether to try again now: the disk could not take the newest checkpoint, or all of them are gone."""
        is_missing = self._writing.was_remade or self._writing.is_failing("checkpoint")
        return is_missing and self._clock() >= self._retry_at

    def save_best_again(self) -> None:
        """Write the best checkpoint that the disk could not take; one that is gone gives way to the next evaluated."""
        if self._unsaved_best is not None:
            self.save(self._unsaved_best, is_best=True)
        elif not (self._run.checkpoints / "best").exists():
            self.best_score = NO_SCORE


def _best_score(state: Mapping[str, Any]) -> Score:
    """What the values of a checkpoint, as of `Saving.best`, say of the best policy."""
    score = state.get("best_score")
    return NO_SCORE if score is None else (state.get("best_is_solution", False), score)
