"""What became of a transition that was offered to a training."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from sac_control.training.returns import Episode


class Outcome(Enum):
    """What became of a transition."""

    ACCEPTED = auto()  # it is learnt from
    DUPLICATE = auto()  # it came before
    STALE = auto()  # it is of weights that are not in force any more, and the algorithm learns from the newest alone
    UNWANTED = auto()  # nobody asked for one: the training has ended, or waits for a verdict


@dataclass(frozen=True)
class Intake:
    """What became of a transition, and the episode that it completed, if any."""

    outcome: Outcome
    episode: Episode | None = None


DUPLICATE = Intake(Outcome.DUPLICATE)
