"""The evaluator node: counts whole episodes of simulator and policy, in the place of a learner."""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from rclpy.node import Node
from std_msgs.msg import UInt64

from sac_control.config import EvaluatorConfig
from sac_control.nodes import messages, topics
from sac_control.nodes.compatibility import CompatibilityCheck
from sac_control.nodes.parameters import NODE_OPTIONS, declare_parameters
from sac_control.nodes.process import LONGEST_SLEEP, STEADY_CLOCK, run
from sac_control.nodes.waiting import WaitWarning
from sac_control.runs import atomic
from sac_control.sac.arrivals import Arrivals
from sac_control.sac.episodes import Episodes

RUN_AHEAD = 64  # transitions the simulator may be ahead of the counting


class EvaluatorNode(Node):
    """Counts episodes and ends.

    Publishes:   learner/credit, /diagnostics
    Subscribes:  transitions
    Parameters:  see config.EvaluatorConfig

    Takes the learner's place: it grants the simulator credit for what it has counted. An episode with a missing
    transition is not counted. When transitions stop, it waits.
    """

    def __init__(self) -> None:
        super().__init__("evaluator", **NODE_OPTIONS)
        self._config = config = declare_parameters(self, EvaluatorConfig)
        self._arrivals, self._episodes = Arrivals(), Episodes()
        self._returns: list[float] = []
        self._lengths: list[int] = []
        self._versions: set[int] = set()
        self._started: float | None = None  # [s] steady time of the first transition

        self._credit_topic = topics.publisher(self, topics.CREDIT)
        self._diagnostics = topics.publisher(self, topics.DIAGNOSTICS)
        topics.subscription(self, topics.TRANSITIONS, self._on_transition)
        self._waiting = WaitWarning(
            self.resolve_topic_name("transitions"), "simulator", config.wait_warning, time.monotonic()
        )
        self.create_timer(LONGEST_SLEEP, self._grant, clock=STEADY_CLOCK)
        self.create_timer(1.0, self._on_second, clock=STEADY_CLOCK)
        self._compatibility = CompatibilityCheck(self)

    @property
    def is_done(self) -> bool:
        """Whether all episodes are counted."""
        return len(self._returns) >= self._config.episodes

    def work(self) -> bool:
        """Nothing to do between callbacks."""
        return False

    def shut_down(self) -> None:
        """Tell the result."""
        result = self._result()
        if self._config.output:
            atomic.write_text(Path(self._config.output), json.dumps(result, indent=2) + "\n")
        print(json.dumps(result) if self._config.json else self._sentence(result), flush=True)

    def _on_transition(self, msg: Any) -> None:
        self._waiting.heard()
        transition = messages.transition_from_msg(msg)
        if self._started is None:
            self._started = time.monotonic()
        if self.is_done or not self._arrivals.is_new(transition.source, transition.sequence):
            return
        self._versions.add(transition.policy_version)
        episode = self._episodes.add(transition)
        if episode is not None:
            self._returns.append(episode.total_reward)
            self._lengths.append(episode.length)
            if not self._config.json:
                count = f"episode {len(self._returns)}/{self._config.episodes}"
                print(f"{count}: return {episode.total_reward:g}, {episode.length} steps", flush=True)
        if transition.sequence % (RUN_AHEAD // 4) == 0:
            self._grant()

    def _grant(self) -> None:
        expected = self._arrivals.expected
        if expected is not None:  # the first transition needs no credit
            self._credit_topic.publish(UInt64(data=expected + RUN_AHEAD))

    def _result(self) -> dict[str, Any]:
        elapsed = time.monotonic() - self._started if self._started is not None else 0.0
        steps = sum(self._lengths)
        return {
            "episodes": len(self._returns),
            "returns": self._returns,
            "lengths": self._lengths,
            "mean_return": statistics.fmean(self._returns) if self._returns else None,
            "min_return": min(self._returns, default=None),
            "policy_versions": sorted(self._versions),
            "missing_transitions": self._arrivals.missing,
            "steps_per_second": round(steps / elapsed, 1) if elapsed > 0 else None,
        }

    @staticmethod
    def _sentence(result: dict[str, Any]) -> str:
        if not result["returns"]:
            return "no episode was completed"
        return (
            f"{result['episodes']} episodes: mean return {result['mean_return']:g}, lowest {result['min_return']:g}; "
            f"{result['steps_per_second']:g} steps per second"
        )

    def _on_second(self) -> None:
        for sentence in (self._waiting.sentence(time.monotonic()), self._compatibility.next_complaint()):
            if sentence:
                self.get_logger().warning(sentence)
        values: dict[str, object] = {"episodes": len(self._returns), "missing_transitions": self._arrivals.missing}
        level, message = (1, "transitions are missing") if self._arrivals.missing else (0, "counts")
        stamp = self.get_clock().now().nanoseconds
        self._diagnostics.publish(
            messages.diagnostics_to_msg(self.get_fully_qualified_name(), level, message, values, stamp)
        )


def main() -> int:
    """Entry point of the executable `evaluator`."""
    return run(EvaluatorNode)


if __name__ == "__main__":
    sys.exit(main())
