"""Messages as the nodes of one run send them: marked with whose they are."""

from __future__ import annotations

from typing import Any

from policies import RUN_ID, SPECIFICATION
from sac_control.nodes import messages, topics
from sac_control.tasks.catalogue import make_task
from sac_control.types import Action, Transition

TASK_HASH = make_task("inverted_pendulum").hash


def transition_msg(transition: Transition, *, run_id: str = RUN_ID, task_hash: str = TASK_HASH) -> Any:
    """A transition for a learner of `run_id`."""
    return messages.transition_to_msg(transition, topics.TRANSITIONS.type(run_id=run_id, task_hash=task_hash))


def action_msg(action: Action, mode: int, *, run_id: str = "") -> Any:
    """An answer for a simulator of `run_id`, by itself for one that belongs to none."""
    msg = topics.ACTION.type(run_id=run_id)
    messages.mark_action_msg(msg, SPECIFICATION)
    return messages.action_to_msg(action, mode, msg)


def credit_msg(source: int, until: int, *, run_id: str = "") -> Any:
    """Credit for the simulator `source` of `run_id`."""
    return messages.credit_to_msg({source: until}, run_id, started=1, stamp=1)
