"""Episodes: returns of those that were seen from their first to their last step."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any

from sac_control.types import Transition

_MOST_SOURCES = 64


@dataclass(frozen=True, kw_only=True)
class Episode:
    """A whole episode."""

    source: int  # who played it
    episode: int  # its number within its source
    total_reward: float  # undiscounted sum of rewards
    length: int  # steps
    terminated: bool  # false where only the time limit ended it
    variation: str = ""  # how its robot differed from its description

    def row(self, env_steps: int) -> dict[str, object]:
        """Its row in the table of episodes; it ended with transition number `env_steps`."""
        return {
            "env_steps": env_steps,
            "return": self.total_reward,
            "length": self.length,
            "terminated": int(self.terminated),
            "variation": " ".join(self.variation.replace(",", ";").split()),  # one cell of a table, whatever was sent
        }


@dataclass
class _Unfinished:
    episode: int
    steps: int
    total_reward: float


class Episodes:
    """Adds rewards up to episodes. One with a missing step is left out: its sum would be wrong.

    Attributes:
        count: whole episodes seen.
        recent: returns of the newest hundred.
    """

    def __init__(self) -> None:
        self.count = 0
        self.recent: deque[float] = deque(maxlen=100)
        self._unfinished: dict[int, _Unfinished] = {}  # by source

    @property
    def mean_return(self) -> float:
        """Mean return of the newest hundred episodes; 0 before the first."""
        return sum(self.recent) / len(self.recent) if self.recent else 0.0

    def add(self, transition: Transition) -> Episode | None:
        """Add a step; returns the episode if this step ended it and none was missing."""
        source = transition.source
        now = self._unfinished.pop(source, None)
        if transition.step == 0:
            now = _Unfinished(transition.episode, 0, 0.0)
        if now is None or (now.episode, now.steps) != (transition.episode, transition.step):
            return None
        now.steps += 1
        now.total_reward += transition.reward
        if not (transition.terminated or transition.truncated):
            self._unfinished[source] = now
            if len(self._unfinished) > _MOST_SOURCES:
                del self._unfinished[next(iter(self._unfinished))]
            return None
        self.count += 1
        self.recent.append(now.total_reward)
        return Episode(
            source=source,
            episode=now.episode,
            total_reward=now.total_reward,
            length=now.steps,
            terminated=transition.terminated,
            variation=transition.variation,
        )

    def state(self) -> dict[str, Any]:
        """All of it as plain values."""
        unfinished = [[source, *astuple(episode)] for source, episode in self._unfinished.items()]
        return {"count": self.count, "recent": list(self.recent), "unfinished": unfinished}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state()`."""
        self.count = state["count"]
        self.recent = deque(state["recent"], maxlen=100)
        self._unfinished = {source: _Unfinished(*values) for source, *values in state["unfinished"]}
