"""The interface of an algorithm: transitions in, a better actor out. Knows nothing of files, of ROS or of time.

An algorithm owns its memory of transitions, and decides what it owes and what is welcome. What all trainings do alike
(arrivals, evaluation, publication, disk) is done by whoever owns it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, ClassVar

from sac_control.errors import ConfigError, RunError
from sac_control.option import Config
from sac_control.types import ActorParameters, Array, Float32Array, RowBuffer, Transition

MOST_HALVINGS = 6  # of the steps: smaller ones would only hide that nothing is learnt any more
NO_FLOOR = -1e9  # no reward is below


class Use(Enum):
    """What an algorithm does with a transition."""

    LEARNT = auto()
    STALE = auto()  # it was taken by weights that are not in force any more: left out


@dataclass(frozen=True, kw_only=True)
class State:
    """All that changes in an algorithm or a training, to be saved; what `Algorithm.memory` holds is saved as rows."""

    arrays: dict[str, Array]
    numbers: dict[str, Any]  # plain values that JSON keeps


@dataclass(frozen=True, kw_only=True)
class AlgorithmConfig(Config, ABC):
    """Settings of one algorithm, which stand beside it, and what makes it. Found by name: see `catalogue.py`.

    Each setting alone is checked when it is made, whatever needs a second one by `check`. Importing this class must not
    import torch: whoever asks for another algorithm imports it, too.
    """

    fixed: ClassVar[tuple[str, ...]] = ()  # settings that decide what is saved: a run is resumed with the same alone

    @classmethod
    def section(cls) -> str:
        """All are settings of the learner node."""
        return "learner"

    @abstractmethod
    def check(self, *, observation_size: int, action_size: int) -> None:
        """Refuse settings that contradict each other, or that this computer cannot keep.

        Raises:
            ConfigError: says which, and what to change.
        """

    @abstractmethod
    def make(self, *, observation_size: int, action_size: int, mirror: Float32Array | None, seed: int) -> Algorithm:
        """The algorithm.

        Args:
            observation_size, action_size: o and a.
            mirror: signs of the observation's terms, (o,) float32, in the mirror image of the task; None: it has none.
            seed: of all its random choices.

        Raises:
            ConfigError: as `check` does.
        """


def check_arrays(arrays: Mapping[str, Array], expected: Mapping[str, Array]) -> None:
    """See that `arrays`, of a saved state, has all that is `expected`, in the same shapes.

    Raises:
        RunError: something is missing or has another size: the state belongs to other settings.
    """
    for name, array in expected.items():
        if name not in arrays:
            raise RunError(
                f"learner state lacks {name!r}: it is damaged, or was written by another version or algorithm"
            )
        if arrays[name].shape != array.shape:
            raise RunError(
                f"learner state {name!r} is {arrays[name].shape}, expected {array.shape}: "
                "resume with the task and the hidden_sizes of the run it comes from"
            )


class Algorithm(ABC):
    """What learns. Updates happen only in `update`; all else is quick.

    Attributes:
        is_on_policy: learns from what the newest actor does alone, so that a simulator waits until that is in force.
        is_mirrored: whether it learns from the mirror image of each transition, too.
        remedy: what to lower where it diverges again and again, as in "lower learner.max_kl".
        memory: transitions that the disk must keep; None: there is nothing worth keeping.
        updates: made, those that were rolled back, too.
        rollbacks: times that `roll_back` was called, over all lives of the training.
        restorations: times that it went back to a solution that it had lost; kept by the training.
    """

    is_on_policy: ClassVar[bool]
    remedy: ClassVar[str]
    is_mirrored: bool = False
    memory: RowBuffer | None = None
    updates: int = 0
    rollbacks: int = 0
    restorations: int = 0

    @abstractmethod
    def accept(self, transition: Transition) -> Use:
        """Learn from a transition in the updates to come, if it can be learnt from.

        Raises:
            TransitionError: it has a wrong size, a value that is not finite, or an impossible action. Nothing changed.
        """

    def learn_from(self, recorded: Sequence[Transition], share: float) -> None:
        """Mix transitions of others into what is learnt from, as this share of it; called before the first update.

        Raises:
            ConfigError: it learns from what its own newest actor does alone.
            TransitionError: one of them has a wrong size, a value that is not finite, or an impossible action.
        """
        raise ConfigError(
            "recorded transitions (learner.bags, --from-bag) are of other policies, and this algorithm learns from "
            "those of its newest one alone: leave them out, or choose learner.algorithm sac"
        )

    @property
    @abstractmethod
    def updates_owed(self) -> int:
        """Updates to make now."""

    @property
    @abstractmethod
    def welcome(self) -> int:
        """Transitions that may be under way before the next update is made; where it is 0, updates are owed."""

    @abstractmethod
    def update(self, count: int) -> None:
        """Make `count` updates, owed or not.

        Raises:
            ValueError: there is no transition to learn from yet.
        """

    @property
    @abstractmethod
    def is_publication_due(self) -> bool:
        """Whether updates since the last publication are worth another one."""

    @abstractmethod
    def publish(self, version: int) -> ActorParameters:
        """The actor as it is now, which travels as `version`; of two publications without an update between, alike."""

    @abstractmethod
    def is_finite(self) -> bool:
        """Whether every parameter, and all that the optimisers keep, is a finite number."""

    @abstractmethod
    def roll_back(self) -> bool:
        """Return to the last publication, and take smaller steps from there; false where they are at their smallest.

        The updates made since count as made; the random generators go on, so that the same numbers do not come again.
        """

    @abstractmethod
    def return_to(self, arrays: Mapping[str, Array]) -> None:
        """Take over what was learnt up to an earlier `state()` of this training, of which these are the arrays.

        Memory, counters and random generators go on from where they are.

        Raises:
            RunError: the state belongs to other settings.
        """

    @property
    def step_scale(self) -> float:
        """The share of its steps that rollbacks and lost solutions have left: each of the first halves them."""
        return float(0.5 ** min(self.rollbacks + self.restorations, MOST_HALVINGS))

    def note_solved(  # noqa: B027  many have nothing to change then
        self, actor: ActorParameters, *, is_hardening: bool = False
    ) -> None:
        """Take note that `actor`, one that was published, has solved the task: now it is about keeping the solution.

        Where `is_hardening`, robots differ from their description from now on, and it is to become good on all of them.
        """

    @property
    @abstractmethod
    def metric_names(self) -> tuple[str, ...]:
        """Names of all that `metrics` ever tells, at most 32 of at most 32 letters: columns of metrics.csv."""

    @abstractmethod
    def metrics(self) -> dict[str, float]:
        """What it tells of its newest update that was not rolled back, by name; empty before the first."""

    @property
    @abstractmethod
    def replay_ratio(self) -> float:
        """Updates per transition, as reached; NaN where that says nothing."""

    @property
    @abstractmethod
    def target_replay_ratio(self) -> float:
        """Updates per transition, as set; NaN where there is none."""

    @property
    @abstractmethod
    def kept(self) -> int:
        """Transitions that it holds to learn from."""

    @abstractmethod
    def state(self) -> State:
        """Everything that changes but the rows of `memory`, as copies."""

    @abstractmethod
    def restore(self, arrays: Mapping[str, Array], numbers: Mapping[str, Any]) -> None:
        """Continue from `state()`, to the last bit, whatever else is among both. The rows of `memory` come first.

        Raises:
            RunError: the state belongs to other settings, or the memory lacks its rows.
        """
