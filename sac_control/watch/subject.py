"""A run, or a robot, as something to be watched."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sac_control.tasks.task import Task
from sac_control.types import Specification


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is to be watched."""

    path: Path  # of the run; or of the policy file of a robot
    is_run: bool
    algorithm: str
    is_lockstep: bool  # whether its time runs as fast as it can
    task: Task

    @property
    def specification(self) -> Specification:
        """What is seen and moved."""
        return self.task.specification
