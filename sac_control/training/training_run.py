"""One training from its first transition to its summary: what is due when. Knows nothing of ROS.

Joins the algorithm, the evaluation process and the run directory; a learner node owns it.
"""

from __future__ import annotations

import dataclasses
import math
import os
import time
from collections.abc import Callable
from pathlib import Path

from sac_control.bags.recorded_transitions import read_transitions
from sac_control.errors import RunError
from sac_control.identity import new_run_id
from sac_control.policy.policy_file import PolicyFile
from sac_control.store.run_directory import RunDirectory
from sac_control.store.run_store import RunStore, Snapshot
from sac_control.tasks.catalogue import make_task
from sac_control.tasks.task import Task
from sac_control.training.divergence import Divergence
from sac_control.training.evaluation import Evaluation
from sac_control.training.evaluation_schedule import EvaluationSchedule
from sac_control.training.flow_control import FlowControl
from sac_control.training.goal import Goal, goal_of
from sac_control.training.intake import Outcome
from sac_control.training.learner_config import LearnerConfig
from sac_control.training.publication import Publication
from sac_control.training.relapse import Relapse
from sac_control.training.report import Report
from sac_control.training.resuming import resume
from sac_control.training.slices import Slices
from sac_control.training.times import Times
from sac_control.training.training import Training
from sac_control.types import Phase, TrainingStatus, Transition, Weights
from sac_control.variation.plants import gate_plants

METRICS_EVERY = 50  # transitions between two rows of metrics.csv
MOST_VERSIONS = 2**48  # that a training can ever have published


class TrainingRun:
    """A training with its run directory.

    Args:
        config: the settings; `run_directory` must be set.
        clock: steady clock [s].
        say: takes sentences for people.
        note: takes those about what goes as expected; by default `say` does.

    Attributes:
        run: its directory.
        run_id: its id; kept when it is resumed.
        task_hash: what is learnt, as transitions must name it.
        training: transitions in, updates at a set ratio, weights out.
        store: what is on the disk, and what is wrong with it.
        report: what it says of itself.
        weights: the newest; `version` grows when new ones are due to be published.

    Raises:
        RunError: the directory is in use, holds another run, or cannot be written; nothing to resume from.
        ConfigError: the signing key cannot be used, or the task has no exam by which it could be hardened.
    """

    def __init__(
        self,
        config: LearnerConfig,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        note: Callable[[str], None] | None = None,
    ) -> None:
        self._config, self._say = config, say
        self._note = note or say
        self._task = task = make_task(config.task)
        self._goal = goal_of(config.until, task, has_gate=config.gate_every > 0)
        self.run = RunDirectory(Path(config.run_directory))
        self.run_id = config.run_id or new_run_id()
        self.task_hash = task.hash
        self._publication = Publication(self.run.name, task.specification, config.signing_key, task.continuous_joints)
        self._lock()
        self.training = _training(config, task)
        self._learn_from_bags()
        self.store = RunStore(
            self.run,
            self.training.algorithm.memory,
            self.training.algorithm.metric_names,
            config.keep_last,
            say=say,
            clock=clock,
        )
        times = Times()
        try:
            if config.resume:
                resumed = resume(self.training, self.run, self.store, task.specification, config.run_id)
                self.run_id, times = resumed.run_id, resumed.times
                for sentence in resumed.sentences:
                    say(sentence)
            else:
                self.store.begin()
        except OSError as error:
            raise RunError(f"cannot write run directory {self.run.path}: {error.strerror}") from error
        steps = self.training.transitions
        plants = 0 if task.exam is None else len(gate_plants(task.exam.ranges))
        self.report = Report(self.run_id, self.run.name, config, self.training, clock, times, plants)
        self._slices = Slices(clock)
        self._divergence = Divergence(self.training, say)
        self._relapse = Relapse(self.training, self.store, say)
        self._is_number_in_doubt = config.resume and self.training.algorithm.is_on_policy
        self._flow = FlowControl(self.training, is_deterministic=config.deterministic)
        self._evaluations = EvaluationSchedule(config, steps, plants)
        self._metrics_written = steps
        self._next_checkpoint = steps + config.checkpoint_every
        self._publish()
        if not config.resume:  # from here on a kill finds something to resume from
            self.store.save(self._snapshot())

    @property
    def credit(self) -> int:
        """What `learner/credit` must say to `training.source`; see Training.credit."""
        evaluations = self._evaluations
        is_awaited = evaluations.is_examining and self._is_hardening
        return self._flow.credit(is_held=evaluations.is_busy or self.is_done, is_examining=is_awaited)

    @property
    def is_varied(self) -> bool:
        """Whether robots are to differ from their description: the task was solved as described."""
        return self.training.solved_at is not None

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to learn: the goal is reached, or it is out of transitions."""
        return self._is_goal_reached or (self._is_out_of_steps and self._evaluations.is_finished)

    def note_version_in_force(self, version: int) -> None:
        """Hear from the policy node which weights it runs.

        Those may be of an earlier life of this training, published after all that could be resumed: the policy node
        refuses what is older, so numbering goes on behind them. An on-policy training that is resumed does not take
        them for its own where they have the number of its own: what they do would be learnt from.
        """
        if version > MOST_VERSIONS:
            return  # whoever says so is not to be believed, and the numbers after it would not fit into a message
        self._flow.version_in_force = version
        newest, is_in_doubt = self.training.policy_version, self._is_number_in_doubt
        self._is_number_in_doubt = False
        if version > newest or (version == newest and is_in_doubt):
            self.training.skip_versions(version)
            self._publish()

    def ingest(self, transition: Transition) -> Outcome:
        """Learn from a transition in the updates to come, unless it came before or none is wanted now.

        Raises:
            TransitionError: it has a wrong size or a value that is not finite; it was counted and left out.
        """
        if not self._is_welcoming:
            return Outcome.UNWANTED
        intake = self.training.ingest(transition)
        if intake.outcome is Outcome.ACCEPTED:
            self._flow.is_worked_off = False
            self.store.note(transition)
            self.report.note_arrival(transition)
        if intake.episode is not None:
            self.store.write_row("episodes", intake.episode.row(self.training.transitions))
        return intake.outcome

    def work(self) -> bool:
        """Make some of the updates owed and whatever else is due; whether more updates are waiting.

        Divergence and publications are looked after only behind whole groups of updates, and all else in a training
        that is deterministic only when no update is owed: how updates were cut into slices decides nothing.

        Raises:
            RunError: training diverges again and again, or the evaluation process died.
        """
        self._keep_disk_up()
        owed = self.training.updates_owed
        if owed:
            self._slices.make(owed, self.training.update)
            if not self._slices.is_whole_group:
                return True
            if not self._divergence.roll_back_if_diverged() and self.training.publication_due:
                self._divergence.note_publication()
                self._publish()
        if self._config.deterministic and self.training.updates_owed:
            return True
        steps = self.training.transitions
        if steps >= self._metrics_written + METRICS_EVERY:
            self._metrics_written = steps
            self.store.write_metrics(self.status())
        if steps >= self._next_checkpoint:
            self._next_checkpoint = steps + self._config.checkpoint_every
            self._save_sound()
        self._evaluate()
        self._flow.is_worked_off = True
        return self.training.updates_owed > 0

    def status(self) -> TrainingStatus:
        """Where the training stands."""
        return self.report.status(self._phase, self.store.best_score.plants_passed)

    def verdict(self) -> str:
        """How the training ended, in a few words."""
        return self.report.verdict(self._phase, self.store.best_score.plants_passed)

    def conclusion(self) -> str:
        """How the training ended, after how much of what."""
        return self.report.conclusion(self._phase, self.store.best_score.plants_passed)

    def save(self) -> Path:
        """Write a checkpoint now, as on request; returns its directory.

        Raises:
            RunError: it cannot be written; training goes on all the same.
        """
        if not self._save_sound():
            raise RunError(self.store.complaint)
        return self.run.checkpoints / str(self.training.transitions)

    def close(self) -> None:
        """Stop evaluating, write a last checkpoint and the summary, and let go of the directory.

        No more than that: until it is done, the other nodes wait. The curve is drawn by whoever started them.
        """
        self._evaluations.close()
        is_sound = self.training.is_finite()
        if is_sound:
            self._publish()
        summary = self.report.summary(  # before the writing, which takes its time
            self.store.best_score.plants_passed, is_complete=self.is_done
        )
        if is_sound:  # otherwise the last good checkpoint stays the newest
            self.store.save(self._snapshot())
        self.store.write_end(self.status(), summary)
        self.run.unlock()

    @property
    def _is_welcoming(self) -> bool:
        """Whether a transition is taken, which nobody may have asked for: the first of a source comes by itself.

        While a deterministic training waits for a verdict it takes none; the source sends its last one again.
        """
        awaits_verdict = self._config.deterministic and self._evaluations.is_busy
        return self._steps_left > 0 and not self.is_done and not awaits_verdict

    @property
    def _steps_left(self) -> int:
        return max(0, self._config.max_steps - self.training.transitions)

    @property
    def _is_goal_reached(self) -> bool:
        """Whether the newest evaluation found what ends the training."""
        newest = self.report.evaluation
        if newest is None or self._goal is Goal.STEPS:
            return False
        return newest.is_solved if self._goal is Goal.SOLVED else newest.is_hardened

    @property
    def _is_out_of_steps(self) -> bool:
        return self._steps_left == 0 and self.training.updates_owed == 0

    @property
    def _has_gate(self) -> bool:
        """Whether policies are tried on the plants of the task's exam from now on."""
        is_asked = self._task.exam is not None and self._goal is not Goal.SOLVED and self._config.gate_every > 0
        return is_asked and self.training.solved_at is not None

    @property
    def _is_hardening(self) -> bool:
        """Whether something depends on the next policy that passes all plants: it is the first, or ends training."""
        return self._has_gate and (self.training.hardened_at is None or self._goal is Goal.HARDENED)

    @property
    def _phase(self) -> Phase:
        if self._is_goal_reached:
            return Phase.SOLVED if self._goal is Goal.SOLVED else Phase.HARDENED
        if self._is_out_of_steps:
            return Phase.FINISHED
        if self._is_hardening:
            return Phase.HARDENING
        if self.training.updates:
            return Phase.TRAINING
        return Phase.WARMUP if self.training.transitions else Phase.WAITING

    def _learn_from_bags(self) -> None:
        """Mix in what was recorded, before anything is restored: a state that was saved has seen it."""
        if not self._config.bags:
            return
        bags = [Path(name) for name in self._config.bags.split(os.pathsep)]
        recorded = read_transitions(bags, self.task_hash, self._config.task, accept_cut=self._config.accept_cut_bags)
        self.training.algorithm.learn_from(recorded, self._config.bag_share)
        self._say(f"learns from {len(recorded)} recorded transitions, too: {self._config.bag_share:.0%} of each batch")

    def _lock(self) -> None:
        """Become the only writer of the directory, which must hold a run to resume or none."""
        if self._config.resume and not self.run.exists:
            raise RunError(f"there is no run {self.run.path} to resume: leave learner.resume out to begin it")
        self.run.lock()
        if not self._config.resume and (self.run.checkpoints.exists() or self.run.replay.exists()):
            raise RunError(
                f"run {self.run.path} has been trained already: set learner.resume to continue it, or choose another"
            )

    def _publish(self) -> None:
        self.weights: Weights = self._publication.weights(self.training, self.run_id)

    def _evaluate(self) -> None:
        """Take the result of the last evaluation, and begin another where one is due."""
        result = self._evaluations.result()
        if result is not None:
            self._judge(*result)
        is_last = self._is_out_of_steps
        if self.is_done or not (self.training.updates or is_last):
            return
        updates = self.training.updates
        if self._evaluations.is_due(self.training.transitions, updates, is_last=is_last):
            self._publish()
            to_beat = self.store.best_score if self._has_gate else None
            if to_beat is not None and self._is_hardening:
                to_beat = to_beat._replace(mean_return=-math.inf)  # whoever passes all plants is as good as any
            self._evaluations.submit(self._snapshot(), updates, is_last=is_last, to_beat=to_beat)

    def _judge(self, evaluation: Evaluation, candidate: Snapshot) -> None:
        self.report.evaluation = evaluation
        self._note(
            f"evaluated policy v{evaluation.policy_version} of step {evaluation.env_steps}: "
            f"mean return {evaluation.mean_return:.1f}, {evaluation.verdict}"
        )
        training, reached = self.training, evaluation.env_steps
        if evaluation.is_solved and training.solved_at is None:
            training.note_solved(reached, PolicyFile.from_bytes(candidate.policy).actor, candidate.arrays)
            self.report.note_solved()
        if evaluation.is_hardened and training.hardened_at is None:
            training.note_hardened(reached, PolicyFile.from_bytes(candidate.policy).actor, candidate.arrays)
        self.store.write_row("evaluations", evaluation.row())
        self.store.offer(dataclasses.replace(candidate, run=self._whose), evaluation.score)
        if self._relapse.return_if_lost(evaluation, is_hardening=self._has_gate):
            self._publish()

    def _snapshot(self) -> Snapshot:
        state = self.training.state()
        return Snapshot(
            step=self.training.transitions,
            policy=self.weights.data,
            arrays=state.arrays,
            numbers=state.numbers,
            run=self._whose,
        )

    @property
    def _whose(self) -> dict[str, object]:
        """What a checkpoint says of the run that it is of."""
        return {"run": self.run.name, "run_id": self.run_id, **self.report.times.to_mapping()}

    def _save_sound(self) -> bool:
        """Publish and write a checkpoint, of what has not diverged; whether the disk took it."""
        self._divergence.roll_back_if_diverged()
        self._publish()
        return self.store.save(self._snapshot())

    def _keep_disk_up(self) -> None:
        """Write the transitions of the last fraction of a second, and what could not be written before."""
        self.store.write_rows()
        if self.store.is_due_again:
            self._save_sound()


def _training(config: LearnerConfig, task: Task) -> Training:
    """The algorithm with its replay buffer, of the task's sizes and symmetry."""
    specification = task.specification
    return Training(
        config,
        observation_size=len(specification.observation),
        action_size=len(specification.actuated_joints),
        mirror=task.mirror,
        continuous_joints=[joint in task.continuous_joints for joint in specification.joints],
        has_exam=task.exam is not None and config.gate_every > 0,
    )
