"""Rolls a training back that has diverged, and gives up one that does so again and again."""

from __future__ import annotations

from collections.abc import Callable

from sac_control.errors import RunError
from sac_control.training.training import Training

MOST_ROLLBACKS = 5  # in a row, after which a training is given up


class Divergence:
    """Watches one training. What has diverged was not published: the policy node never saw it.

    Args:
        training: what is watched.
        say: takes sentences for people.
    """

    def __init__(self, training: Training, say: Callable[[str], None]) -> None:
        self._training, self._say = training, say
        self._rollbacks_in_a_row = 0

    def note_publication(self) -> None:
        """Take note that updates have led to weights that were published: the next rollback is a first one."""
        self._rollbacks_in_a_row = 0

    def roll_back_if_diverged(self) -> bool:
        """Forget the updates since the last publication if they have diverged; whether they had.

        Raises:
            RunError: they have, too many times in a row.
        """
        if self._training.is_finite():
            return False
        self._rollbacks_in_a_row += 1
        updates = self._training.updates
        if self._rollbacks_in_a_row > MOST_ROLLBACKS:
            raise RunError(
                f"training diverged {self._rollbacks_in_a_row} times in a row, at last after {updates} updates. "
                f"Nothing of it was published; {self._training.algorithm.remedy}, and resume from the last checkpoint"
            )
        were_halved = self._training.roll_back()
        scale = self._training.algorithm.step_scale
        rates = "halved" if were_halved else f"left at {scale:g} of their settings"
        self._say(
            f"training diverged: a loss or weight is not finite after {updates} updates. Rolled back to weights "
            f"v{self._training.policy_version}, with learning rates {rates}"
        )
        return True
