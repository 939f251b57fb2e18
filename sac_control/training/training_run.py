"""One training from its first transition to its summary: what is due when. Knows nothing of ROS.

Joins the algorithm (sac/), the evaluation process and the run directory; a learner node owns it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from sac_control.errors import RunError
from sac_control.identity import new_run_id
from sac_control.observation import mirror_signs
from sac_control.policy.policy_file import PolicyFile
from sac_control.store.checkpoints import Checkpoint
from sac_control.store.run_directory import RunDirectory
from sac_control.store.writing import Writing
from sac_control.tasks.catalogue import make_task
from sac_control.training.evaluation import Evaluation
from sac_control.training.evaluation_schedule import EvaluationSchedule
from sac_control.training.learner_config import LearnerConfig
from sac_control.training.publication import Publication
from sac_control.training.recorder import Recorder, Snapshot
from sac_control.training.report import Report
from sac_control.training.saving import Saving
from sac_control.training.slices import Slices
from sac_control.training.training import Training
from sac_control.types import Float32Array, Phase, TrainingStatus, Transition, Weights

METRICS_EVERY = 50  # transitions between two rows of metrics.csv
MOST_VERSIONS = 2**48  # that a training can ever have published
MOST_ROLLBACKS = 5  # in a row, after which a training is given up


class TrainingRun:
    """A training with its run directory.

    Args:
        config: the settings; `run_directory` must be set.
        clock: steady clock [s].
        say: takes sentences for people.

    Attributes:
        run: its directory.
        run_id: its id; kept when it is resumed.
        task_hash: what is learnt, as transitions must name it.

    Raises:
        RunError: the directory is in use, holds another run, or cannot be written; nothing to resume from.
        ConfigError: the signing key cannot be used.
    """

    def __init__(
        self, config: LearnerConfig, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._config, self._say, self._clock = config, say, clock
        self._task = make_task(config.task)
        self._specification = self._task.specification
        self.run = RunDirectory(Path(config.run_directory))
        self.run_id = config.run_id or new_run_id()
        self.task_hash = self._task.hash
        self._publication = Publication(
            self.run.name, self._specification, config.signing_key, self._task.continuous_joints
        )
        if config.resume and not self.run.exists:
            raise RunError(f"there is no run {self.run.path} to resume: leave learner.resume out to begin it")
        self.run.lock()
        if not config.resume and (self.run.checkpoints.exists() or self.run.replay.exists()):
            raise RunError(
                f"run {self.run.path} has been trained already: set learner.resume to continue it or choose another"
            )
        self._training = Training(
            config,
            observation_size=len(self._specification.observation),
            action_size=len(self._specification.actuated_joints),
            mirror=self._mirror(),
            continuous_joints=[joint in self._task.continuous_joints for joint in self._specification.joints],
        )
        self._recorder = Recorder(self.run, self._training, config.keep_last)
        self._writing = Writing(self.run, say, clock)
        self._saving = Saving(self.run, self._recorder, self._writing, clock)
        wall_before = 0.0  # [s] spent in earlier lives
        try:
            if config.resume:
                wall_before = self._resume()
            else:
                self._recorder.begin()
        except OSError as error:
            raise RunError(f"cannot write run directory {self.run.path}: {error.strerror}") from error
        self._report = Report(self.run_id, self.run.name, config, self._training, clock, wall_before)
        self._slices = Slices(clock)
        self._is_worked_off = True  # whether all that the newest transition makes due has been done
        self._rollbacks_in_a_row = 0
        self._granted = 0  # credit given out so far
        self._granted_to: int | None = None  # source
        self._version_in_force = 0  # at the policy node, as it told
        self._metrics_written = self._training.transitions
        self._next_checkpoint = self._training.transitions + config.checkpoint_every
        self._weights: Weights | None = None
        self._evaluations = EvaluationSchedule(config, self._training.transitions)
        self._publish()
        if not config.resume:  # from here on a kill finds something to resume from
            self._saving.save(self._snapshot())

    @property
    def checkpoint_step(self) -> int | None:
        """Transitions seen when the newest checkpoint was made; None before there is one."""
        return self._saving.newest_step

    @property
    def weights(self) -> Weights:
        """The newest weights; the object changes when new ones are due to be published."""
        assert self._weights is not None
        return self._weights

    @property
    def credit(self) -> int:
        """What `learner/credit` must say; see Training.credit. No transition beyond max_steps is asked for.

        A deterministic training asks for the next transition only when it `_is_settled` and has not ended: then what
        comes next does not depend on who was faster.
        """
        source = self._training.source
        if not self._config.deterministic or (self._is_settled and not self.is_done):
            self._granted, self._granted_to = self._training.credit, source
        return self._granted if self._granted_to == source else 0  # another source counts otherwise

    @property
    def source(self) -> int | None:
        """The source of transitions that `credit` is for; None before any was heard."""
        return self._training.source

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to learn: solved, or out of transitions."""
        if self._is_solved and self._config.stop_when_solved:
            return True
        return self._is_out_of_steps and self._evaluations.is_finished

    @property
    def disk_complaint(self) -> str:
        """What cannot be written to the run directory at present, and why; empty where all is well."""
        return self._writing.complaint

    @property
    def unwritten_transitions(self) -> int:
        """Transitions that a kill would lose now."""
        return self._recorder.unwritten_transitions

    def note_version_in_force(self, version: int) -> None:
        """Hear from the policy node which weights it runs.

        Those may be of an earlier life of this training, published after all that could be resumed: the policy node
        refuses what is older, so numbering goes on behind them.
        """
        if version > MOST_VERSIONS:
            return  # whoever says so is not to be believed, and the numbers after it would not fit into a message
        self._version_in_force = version
        if version > self._training.policy_version:
            self._training.skip_versions(version)
            self._publish()

    def ingest(self, transition: Transition) -> bool:
        """Learn from a transition in the updates to come; false if it came before or none is wanted now.

        Raises:
            TransitionError: it has a wrong size or a value that is not finite; it was counted and left out.
        """
        if not self._is_welcoming:
            return False
        before = self._training.transitions
        episode = self._training.ingest(transition)
        if self._training.transitions == before:
            return False
        self._is_worked_off = False
        self._recorder.note(transition)
        self._report.note_arrival(transition)
        if episode is not None:
            self._writing.attempt("episodes", lambda: self._recorder.write_episode(self._training.transitions, episode))
        return True

    def work(self) -> bool:
        """Make some of the updates owed and whatever else is due; whether more updates are waiting.

        Divergence and publications are looked after only behind whole groups of updates, and all else in a training
        that is deterministic only when no update is owed: how updates were cut into slices decides nothing.

        Raises:
            RunError: training diverges again and again, or the evaluation process died.
        """
        self._write_replay()
        owed = self._training.updates_owed
        if owed:
            self._slices.make(owed, self._training.update)
            if not self._slices.is_whole_group:
                return True
            if not self._forget_what_diverged() and self._training.publication_due:
                self._rollbacks_in_a_row = 0
                self._publish()
        if self._config.deterministic and self._training.updates_owed:
            return True
        steps = self._training.transitions
        if steps >= self._metrics_written + METRICS_EVERY:
            self._metrics_written = steps
            self._writing.attempt("metrics", lambda: self._recorder.write_status(self.status()))
        if steps >= self._next_checkpoint:
            self._next_checkpoint = steps + self._config.checkpoint_every
            self._publish()
            self._saving.save(self._snapshot())
        self._evaluate()
        self._is_worked_off = True
        return self._training.updates_owed > 0

    def note_foreign(self) -> None:
        """Take note of a transition of another run or task, which was left out."""
        self._report.foreign_transitions += 1

    def note_swap(self, gap: float) -> None:
        """Hear from the policy node that a swap held it up for `gap` [s]."""
        self._report.swap_gaps.append(gap)

    def status(self) -> TrainingStatus:
        """Where the training stands."""
        return self._report.status(self._phase)

    def verdict(self) -> str:
        """How the training ended, in a few words."""
        return self._report.verdict(self._phase)

    def save(self) -> Path:
        """Write a checkpoint now, as on request; returns its directory.

        Raises:
            RunError: it cannot be written; training goes on all the same.
        """
        self._forget_what_diverged()
        self._publish()
        snapshot = self._snapshot()
        if not self._saving.save(snapshot):
            raise RunError(self.disk_complaint)
        return self.run.checkpoints / str(snapshot.step)

    def close(self) -> None:
        """Stop evaluating, write a last checkpoint and the summary, and let go of the directory.

        A training that has come to its end leaves its curve, too. One that is interrupted must not take the time.
        """
        self._evaluations.close()
        is_sound = self._training.is_finite()
        if is_sound:
            self._publish()
        summary = self._report.summary()  # before the writing, which takes its time
        if is_sound:  # otherwise the last good checkpoint stays the newest
            self._saving.save(self._snapshot())
        self._writing.attempt("metrics", lambda: self._recorder.write_status(self.status()))
        self._writing.attempt("summary", lambda: self._recorder.write_summary(summary))
        with contextlib.suppress(OSError):  # that rows could not be written was told when they came
            self._recorder.close()
        if self.is_done:
            self._draw()
        self.run.unlock()

    @property
    def _is_welcoming(self) -> bool:
        """Whether a transition is taken, which nobody may have asked for: the first of a source comes by itself.

        While a deterministic training waits for a verdict it takes none; the source sends its last one again.
        """
        awaits_verdict = self._config.deterministic and self._evaluations.is_busy
        return self._steps_left > 0 and not self.is_done and not awaits_verdict

    @property
    def _is_settled(self) -> bool:
        """Whether nothing is under way that the next transition could outrun: updates, an evaluation, a swap."""
        has_newest = self._version_in_force >= self.weights.version
        return self._is_worked_off and has_newest and not self._evaluations.is_busy

    @property
    def _steps_left(self) -> int:
        return max(0, self._config.max_steps - self._training.transitions)

    @property
    def _is_solved(self) -> bool:
        """Whether the newest evaluation found the task solved."""
        return self._report.evaluation is not None and self._report.evaluation.is_solved

    @property
    def _is_out_of_steps(self) -> bool:
        return self._steps_left == 0 and self._training.updates_owed == 0

    @property
    def _phase(self) -> Phase:
        if self._is_solved and self._config.stop_when_solved:
            return Phase.SOLVED
        if self._is_out_of_steps:
            return Phase.FINISHED
        if self._training.updates:
            return Phase.TRAINING
        return Phase.WARMUP if self._training.transitions else Phase.WAITING

    def _forget_what_diverged(self) -> bool:
        """Roll back the updates since the last publication if they have diverged; whether they had."""
        has_diverged = not self._training.is_finite()
        if has_diverged:
            self._roll_back()
        return has_diverged

    def _draw(self) -> None:
        try:
            from sac_control.store import curve
        except ImportError as error:
            self._say(f"no curve: matplotlib cannot be used ({error})")
        else:
            self._writing.attempt("curve", lambda: curve.draw(self.run))

    def _roll_back(self) -> None:
        """Forget the updates that diverged. They were not published: the policy node never saw them."""
        self._rollbacks_in_a_row += 1
        updates = self._training.updates
        if self._rollbacks_in_a_row > MOST_ROLLBACKS:
            raise RunError(
                f"training diverged {self._rollbacks_in_a_row} times in a row, at last after {updates} updates. "
                "Nothing of it was published; lower learner.critic_learning_rate or learner.replay_ratio, and go on "
                "from the last checkpoint by resuming the run"
            )
        were_halved = self._training.roll_back()
        rates = "halved" if were_halved else f"left at {self._training.rollback_rate:g} of their settings"
        self._say(
            f"training diverged: a loss or weight is not finite after {updates} updates. Back to weights "
            f"v{self._training.policy_version}, with learning rates {rates}"
        )

    def _publish(self) -> None:
        self._weights = self._publication.weights(self._training, self.run_id)

    def _evaluate(self) -> None:
        """Take the result of the last evaluation, and begin another where one is due."""
        result = self._evaluations.result()
        if result is not None:
            self._judge(*result)
        is_last = self._is_out_of_steps
        if self.is_done or not (self._training.updates or is_last):
            return
        if self._evaluations.is_due(self._training.transitions, is_last=is_last):
            self._publish()
            self._evaluations.submit(self._snapshot(), is_last=is_last)

    def _judge(self, evaluation: Evaluation, candidate: Snapshot) -> None:
        self._report.evaluation = evaluation
        reached = f"{evaluation.solved_episodes} of {len(evaluation.all_returns)} episodes reached"
        self._say(
            f"evaluated policy v{evaluation.policy_version} of step {evaluation.env_steps}: "
            f"mean return {evaluation.mean_return:.1f}, {reached} {evaluation.solved_return:g}"
        )
        if evaluation.is_solved and self._training.solved_at is None:
            self._training.note_solved(evaluation.env_steps, PolicyFile.from_bytes(candidate.policy).actor)
        self._writing.attempt("evaluations", lambda: self._recorder.write_evaluation(evaluation))
        self._saving.offer(candidate, evaluation)

    def _snapshot(self) -> Snapshot:
        extra = {
            "run": self.run.name,
            "run_id": self.run_id,
            "wall_seconds": self._report.wall_time,
            **self._saving.best(),
            "is_solution": False,  # that its own policy solved the task: known only once it is evaluated
        }
        return self._recorder.snapshot(self.weights.data, extra)

    def _write_replay(self) -> None:
        """Write the transitions of the last fraction of a second, and what could not be written before."""
        now = self._clock()
        if self._recorder.replay_is_due(now):
            self._writing.attempt("replay", self._recorder.write_replay)
            if not self.run.checkpoints.exists():
                self._writing.was_remade = True
        if self._saving.is_missing:
            self._saving.save_best_again()
            self._forget_what_diverged()
            self._publish()
            self._saving.save(self._snapshot())

    def _resume(self) -> float:
        """Bring back what was saved; returns the [s] of training before."""
        checkpoint, complaints = self._recorder.read()
        self.run_id = self._checked_run_id(checkpoint)
        saved = PolicyFile.from_bytes(checkpoint.files["policy.safetensors"])
        if saved.specification != self._specification:
            raise RunError(
                f"run {self.run.path} was trained for {saved.specification}, it cannot go on with {self._specification}"
            )
        complaints += self._recorder.load(checkpoint)
        complaints += self._saving.resume(checkpoint)
        for complaint in complaints:
            self._say(complaint)
        if checkpoint.state["is_solution"] and self._training.solved_at is None:
            self._training.note_solved(checkpoint.step, saved.actor)
        steps = self._training.transitions
        newer = steps - checkpoint.step
        beyond = f", with {newer} transitions that came after its checkpoint" if newer else ""
        self._say(f"resumes at step {steps}, {self._training.updates} updates{beyond}")
        return max(checkpoint.state["wall_seconds"], self._recorder.wall_time())

    def _checked_run_id(self, checkpoint: Checkpoint) -> str:
        """The id that the run had when `checkpoint` was made, and keeps."""
        run_id = checkpoint.state.get("run_id", "")
        self.run.check_resumable(run_id)
        if self._config.run_id not in ("", run_id):
            raise RunError(
                f"run {self.run.path} has the id {run_id}, learner.run_id is {self._config.run_id}: leave it out to "
                "resume"
            )
        return str(run_id)

    def _mirror(self) -> Float32Array | None:
        """Signs of the observation's terms in the mirror image of the task; None where it has none."""
        if not self._task.is_mirror_symmetric:
            return None
        return mirror_signs(self._specification.observation, self._specification.joints)
