"""The verb replay: a policy over the states of a bag, its actions beside those recorded. Publishes nothing."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sac_control.bags.bag_reader import check_packages, messages
from sac_control.cli.choice import choice
from sac_control.cli.named import find_policy
from sac_control.cli.options import OfRuns
from sac_control.errors import RunError, StateError
from sac_control.policy.admission import Admission
from sac_control.policy.policy import Policy
from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.policy_file import PolicyFile
from sac_control.types import Action, Float32Array, JointState, Observation, Signals

_STATES = ("sensor_msgs/msg/JointState", "sac_control/msg/Observation")
_ACTION = "sac_control/msg/PolicyAction"
_SHADOW = "shadow_action"  # hypothetical: the end of its topic's name


@dataclass(frozen=True, kw_only=True)
class ReplayOptions(OfRuns):
    """What people choose for a policy over a bag."""

    bag: Path = choice("directory of a bag, or an MCAP file", metavar="BAG", is_positional=True)
    policy: str = choice("name or directory of a run, or a policy file", metavar="RUN")
    accept_cut: bool = choice("use what a bag holds whose recording was cut off", default=False)
    json: bool = choice("print JSON", default=False)


class Compared(NamedTuple):
    """What two policies did in one state."""

    stamp: int  # [ns]
    recorded: Float32Array  # (a,)
    replayed: Float32Array  # (a,), without exploration


def replay(options: ReplayOptions) -> int:
    """Compare, print; returns the exit code, 0.

    Raises:
        RunError: there is no bag or no policy; the bag is damaged, cut off, of another task, or holds no state with the
            action that answers it.
        ConfigError: a package that reads bags is not installed.
    """
    check_packages("replay")
    path, _ = find_policy(options.policy, options.runs_dir)
    file = PolicyFile.read(path)
    compared = list(_compare(options.bag, file, accept_cut=options.accept_cut))
    if not compared:
        raise RunError(
            f"bag {options.bag} holds no state with the action that answered it: record joint_states (or observation) "
            "and policy/action, as --bag does"
        )
    found = _summary(compared, file)
    print(json.dumps(found) if options.json else _as_text(found))
    return 0


def _compare(bag: Path, file: PolicyFile, *, accept_cut: bool) -> Iterator[Compared]:
    """Each state that was answered once, in the order of the answers."""
    states: dict[int, Signals] = {}
    policy, config = Policy(file.actor), PolicyConfig()
    last: Action | None = None
    admission: Admission | None = None
    found = messages(bag, {*_STATES, _ACTION}, accept_cut=accept_cut)
    for each in sorted(found, key=lambda each: each.heard):  # a file has topics in turns
        if each.type in _STATES:
            state = _state(each.message)
            states[state.stamp] = state
            continue
        if each.topic.endswith(_SHADOW):
            continue
        message = each.message
        if message.specification_hash != file.specification_hash:
            raise RunError(
                f"bag {bag} was recorded with a policy of specification {message.specification_hash[:12]}, {file.run} "
                f"has {file.specification_hash[:12]}: joints, observation, limits or control period differ; give a "
                "policy of the same task"
            )
        answered = states.pop(_stamp(message.header.stamp), None)
        if answered is None or (last is not None and answered.stamp <= last.stamp):
            continue
        if admission is None:  # as the node that was recorded observed: a simulation begins episodes, a robot none
            settings = dataclasses.replace(config, task=file.specification.task, lockstep=bool(message.run_id))
            admission = Admission(dataclasses.replace(settings, check_stamps=False), time.time_ns)
            admission.fit(file.specification)
        try:
            admission.admit(answered, math.inf, last, is_fresh=True)
        except StateError:
            continue
        recorded = np.asarray(message.action, np.float32)
        last = Action(
            stamp=answered.stamp,
            policy_version=message.policy_version,
            action=recorded,
            command_raw=np.asarray(message.command_raw, np.float64),
            command=np.asarray(message.command, np.float64),
        )
        admission.stamp = answered.stamp
        if not admission.filling:
            yield Compared(answered.stamp, recorded, policy.act(admission.observation).copy())


def _summary(compared: list[Compared], file: PolicyFile) -> dict[str, Any]:
    recorded = np.clip(np.array([each.recorded for each in compared]), -1.0, 1.0)
    replayed = np.clip(np.array([each.replayed for each in compared]), -1.0, 1.0)
    difference = np.abs(replayed - recorded).max(axis=1)
    worst = int(difference.argmax())
    return {
        "policy": f"{file.run} version {file.policy_version}",
        "states": len(compared),
        "mean_difference": float(difference.mean()),
        "median_difference": float(np.median(difference)),
        "largest_difference": float(difference[worst]),
        "at": compared[worst].stamp / 1e9,
        "share_beyond_0.1": float((difference > 0.1).mean()),
        "share_of_other_sign": float((np.sign(recorded) != np.sign(replayed)).any(axis=1).mean()),
    }


def _as_text(found: dict[str, Any]) -> str:
    return (
        f"{found['policy']} over {found['states']} recorded states; actions are parts of the command limit\n"
        f"difference  mean {found['mean_difference']:.4f}, median {found['median_difference']:.4f}, "
        f"largest {found['largest_difference']:.4f} at stamp {found['at']:.3f} s\n"
        f"more than 0.1 in {found['share_beyond_0.1']:.1%} of the states, another sign in "
        f"{found['share_of_other_sign']:.1%}"
    )


def _state(message: Any) -> Signals:
    if hasattr(message, "values"):
        values = np.asarray(message.values, np.float32)
        return Observation(stamp=_stamp(message.header.stamp), values=values, frame=message.run_id)
    return JointState(
        stamp=_stamp(message.header.stamp),
        names=tuple(message.name),
        position=np.asarray(message.position, np.float64),
        velocity=np.asarray(message.velocity, np.float64),
        effort=np.asarray(message.effort, np.float64),
        frame=message.header.frame_id,
    )


def _stamp(stamp: Any) -> int:
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)
