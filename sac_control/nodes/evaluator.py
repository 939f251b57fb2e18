"""The evaluator node: counts whole episodes of simulator and policy, in the place of a learner."""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from rclpy.node import Node

from sac_control.errors import RunError
from sac_control.health.diagnosis import WARN
from sac_control.health.waiting import WaitWarning
from sac_control.identity import describe_run
from sac_control.nodes import messages, topics
from sac_control.nodes.claim import Claim
from sac_control.nodes.health import Health
from sac_control.nodes.parameters import NODE_OPTIONS, declare_parameters
from sac_control.nodes.process import LONGEST_SLEEP, STEADY_CLOCK, run
from sac_control.store import atomic
from sac_control.tasks.catalogue import make_task
from sac_control.training.arrivals import Arrivals
from sac_control.training.evaluation_result import EvaluationResult
from sac_control.training.evaluator_config import EvaluatorConfig
from sac_control.training.progress import QUIET, STYLE

RUN_AHEAD = 64  # transitions the simulator may be ahead of the counting


class EvaluatorNode(Node):
    """Counts episodes and ends.

    Publishes:   learner/credit, /diagnostics
    Subscribes:  transitions; learner/credit, where another one of the same name would speak
    Parameters:  see training/evaluator_config.py

    Takes the learner's place: it grants the simulator credit for what it has counted. An episode with a missing
    transition is not counted. When transitions stop, it waits.
    """

    def __init__(self) -> None:
        super().__init__("evaluator", **NODE_OPTIONS)
        self._config = config = declare_parameters(self, EvaluatorConfig)
        task = make_task(config.task)
        self._identity = config.run_id, task.hash  # of transitions that count
        self._began_at = time.time_ns()
        self._claim = Claim(config.run_id, self._began_at, self.resolve_topic_name(topics.CREDIT.name))
        self._arrivals, self._result = Arrivals(), EvaluationResult(task.specification)
        self._foreign = 0  # transitions of other runs and tasks
        self._foreign_transition = ""  # what the newest of them is
        self._is_quiet = os.environ.get(STYLE) == QUIET
        self._started: float | None = None  # [s] steady time of the first transition

        self._credit_topic = topics.publisher(self, topics.CREDIT)
        topics.subscription(self, topics.TRANSITIONS, self._on_transition)
        topics.subscription(self, topics.CREDIT, self._claim.hear)
        self._waiting = WaitWarning(
            self.resolve_topic_name("transitions"), "simulator", config.wait_warning, time.monotonic()
        )
        self.create_timer(LONGEST_SLEEP, self._grant, clock=STEADY_CLOCK)
        self.create_timer(Health.period, self._on_second, clock=STEADY_CLOCK)
        self._health = Health(self, self._waiting, self.get_logger().warning, self._losses())

    @property
    def is_done(self) -> bool:
        """Whether all episodes are counted."""
        return len(self._result.returns) >= self._config.episodes

    def work(self) -> bool:
        """Nothing to do between callbacks."""
        return False

    def fail(self, sentence: str) -> None:
        """Say on /diagnostics why the process ends."""
        self._health.fail(sentence)

    def shut_down(self) -> None:
        """Tell the result, and write it.

        Raises:
            RunError: it cannot be written.
        """
        result = self._described_result()
        if self._config.json:
            print(json.dumps(result), flush=True)
        else:
            speed = result["steps_per_second"]
            print(*self._result.sentences(), *([f"{speed:g} steps per second"] if speed else []), sep="\n", flush=True)
        if self._config.output and self._result.returns:  # what was found before is worth more than nothing
            try:
                atomic.write_text(Path(self._config.output), json.dumps(result, indent=2) + "\n")
            except OSError as error:
                raise RunError(f"cannot write {self._config.output}: {error.strerror}") from error

    def _on_transition(self, msg: Any) -> None:
        if (msg.run_id, msg.task_hash) != self._identity:
            self._refuse(msg)
            return
        self._waiting.heard(time.monotonic())
        transition = messages.transition_from_msg(msg)
        if self._started is None:
            self._started = time.monotonic()
        if self.is_done or not self._arrivals.is_new(transition.source, transition.sequence):
            return
        episode = self._result.add(transition)
        if episode is not None and not (self._config.json or self._is_quiet):
            count = f"episode {len(self._result.returns)}/{self._config.episodes}"
            print(f"{count}: return {episode.total_reward:g}, {episode.length} steps", flush=True)
        if transition.sequence % (RUN_AHEAD // 4) == 0:
            self._grant()

    def _refuse(self, msg: Any) -> None:
        """A transition of another run or of another task counts for nothing."""
        self._foreign += 1
        run_id, task_hash = self._identity
        sentence = (
            f"rejected a transition of {describe_run(msg.run_id)}: this evaluation is {describe_run(run_id)}"
            if msg.run_id != run_id
            else f"rejected a transition of task {msg.task_hash[:12]}: {self._config.task} is {task_hash[:12]}"
        )
        if sentence != self._foreign_transition:
            self._foreign_transition = sentence
            self.get_logger().warning(sentence)

    def _grant(self) -> None:
        source, expected = self._arrivals.newest, self._arrivals.expected
        until = {} if source is None or expected is None else {source: expected + RUN_AHEAD}
        run_id = self._config.run_id
        self._credit_topic.publish(messages.credit_to_msg(until, run_id, self._began_at, time.time_ns()))

    def _described_result(self) -> dict[str, Any]:
        elapsed = time.monotonic() - self._started if self._started is not None else 0.0
        steps = sum(self._result.lengths)
        return {
            "task": self._config.task,
            "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            **self._result.to_mapping(),
            "missing_transitions": self._arrivals.missing,
            "steps_per_second": round(steps / elapsed, 1) if elapsed > 0 else None,
        }

    def _losses(self) -> dict[str, int]:
        return {"missing_transitions": self._arrivals.missing, "foreign_transitions": self._foreign}

    def _on_second(self) -> None:
        now = time.monotonic()
        figures: dict[str, object] = {
            "episodes": len(self._result.returns),
            "transitions": sum(self._result.lengths),
            "policy_versions": ", ".join(map(str, sorted(self._result.versions))),
            "transition_age": self._waiting.silence(now),
            "duplicate_transitions": self._arrivals.duplicates,
        }
        is_long = self._waiting.is_long(now)
        findings = [(WARN, self._claim.rival)]
        findings += [(WARN, f"no transition for {self._waiting.silence(now):.0f} s" if is_long else "")]
        self._health.tell(figures, self._losses(), findings, otherwise="counts")


def main() -> int:
    """Entry point of the executable `evaluator`."""
    return run(EvaluatorNode)


if __name__ == "__main__":
    sys.exit(main())
