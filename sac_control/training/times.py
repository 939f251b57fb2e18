"""How much time a training has taken, over all lives of its process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Times:
    """Times of training [s]."""

    wall_seconds: float = 0.0  # in all
    solved_after: float | None = None  # until the task was first found solved; None: it was not, or that is not known

    def to_mapping(self) -> dict[str, Any]:
        """As plain values, for a checkpoint."""
        return {"wall_seconds": self.wall_seconds, "solved_after": self.solved_after}

    @classmethod
    def from_mapping(cls, state: Mapping[str, Any]) -> Times:
        """Those of a checkpoint; earlier versions did not tell when the task was solved."""
        return cls(wall_seconds=state["wall_seconds"], solved_after=state.get("solved_after"))
