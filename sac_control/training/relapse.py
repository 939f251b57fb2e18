"""Takes a training back to its best solution that has lost it. What diverges is not its matter: see divergence.py."""

from __future__ import annotations

from collections.abc import Callable

from sac_control.policy.policy_file import PolicyFile
from sac_control.store.run_store import RunStore
from sac_control.training.evaluation import Evaluation
from sac_control.training.training import Training

LOST_AFTER = 3  # policies in a row that fail in most episodes
MOST_REFUTED = 6  # in a row, where only a solution is tried on plants


class Relapse:
    """Watches what the newest policies of one training reach once it was solved.

    A policy has lost the solution where fewer than half of its episodes reach what counts as solved: one that now and
    then does not is on its way, and mostly comes back by itself. While a training is being hardened, that may not take
    too long: meanwhile nothing is tried on other plants. Policies before a training was resumed are not known.

    Args:
        training: what is watched.
        store: where its best policy is kept.
        say: takes sentences for people.
    """

    def __init__(self, training: Training, store: RunStore, say: Callable[[str], None]) -> None:
        self._training, self._store, self._say = training, store, say
        self._failures_in_a_row, self._refuted_in_a_row = 0, 0

    def return_if_lost(self, evaluation: Evaluation, *, is_hardening: bool) -> bool:
        """Hear what the newest policy reached; go back to the best solution if that is lost; whether it was done.

        Networks and optimisers are those of the best checkpoint then. All transitions stay known, and exploration is
        that of a solved task.
        """
        if self._training.solved_at is None:
            return False
        reached = sum(total >= evaluation.solved_return for total in evaluation.returns)
        has_failed = 2 * reached < len(evaluation.returns)
        self._failures_in_a_row = self._failures_in_a_row + 1 if has_failed else 0
        self._refuted_in_a_row = 0 if evaluation.is_solved else self._refuted_in_a_row + 1
        if self._failures_in_a_row >= LOST_AFTER:
            reason = f"{LOST_AFTER} policies in a row failed in most episodes"
        elif is_hardening and self._refuted_in_a_row >= MOST_REFUTED:
            reason = f"none of {MOST_REFUTED} policies in a row was one"
        else:
            return False
        self._failures_in_a_row, self._refuted_in_a_row = 0, 0
        best = self._store.solution()
        if best is None:
            return False  # it was deleted, or is damaged: training may find back by itself
        self._training.return_to_solution(best.arrays, PolicyFile.from_bytes(best.policy).actor)
        self._say(
            f"the solution was lost: {reason}. Returned to the best checkpoint, of step {best.step}; all "
            f"{self._training.transitions} transitions stay"
        )
        return True
