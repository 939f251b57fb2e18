"""Where a training stands, in numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Counters:
    """Where a training stands."""

    transitions: int  # accepted
    updates: int  # made
    updates_owed: int  # that the replay ratio asks for at once
    credit: int  # see Training.credit
    episodes: int  # seen whole
    last_return: float  # of the newest whole episode
    mean_return: float  # of the newest hundred whole episodes
    duplicates: int  # transitions that came again
    missing: int  # transitions that never came
    rejected: int  # transitions of a wrong size or with a value that is not finite
    policy_version: int  # version last published; 0 before the first
    stale: int  # transitions of weights that were not in force any more, which an on-policy algorithm leaves out
    replay_ratio: float  # updates per transition since the warm-up, as reached; NaN where that says nothing
    rollbacks: int  # times that the updates since the last publication were thrown away
