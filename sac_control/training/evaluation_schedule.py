"""When a policy is evaluated, and which one is being evaluated. Knows nothing of what follows from the result."""

from __future__ import annotations

from sac_control.store.run_store import Snapshot
from sac_control.store.score import Score
from sac_control.training.evaluation import Evaluation
from sac_control.training.evaluation_process import EvaluationProcess
from sac_control.training.learner_config import LearnerConfig


class EvaluationSchedule:
    """Evaluates every ``evaluation_every`` transitions, and once more at the end; one policy at a time.

    Where policies go through the gate, which takes seconds, it is every ``gate_every`` transitions.

    A policy is tried once: one that nothing has changed since would only have another draw of start states.

    Args:
        config: the settings of the training; ``evaluation_every`` 0 never evaluates.
        transitions: accepted so far.
        plants: of the gate; 0 where there is none.
    """

    def __init__(self, config: LearnerConfig, transitions: int, plants: int = 0) -> None:
        self._every, self._gate_every = config.evaluation_every, max(config.evaluation_every, config.gate_every)
        self._next = transitions + self._every
        self._updates: int | None = None  # made when a policy was last submitted
        self._candidate: Snapshot | None = None
        self._final_asked = False
        self._has_gate = False  # what was submitted last
        self._process = (
            EvaluationProcess(
                config.evaluation_episodes,
                config.confirmation_episodes,
                config.seed,
                config.task,
                config.engine,
                plants,
            )
            if config.evaluation_every
            else None
        )

    @property
    def is_busy(self) -> bool:
        """Whether a policy is being evaluated."""
        return self._candidate is not None

    @property
    def is_examining(self) -> bool:
        """Whether a policy is going through the gate."""
        return self.is_busy and self._has_gate

    @property
    def is_finished(self) -> bool:
        """Whether the last policy of the training has been evaluated, or none ever will be."""
        return self._process is None or (self._final_asked and not self.is_busy)

    def result(self) -> tuple[Evaluation, Snapshot] | None:
        """What a policy reached, and the training that it was taken from, once there is something new.

        Raises:
            RunError: the evaluation process died.
        """
        evaluation = self._process.poll() if self._process is not None else None
        if evaluation is None or self._candidate is None:
            return None
        candidate, self._candidate = self._candidate, None
        return evaluation, candidate

    def is_due(self, transitions: int, updates: int, *, is_last: bool) -> bool:
        """Whether a policy should be submitted now: `is_last` says that training has come to its end."""
        if self._process is None or self.is_busy:
            return False
        is_new = transitions >= self._next and updates != self._updates
        return is_new or (is_last and not self._final_asked)

    def submit(self, candidate: Snapshot, updates: int, *, is_last: bool, to_beat: Score | None = None) -> None:
        """Evaluate the policy of `candidate`, which so many updates have made; `to_beat`: see `EvaluationProcess`."""
        assert self._process is not None
        self._final_asked, self._has_gate = is_last, to_beat is not None
        every = self._every if to_beat is None else self._gate_every
        self._next, self._updates = candidate.step + every, updates
        self._candidate = candidate
        self._process.submit(candidate.policy, to_beat)

    def close(self) -> None:
        """Stop, whatever is being evaluated."""
        if self._process is not None:
            self._process.close()
