"""What ends a training before it has taken all of its transitions. Knows no training."""

from __future__ import annotations

from enum import Enum

from sac_control.errors import ConfigError
from sac_control.tasks.task import Task


class Goal(Enum):
    """What is waited for."""

    SOLVED = "solved"  # every evaluation episode of a policy reached the task's solved_return
    HARDENED = "hardened"  # and it passed every plant of the task's exam that is tried in training
    STEPS = "steps"  # max_steps alone


GOALS = tuple(goal.value for goal in Goal)


def goal_of(until: str, task: Task, *, has_gate: bool = True) -> Goal:
    """What the setting `learner.until` means for `task`: empty, that the task is hardened where it has an exam.

    Args:
        until: the setting.
        task: what is learnt.
        has_gate: whether plants of its exam are ever tried.

    Raises:
        ConfigError: the task has no exam by which it could be hardened, or no plant is ever tried.
    """
    if until == Goal.HARDENED.value and not has_gate:
        raise ConfigError(
            "learner.until is hardened, but learner.gate_every is 0, with which no plant is ever tried: leave it out, "
            "or write learner.until=solved"
        )
    if until == Goal.HARDENED.value and task.exam is None:
        raise ConfigError(
            f"learner.until is hardened, but the task {task.specification.task} has no exam: give its task file one "
            "(exam:), or write learner.until=solved"
        )
    if until:
        return Goal(until)
    return Goal.HARDENED if task.exam is not None and has_gate else Goal.SOLVED
