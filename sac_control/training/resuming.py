"""Brings a training back from its run directory: the newest whole checkpoint, and all transitions after it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from safetensors.numpy import load as load_tensors

from sac_control.algorithms.algorithm import State
from sac_control.errors import RunError
from sac_control.policy.policy_file import PolicyFile
from sac_control.store.checkpoints import Checkpoint
from sac_control.store.run_directory import RunDirectory
from sac_control.store.run_store import RunStore
from sac_control.training.times import Times
from sac_control.training.training import Training
from sac_control.types import Specification


@dataclass(frozen=True, kw_only=True)
class Resumed:
    """What is known of a training that was brought back."""

    run_id: str
    times: Times  # of training before
    sentences: tuple[str, ...]  # what was damaged, cut off or left out, and where the training stands


def resume(
    training: Training, run: RunDirectory, store: RunStore, specification: Specification, run_id: str = ""
) -> Resumed:
    """Bring `training` back, which must be of `specification` and, where one is given, of the run with `run_id`.

    Raises:
        RunError: there is nothing to resume from, or it is of another run, task or configuration.
        OSError: what is damaged cannot be set aside, or the tables cannot be written.
    """
    checkpoint, complaints = store.read()
    found_run_id = _checked_run_id(checkpoint, run, run_id)
    saved = PolicyFile.from_bytes(checkpoint.files["policy.safetensors"])
    if saved.specification != specification:
        raise RunError(
            f"run {run.path} was trained for {saved.specification}, it cannot be resumed with {specification}"
        )
    complaints += _restore(training, store, checkpoint)
    steps = training.transitions
    complaints += store.resume(checkpoint, steps)
    if checkpoint.state["is_solution"] and training.solved_at is None:
        training.note_solved(checkpoint.step, saved.actor, training.algorithm.state().arrays)
    if checkpoint.state.get("is_hardened") and training.hardened_at is None:
        training.note_hardened(checkpoint.step, saved.actor, training.algorithm.state().arrays)
    newer, times = steps - checkpoint.step, Times.from_mapping(checkpoint.state)
    beyond = f", with {newer} transitions that came after its checkpoint" if newer else ""
    return Resumed(
        run_id=found_run_id,
        times=dataclasses.replace(times, wall_seconds=max(times.wall_seconds, store.wall_time())),
        sentences=(*complaints, f"resumes at step {steps}, {training.updates} updates{beyond}"),
    )


def _restore(training: Training, store: RunStore, checkpoint: Checkpoint) -> list[str]:
    """The state of `checkpoint` and the transitions after it; a sentence for whatever is damaged or cut off."""
    state = checkpoint.state
    complaints = [] if store.rows is None else store.rows.restore(state["replay_rows"])
    arrays = load_tensors(checkpoint.files["learner.safetensors"])
    training.restore(State(arrays=arrays, numbers=state["training"]))
    if store.rows is None:
        return complaints
    newer, complaint = store.rows.newer()
    for transition in newer:
        training.ingest(transition)
        store.rows.note(transition)
    training.skip_versions(max((each.policy_version for each in newer), default=0))
    return [*complaints, complaint] if complaint else complaints


def _checked_run_id(checkpoint: Checkpoint, run: RunDirectory, expected: str) -> str:
    """The id that the run had when `checkpoint` was made, and keeps."""
    run_id = str(checkpoint.state.get("run_id", ""))
    run.check_resumable(run_id)
    if expected not in ("", run_id):
        raise RunError(f"run {run.path} has the id {run_id}, learner.run_id is {expected}: leave it out to resume")
    return run_id
