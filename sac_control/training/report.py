"""What a training says of itself: status, verdict and summary. Reads, and decides nothing."""

from __future__ import annotations

import importlib.metadata
import math
import platform
import statistics
from collections import deque
from collections.abc import Callable
from typing import Any

from sac_control.training.evaluation import Evaluation
from sac_control.training.learner_config import LearnerConfig
from sac_control.training.rates import Rates
from sac_control.training.times import Times
from sac_control.training.training import Training
from sac_control.types import Phase, TrainingStatus, Transition

_PACKAGES = ("sac_control", "rclpy", "torch", "numpy", "pybullet", "gymnasium", "safetensors")


class Report:
    """The figures of one training.

    Args:
        run_id: its id.
        run: its name.
        config: its settings.
        training: what is told of.
        clock: steady clock [s].
        times: of earlier lives.
        plants: of the task's exam that are tried in training; 0 where it has none.

    Attributes:
        evaluation: the newest; None before the first.
        foreign_transitions: left out because they are of another run or task.
        swap_gaps: [s] that the newest swaps held the policy node up, as it told.
    """

    def __init__(
        self,
        run_id: str,
        run: str,
        config: LearnerConfig,
        training: Training,
        clock: Callable[[], float],
        times: Times,
        plants: int,
    ) -> None:
        self._run_id = run_id
        self._run, self._config, self._training, self._clock = run, config, training, clock
        self._began, self._solved_after = clock() - times.wall_seconds, times.solved_after
        self._rates = Rates()
        self._arrived, self._lag = 0, 0  # transitions of this life, and the sum of their lags
        self._plants = plants
        self.evaluation: Evaluation | None = None
        self.foreign_transitions = 0
        self.swap_gaps = deque[float](maxlen=10_000)

    @property
    def wall_time(self) -> float:
        """[s] of training, over all lives of the process."""
        return self._clock() - self._began

    @property
    def times(self) -> Times:
        """All that is known of the time that was taken."""
        return Times(wall_seconds=self.wall_time, solved_after=self._solved_after)

    def note_solved(self) -> None:
        """Take note that the task was found solved just now."""
        self._solved_after = self.wall_time

    def note_arrival(self, transition: Transition) -> None:
        """Take note of how many versions behind a transition was when it arrived."""
        self._arrived += 1
        self._lag += self._training.policy_version - transition.policy_version

    def status(self, phase: Phase, plants_passed: int) -> TrainingStatus:
        """Where the training stands, whose best policy has passed so many plants."""
        counters, metrics = self._training.counters(), self._training.metrics()
        steps_per_second, updates_per_second = self._rates.measure(
            self._clock(), counters.transitions, counters.updates
        )
        steps_left = max(0, self._config.max_steps - counters.transitions)
        return TrainingStatus(
            run_id=self._run_id,
            run=self._run,
            algorithm=self._config.algorithm,
            phase=phase,
            env_steps=counters.transitions,
            max_steps=self._config.max_steps,
            episodes=counters.episodes,
            updates=counters.updates,
            policy_version=counters.policy_version,
            wall_time=self.wall_time,
            last_return=counters.last_return,
            mean_return=counters.mean_return,
            evaluation_return=self.evaluation.mean_return if self.evaluation else math.nan,
            critic_loss=metrics.get("critic_loss", math.nan),
            actor_loss=metrics.get("actor_loss", math.nan),
            alpha=metrics.get("alpha", math.nan),
            entropy=metrics.get("entropy", math.nan),
            metric_names=tuple(metrics),
            metrics=tuple(metrics.values()),
            steps_per_second=steps_per_second,
            updates_per_second=updates_per_second,
            replay_ratio=counters.replay_ratio,
            target_replay_ratio=self._training.algorithm.target_replay_ratio,
            policy_lag=self._mean_lag,
            buffer_size=self._training.algorithm.kept,
            rejected_transitions=counters.rejected,
            missing_transitions=counters.missing,
            duplicate_transitions=counters.duplicates,
            stale_transitions=counters.stale,
            foreign_transitions=self.foreign_transitions,
            rollbacks=counters.rollbacks,
            restorations=self._training.restorations,
            plants_passed=plants_passed,
            plants=self._plants,
            eta=steps_left / steps_per_second if steps_per_second > 0 else math.nan,
        )

    def verdict(self, phase: Phase, plants_passed: int) -> str:
        """How the training ended, in a few words."""
        solved_at, hardened_at = self._training.solved_at, self._training.hardened_at
        if phase is Phase.SOLVED:
            return "solved"
        if phase is Phase.HARDENED:
            seconds = "" if self._solved_after is None else f", {self._solved_after:.1f} s"
            return f"solved after {solved_at} transitions{seconds}; hardened"
        if phase is not Phase.FINISHED:
            return "stopped"
        if solved_at is None:
            return "not solved: max_steps reached"
        if hardened_at is not None:
            return f"solved first at step {solved_at}, hardened first at step {hardened_at}, max_steps reached"
        plants = f"not hardened ({plants_passed} of {self._plants} plants), " if plants_passed else ""
        return f"solved first at step {solved_at}, {plants}max_steps reached"

    def conclusion(self, phase: Phase, plants_passed: int) -> str:
        """The same, and after how much of what."""
        training, verdict = self._training, self.verdict(phase, plants_passed)
        plants = f": {plants_passed} of {self._plants} plants" if phase is Phase.HARDENED else ""
        return (
            f"{verdict} after {training.transitions} transitions, {training.updates} updates, {self.wall_time:.1f} s"
            f"{plants}"
        )

    def summary(self, plants_passed: int, *, is_complete: bool) -> dict[str, Any]:
        """What is left of the training in ``summary.json``, as plain values.

        Args:
            plants_passed: by the best policy.
            is_complete: whether it came to its end; otherwise it was interrupted.
        """
        evaluation = self.evaluation
        counters = self._training.counters()
        return {
            "run": self._run,
            "run_id": self._run_id,
            "task": self._config.task,
            "complete": is_complete,
            "solved": self._training.solved_at is not None,
            "hardened": self._training.hardened_at is not None,
            "env_steps": counters.transitions,
            "solved_at_step": self._training.solved_at,
            "solved_after_seconds": None if self._solved_after is None else round(self._solved_after, 3),
            "hardened_at_step": self._training.hardened_at,
            "plants_passed": plants_passed,
            "plants": self._plants,
            "updates": counters.updates,
            "wall_seconds": round(self.wall_time, 3),
            "eval_returns": list(evaluation.returns) if evaluation else [],
            "confirmation_returns": list(evaluation.confirmations) if evaluation else [],
            "eval_policy_version": evaluation.policy_version if evaluation else None,
            "policy_version": counters.policy_version,
            "policy_lag_mean": round(self._mean_lag, 3),
            "rollbacks": counters.rollbacks,
            "restorations": self._training.restorations,
            "swap_gap_median": statistics.median(self.swap_gaps) if self.swap_gaps else None,
            "swap_gap_max": max(self.swap_gaps, default=None),
            "seed": self._config.seed,
            "versions": {"python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}},
        }

    @property
    def _mean_lag(self) -> float:
        return self._lag / max(1, self._arrived)


def _version(package: str) -> str | None:
    """None where it is not installed, or not by something that leaves a version."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
