"""The learner node: turns transitions into better weights. What it does with them lives in training/."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from rclpy.node import Node
from std_srvs.srv import Trigger

from sac_control.errors import RunError, TransitionError
from sac_control.health.diagnosis import ERROR, WARN
from sac_control.health.waiting import WaitWarning
from sac_control.identity import describe_run
from sac_control.nodes import messages, topics
from sac_control.nodes.audience import Audience
from sac_control.nodes.claim import Claim
from sac_control.nodes.health import Health
from sac_control.nodes.parameters import NODE_OPTIONS, declare_parameters
from sac_control.nodes.process import LONGEST_SLEEP, STEADY_CLOCK, run
from sac_control.store.where import Where
from sac_control.training.intake import Outcome
from sac_control.training.learner_config import LearnerConfig
from sac_control.training.progress import progress_on
from sac_control.training.training_run import TrainingRun
from sac_control.types import Phase, TrainingStatus

ANNOUNCE_PERIOD = 2.0  # [s] between two announcements of the same weights and credit, for peers that came late


class LearnerNode(Node):
    """Trains.

    Publishes:   policy_weights, learner/credit, learner/status, /diagnostics
    Subscribes:  transitions, policy/status; learner/credit, where another learner of the same name would speak
    Services:    learner/save (Trigger) writes a checkpoint now
    Parameters:  see training/learner_config.py

    When transitions stop, the updates owed are made and then nothing happens until transitions come again. While the
    disk cannot be written, training goes on in memory, and /diagnostics is an error. The process ends by itself when
    what `learner.until` names is reached, or max_steps are. With an audience_timeout the first weights, without which
    no transition comes, wait for somebody who listens to learner/status; whoever does at the end is waited for, too.
    """

    def __init__(self) -> None:
        super().__init__("learner", **NODE_OPTIONS)
        config = declare_parameters(self, LearnerConfig)  # type: ignore[type-abstract]  # it makes a concrete one
        if not config.run_directory:
            name = f"{config.task}-{datetime.now():%Y%m%d-%H%M%S}"
            config = dataclasses.replace(config, run_directory=str(Path("runs") / name))
        self._config = config
        self._progress = progress_on(sys.stdout, config.progress_period, os.environ)
        self._run = TrainingRun(config, say=self._progress.say, note=self._progress.note)
        self._identity = self._run.run_id, self._run.task_hash  # of transitions that are learnt from
        self._started = time.time_ns()
        self._claim = Claim(self._run.run_id, self._started, self.resolve_topic_name(topics.CREDIT.name))
        self._published_version = 0  # of the weights
        self._published_credit: dict[int, int] = {}
        self._is_varied = False  # as last published
        self._is_credit_missed = False  # by whoever sent a transition once more
        self._announced_at = -math.inf  # [s] steady time
        self._warned_at = -math.inf  # [s] steady time
        self._rejected_weights = 0
        self._swapped_version = 0

        self._weights_topic = topics.publisher(self, topics.WEIGHTS)
        self._credit_topic = topics.publisher(self, topics.CREDIT)
        self._status_topic = topics.publisher(self, topics.TRAINING_STATUS)
        self._audience = Audience(self, config.audience_timeout, self._progress.say)
        self._is_over = False  # whether all is written that the training leaves behind
        topics.subscription(self, topics.TRANSITIONS, self._on_transition)
        topics.subscription(self, topics.POLICY_STATUS, self._on_policy_status)
        topics.subscription(self, topics.CREDIT, self._claim.hear)
        self.create_service(Trigger, topics.LEARNER_SAVE, self._on_save)
        self._waiting = WaitWarning(
            self.resolve_topic_name("transitions"), "simulator", config.wait_warning, time.monotonic()
        )
        self.create_timer(LONGEST_SLEEP, self._on_watch, clock=STEADY_CLOCK)
        self.create_timer(Health.period, self._on_second, clock=STEADY_CLOCK)
        self._health = Health(self, self._waiting, self._progress.say, self._losses(self._run.status()))
        where = f"{config.run_directory}, seed {config.seed}, run id {self._run.run_id}"
        self._progress.note(f"trains {config.task} in {where}")
        self._tell_onlookers()
        self._announce()

    @property
    def is_done(self) -> bool:
        """Whether the training has ended, and nobody looks on any more."""
        return self._run.is_done and not self._audience.is_there

    def work(self) -> bool:
        """Make some updates; whether more are owed."""
        if self._run.is_done and self._audience.is_there and not self._is_over:
            self._conclude()
            self._audience.keep_company()
        if self._is_over:
            return False
        more = self._run.work()
        self._publish_news()
        return more

    def fail(self, sentence: str) -> None:
        """Say on /diagnostics why the process ends."""
        self._health.fail(sentence)

    def shut_down(self) -> None:
        """Write what was not yet written.

        Raises:
            RunError: the disk did not take all of it.
        """
        if not self._is_over:
            self._conclude()
        if self._run.store.complaint:  # its end must not look as if all had been saved
            raise RunError(self._run.store.complaint)

    def _conclude(self) -> None:
        """Write the last checkpoint and the summary."""
        self._is_over = True
        status = self._run.status()
        self._publish_status(status)
        conclusion = self._run.conclusion()  # before the writing, which takes its time
        self._run.close()
        self._progress.end(status, f"{conclusion}; see {self._run.run.path}")

    def _tell_onlookers(self) -> None:
        """Write down where the nodes of this run speak, for whoever wants to watch it."""
        discovery = os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "")
        where = Where(domain=self.context.get_domain_id(), discovery=discovery, namespace=self.get_namespace())
        with contextlib.suppress(OSError):  # a disk that fails is complained of elsewhere: nobody learns from this
            where.write(self._run.run.path)

    def _on_transition(self, msg: Any) -> None:
        if self._is_over:
            return
        if (msg.run_id, msg.task_hash) != self._identity:
            self._refuse(msg)
            return
        self._waiting.heard(time.monotonic())
        try:
            outcome = self._run.ingest(messages.transition_from_msg(msg))
        except TransitionError as error:
            self._warn(f"rejected a transition: {error}")
        else:
            self._is_credit_missed |= outcome is not Outcome.ACCEPTED  # as its sender may have, which sends it again

    def _refuse(self, msg: Any) -> None:
        """A transition of another run or of another task teaches nothing."""
        self._run.report.foreign_transitions += 1
        run_id, task_hash = self._identity
        self._warn(
            f"rejected a transition of {describe_run(msg.run_id)}: this learner belongs to {describe_run(run_id)}; "
            f"start its simulator with -p run_id:={run_id}"
            if msg.run_id != run_id
            else f"rejected a transition of task {msg.task_hash[:12]}: this learner learns {self._config.task}, "
            f"{task_hash[:12]}; start the simulator with the same task and version of sac_control"
        )

    def _on_policy_status(self, msg: Any) -> None:
        run_id = self._run.run_id
        if msg.run_id != run_id:
            return  # a robot's, or of another run: its versions are of another numbering
        if msg.rejected_weights > self._rejected_weights:
            self._warn(f"the policy node rejected version {msg.offered_version}: {msg.offered_verdict}")
        self._rejected_weights = msg.rejected_weights
        self._run.note_version_in_force(msg.policy_version if msg.policy_run_id == run_id else 0)
        if msg.offered_accepted and msg.offered_version > self._swapped_version:
            self._swapped_version = msg.offered_version
            self._run.report.swap_gaps.append(msg.swap_gap)

    def _on_save(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        if self._is_over:
            response.message = f"the training has ended, and all is saved in {self._run.run.path}"
            return response
        try:
            response.success, response.message = True, str(self._run.save())
        except RunError as error:
            response.success, response.message = False, str(error)
        return response

    def _on_watch(self) -> None:
        was_awaited = self._audience.is_awaited
        self._audience.look()
        if self._is_over:  # no status any more: what a plot shows would scroll away
            return
        now = time.monotonic()
        status = self._run.status()
        self._publish_status(status)
        if was_awaited and not self._audience.is_awaited:
            self._announce()
        if status.phase is not Phase.WAITING:
            self._progress.show(status, now)
        if now - self._announced_at > ANNOUNCE_PERIOD:
            self._announce()

    def _publish_news(self) -> None:
        """Publish weights and credit where they have changed, and credit that somebody may have missed."""
        if self._run.weights.version > self._published_version:
            self._publish_weights()
        is_new = (self._credit, self._run.is_varied) != (self._published_credit, self._is_varied)
        if self._is_credit_missed or is_new:
            self._publish_credit()

    @property
    def _credit(self) -> dict[int, int]:
        """By source, until which sequence number transitions are welcome."""
        source = self._run.training.source
        return {} if source is None else {source: self._run.credit}

    def _publish_weights(self) -> None:
        if self._audience.is_awaited:
            return
        self._published_version = self._run.weights.version
        self._weights_topic.publish(messages.weights_to_msg(self._run.weights, time.time_ns()))

    def _publish_credit(self) -> None:
        self._published_credit, self._is_credit_missed = self._credit, False
        self._is_varied = self._run.is_varied
        msg = messages.credit_to_msg(
            self._published_credit, self._run.run_id, self._started, time.time_ns(), varied=self._is_varied
        )
        self._credit_topic.publish(msg)

    def _announce(self) -> None:
        """Publish weights and credit, changed or not: late joiners miss a latched message at times (Fast-DDS#3822)."""
        self._announced_at = time.monotonic()
        self._publish_weights()
        self._publish_credit()

    def _publish_status(self, status: TrainingStatus) -> None:
        self._status_topic.publish(messages.training_status_to_msg(status, self.get_clock().now().nanoseconds))

    def _warn(self, text: str) -> None:
        """Warn at most once per second."""
        now = time.monotonic()
        if now - self._warned_at > 1.0:
            self._warned_at = now
            self._progress.say(text)

    def _losses(self, status: TrainingStatus) -> dict[str, int]:
        """Counters that grow where something was lost or thrown away."""
        return {
            "rejected_transitions": status.rejected_transitions,
            "missing_transitions": status.missing_transitions,
            "foreign_transitions": status.foreign_transitions,
            "rejected_weights": self._rejected_weights,
            "rollbacks": status.rollbacks,
            "restorations": status.restorations,
        }

    def _on_second(self) -> None:
        store, status = self._run.store, self._run.status()
        now = time.monotonic()
        figures: dict[str, object] = {
            "run": status.run,
            "phase": status.phase.name,
            "plants_passed": f"{status.plants_passed} of {status.plants}",
            "transitions": status.env_steps,
            "updates": status.updates,
            "replay_ratio": status.replay_ratio,
            "target_replay_ratio": status.target_replay_ratio,
            "policy_version": status.policy_version,
            "policy_lag": status.policy_lag,
            "transition_age": self._waiting.silence(now),
            "duplicate_transitions": status.duplicate_transitions,
            "stale_transitions": status.stale_transitions,
            "disk": store.complaint or "ok",
            "unwritten_transitions": 0 if store.rows is None else store.rows.unwritten,
            "checkpoint": store.newest_step,
        }
        findings = [
            (ERROR, store.complaint),
            (WARN, self._claim.rival),
            (WARN, f"no transition for {self._waiting.silence(now):.0f} s" if self._waiting.is_long(now) else ""),
        ]
        self._health.tell(figures, self._losses(status), findings, otherwise=status.phase.name.lower())


def main() -> int:
    """Entry point of the executable `learner`."""
    return run(LearnerNode)


if __name__ == "__main__":
    sys.exit(main())
