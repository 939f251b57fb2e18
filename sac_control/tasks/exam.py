"""What a policy is examined by: how far the plants differ, and what counts as kept. Knows no plant and no policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sac_control.expression import Expression, Rows
from sac_control.variation.ranges import Ranges


@dataclass(frozen=True, kw_only=True)
class ExamContent:
    """What a task file says of its exam."""

    ranges: Ranges  # of its plants
    kept: Expression | None = None  # what an episode must be in each of its last
    kept_for: float = 0.0  # [s]; 0: its return decides


@dataclass(frozen=True, kw_only=True)
class Exam:
    """The exam of a task.

    An episode is kept if it lasts to its time limit and `is_kept` in each of its last `kept_for` seconds; where
    `kept_for` is 0, if its return reaches the task's solved_return.
    """

    ranges: Ranges  # of its plants
    is_kept: Callable[[Rows], bool] = field(default=lambda rows: True)
    kept_for: float = 0.0  # [s] at the end of an episode
    memory: int = 0  # control periods that `is_kept` looks back
