"""Flow control: which transitions a training asks for. Knows nothing of how they travel."""

from __future__ import annotations

from sac_control.training.training import Training


class FlowControl:
    """The credit of one training.

    Args:
        training: whose transitions are asked for.
        is_deterministic: whether it must not depend on who was faster.

    No training asks for transitions while a policy goes through the gate: what ends there is to be what was examined,
    and the gate has the processors for itself, so that nothing depends on how busy they are. In real time, where
    nobody waits for credit, learning goes on.

    An on-policy training asks for transitions only while its newest weights are in force: others would be left out.

    Attributes:
        version_in_force: the weights that the policy node runs, as it told.
        is_worked_off: whether all that the newest transition makes due has been done.
    """

    def __init__(self, training: Training, *, is_deterministic: bool) -> None:
        self._training, self._is_deterministic = training, is_deterministic
        self.version_in_force = 0
        self.is_worked_off = True
        self._granted = 0  # credit given out so far
        self._granted_to: int | None = None  # source

    def credit(self, *, is_held: bool, is_examining: bool = False) -> int:
        """What `learner/credit` must say; see Training.credit.

        A deterministic training asks for the next transition only when it is not `is_held`, by an evaluation or its
        end, and nothing else is under way that the transition could outrun: updates, or a swap.
        """
        source = self._training.source
        if self._is_deterministic:
            is_open = self.is_worked_off and self._is_in_force and not is_held
        else:
            is_open = not is_examining and (self._is_in_force or not self._training.algorithm.is_on_policy)
        if is_open:
            self._granted, self._granted_to = self._training.credit, source
        return self._granted if self._granted_to == source else 0  # another source counts otherwise

    @property
    def _is_in_force(self) -> bool:
        """Whether the policy node runs the newest weights."""
        return self.version_in_force >= self._training.policy_version
