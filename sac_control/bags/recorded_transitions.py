"""The transitions of a bag, once each, as they were when they were live."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sac_control.bags.bag_reader import messages
from sac_control.errors import RunError
from sac_control.types import Origin, Transition

TRANSITION = "sac_control/msg/Transition"


def read_transitions(bags: Sequence[Path], task_hash: str, task: str, *, accept_cut: bool = False) -> list[Transition]:
    """The transitions of all bags, in order.

    Args:
        bags: directories or MCAP files.
        task_hash: what they must be transitions of.
        task: its name, for people.
        accept_cut: whether a recording that was cut off is read up to there.

    Raises:
        RunError: there is none in one of them, or it is of another task; see `bag_reader.messages` for what else.
        ConfigError: a package that reads bags is not installed.
    """
    found: list[Transition] = []
    known: set[tuple[int, int]] = set()
    for bag in bags:
        before = len(found)
        for each in messages(bag, {TRANSITION}, accept_cut=accept_cut):
            message = each.message
            if message.task_hash != task_hash:
                raise RunError(
                    f"bag {bag} holds transitions of task {message.task_hash[:12]}, {task} is {task_hash[:12]}: give "
                    "bags of the same task, recorded with the same version of sac_control"
                )
            transition = _transition(message)
            if (key := (transition.source, transition.sequence)) not in known:  # some are sent twice
                known.add(key)
                found.append(transition)
        if len(found) == before:
            raise RunError(f"bag {bag} holds no transitions that the others lack: give one of a training with --bag")
    return found


def _transition(message: Any) -> Transition:
    stamp = message.header.stamp
    return Transition(
        source=message.source,
        sequence=message.sequence,
        episode=message.episode,
        step=message.step,
        stamp=stamp.sec * 1_000_000_000 + stamp.nanosec,
        policy_version=message.policy_version,
        observation=np.asarray(message.observation, np.float32),
        action=np.asarray(message.action, np.float32),
        reward=float(message.reward),
        next_observation=np.asarray(message.next_observation, np.float32),
        terminated=bool(message.terminated),
        truncated=bool(message.truncated),
        state=np.asarray(message.state, np.float64),
        action_raw=np.asarray(message.action_raw, np.float32),
        origin=Origin(message.origin),
        duration=float(message.duration),
        variation=str(message.variation),
    )
