"""The gate of a training: plants of the task's exam, each of which a policy must keep. Says nothing of what follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sac_control.envs.environment import Environment, Start
from sac_control.envs.trial import Act, play
from sac_control.variation.plants import Plant, gate_plants

EPISODES, EXTREME = 5, 2  # on each plant; of these, at most so many from the most extreme starts, and these first
MOST_FAILED = 2  # plants: who has failed more is not near, and the next policy comes sooner where that ends it
_MOST_NAMED = 3  # plants, in a sentence


@dataclass(frozen=True, kw_only=True)
class GateResult:
    """On how many plants a policy was good, of those that were tried before it had failed too many."""

    passed: int  # plants on which every episode was kept
    failed: tuple[str, ...]  # names of those on which one was not
    plants: int  # there are, tried or not

    @property
    def tried(self) -> int:
        """Plants on which it was tried."""
        return self.passed + len(self.failed)

    @property
    def is_passed(self) -> bool:
        """Whether it was good on every plant."""
        return self.passed == self.plants

    @property
    def verdict(self) -> str:
        """The same for people."""
        if self.is_passed:
            return f"{self.passed} of {self.plants} plants passed"
        named, more = ", ".join(self.failed[:_MOST_NAMED]), len(self.failed) - _MOST_NAMED
        names = f"{named} and {more} more" if more > 0 else named
        tried = "1 plant" if self.tried == 1 else f"{self.tried} plants"
        of = f"{tried} tried" if self.tried < self.plants else f"{self.plants} plants"
        return f"{self.passed} of {of} passed, not {names}"


def most_failures(plants: int, to_beat: int) -> int:
    """Of so many plants, how many a policy may fail before it is tried no further: `MOST_FAILED` at most.

    Fewer where it could no longer pass more than `to_beat`, what the best one so far has passed; where that is all of
    them, passing all again is enough.
    """
    return min(plants - min(to_beat + 1, plants), MOST_FAILED)


def joined(parts: Sequence[GateResult]) -> GateResult:
    """What the parts of a gate come to."""
    return GateResult(
        passed=sum(part.passed for part in parts),
        failed=tuple(name for part in parts for name in part.failed),
        plants=sum(part.plants for part in parts),
    )


class Gate:
    """Tries policies on plants, those first that the one before failed.

    Args:
        env: of a task with an exam.
        rng: of the start states, and, through `env`, of noise and delays.
        part, parts: which of so many parts of the plants are its own.
    """

    def __init__(self, env: Environment, rng: np.random.Generator, *, part: int = 0, parts: int = 1) -> None:
        assert env.task.exam is not None
        self._env, self._rng = env, rng
        self._untried = gate_plants(env.task.exam.ranges)[part::parts]
        self._failed: list[Plant] = []  # by the policy before, and those that it passed
        self._passed: list[Plant] = []
        env.reset(seed=int(rng.integers(2**31)))

    def judge_suspects(self, act: Act, may_fail: int) -> GateResult:
        """Begin to try a policy: on the plants that the one before failed, where most that fail do so again.

        Args:
            act: what the policy answers.
            may_fail: plants; as soon as it has failed more, it is tried no further.
        """
        suspects = self._failed
        self._untried += self._passed
        self._passed, self._failed = [], []
        self._try(act, suspects, may_fail)
        self._untried = suspects + self._untried
        return self._result

    def judge_others(self, act: Act, may_fail: int) -> GateResult:
        """Go on with the other plants; the result and `may_fail` are of all of them."""
        self._try(act, self._untried, may_fail)
        return self._result

    def _try(self, act: Act, plants: list[Plant], may_fail: int) -> None:
        while plants and len(self._failed) <= may_fail:
            plant = plants.pop(0)
            (self._passed if self._is_kept(act, plant) else self._failed).append(plant)

    @property
    def _result(self) -> GateResult:
        plants = len(self._passed) + len(self._failed) + len(self._untried)
        failed = tuple(plant.name for plant in self._failed)
        return GateResult(passed=len(self._passed), failed=failed, plants=plants)

    def _is_kept(self, act: Act, plant: Plant) -> bool:
        """Whether every episode is; the first that is not ends the trial."""
        extreme = self._env.extreme_starts(self._rng, EXTREME)
        starts = [*extreme, *self._env.starts(self._rng, EPISODES - len(extreme))]
        return all(play(self._env, act, _on(plant, start)).is_kept for start in starts)


def _on(plant: Plant, start: Start) -> Start:
    return {**start, "options": {**start.get("options", {}), "variation": plant.variation}}
