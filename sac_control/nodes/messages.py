"""Value to message and back, a two-way table. The only file that knows the fields of messages.

Where messages go out at the rate of control, one message is made once and filled again for each publication, which has
copied it when it returns: `msg` is that message; without it a new one is made.
Arrays go into messages as `array.array`: it is the one type that the generated setters copy at once.
"""

from __future__ import annotations

import array
import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import builtin_interfaces.msg
import diagnostic_msgs.msg
import numpy as np
import rosgraph_msgs.msg
import sensor_msgs.msg
import std_msgs.msg

import sac_control.msg
from sac_control.errors import TransitionError
from sac_control.identity import frame_id, parts_of_frame
from sac_control.types import (
    INTERFACES,
    LONGEST_VARIATION,
    Action,
    Float32Array,
    FloatArray,
    JointState,
    Observation,
    Origin,
    Signals,
    Specification,
    TrainingStatus,
    Transition,
    Weights,
)


def stamp_to_msg(stamp: int, msg: builtin_interfaces.msg.Time | None = None) -> builtin_interfaces.msg.Time:
    """[ns] to seconds and nanoseconds."""
    msg = msg or builtin_interfaces.msg.Time()
    msg.sec, msg.nanosec = divmod(stamp, 1_000_000_000)
    return msg


def stamp_from_msg(msg: builtin_interfaces.msg.Time) -> int:
    """Seconds and nanoseconds to [ns]."""
    return int(msg.sec) * 1_000_000_000 + int(msg.nanosec)


def state_to_msg(state: JointState, msg: sensor_msgs.msg.JointState | None = None) -> sensor_msgs.msg.JointState:
    """A joint state; without efforts where none were measured."""
    msg = msg or sensor_msgs.msg.JointState()
    stamp_to_msg(state.stamp, msg.header.stamp)
    msg.header.frame_id = state.frame
    msg.name = list(state.names)
    msg.position = _doubles(state.position)
    msg.velocity = _doubles(state.velocity)
    msg.effort = _doubles(state.effort)
    return msg


def state_from_msg(msg: sensor_msgs.msg.JointState) -> JointState:
    """The arrays of the result share memory with the message."""
    return JointState(
        stamp=stamp_from_msg(msg.header.stamp),
        names=tuple(msg.name),
        position=np.asarray(msg.position),
        velocity=np.asarray(msg.velocity),
        effort=np.asarray(msg.effort),
        frame=msg.header.frame_id,
    )


def observation_to_msg(
    observation: Observation, msg: sac_control.msg.Observation | None = None
) -> sac_control.msg.Observation:
    """What an environment without joints shows; for whom, its frame says."""
    msg = msg or sac_control.msg.Observation()
    stamp_to_msg(observation.stamp, msg.header.stamp)
    msg.run_id, msg.specification_hash = parts_of_frame(observation.frame)
    msg.values = _floats(observation.values)
    return msg


def observation_from_msg(msg: sac_control.msg.Observation) -> Observation:
    """The array of the result shares memory with the message."""
    return Observation(
        stamp=stamp_from_msg(msg.header.stamp),
        values=np.asarray(msg.values),
        frame=frame_id(msg.run_id, msg.specification_hash),
    )


def signals_to_msg(signals: Signals, msg: Any) -> Any:
    """What a policy is shown, as the message that its kind travels in."""
    return state_to_msg(signals, msg) if isinstance(signals, JointState) else observation_to_msg(signals, msg)


def command_to_msg(
    command: FloatArray, msg: std_msgs.msg.Float64MultiArray | None = None
) -> std_msgs.msg.Float64MultiArray:
    """What `forward_command_controller` takes: commands [unit of its interface] in the order of its joints."""
    msg = msg or std_msgs.msg.Float64MultiArray()
    msg.data = _doubles(command)
    return msg


def command_from_msg(msg: std_msgs.msg.Float64MultiArray) -> FloatArray:
    """(a,) float64; shares memory with the message."""
    return np.asarray(msg.data)


def action_to_msg(
    action: Action, mode: int, msg: sac_control.msg.PolicyAction | None = None
) -> sac_control.msg.PolicyAction:
    """An answer, with the `Mode` in which it was given; by which policy and in which run, the message says already."""
    msg = msg or sac_control.msg.PolicyAction()
    stamp_to_msg(action.stamp, msg.header.stamp)
    msg.policy_version = action.policy_version
    msg.action = _floats(action.action)
    msg.command_raw = _doubles(action.command_raw)
    msg.command = _doubles(action.command)
    msg.mode, msg.region = mode, action.region
    return msg


def mark_action_msg(msg: sac_control.msg.PolicyAction, specification: Specification) -> None:
    """Write into an action message what stays the same for all answers of one specification."""
    msg.specification_hash = specification.hash
    msg.interface = interface_codes(specification)


def interface_codes(specification: Specification) -> array.array[int]:
    """What each command is, (a,), by the constants of PolicyAction.msg."""
    return array.array("B", map(INTERFACES.index, specification.interface))


def action_from_msg(msg: sac_control.msg.PolicyAction) -> Action:
    """The arrays of the result share memory with the message."""
    return Action(
        stamp=stamp_from_msg(msg.header.stamp),
        policy_version=msg.policy_version,
        action=np.asarray(msg.action),
        command_raw=np.asarray(msg.command_raw),
        command=np.asarray(msg.command),
        region=msg.region,
    )


def transition_to_msg(
    transition: Transition, msg: sac_control.msg.Transition | None = None
) -> sac_control.msg.Transition:
    """One control step; whose it is, the message says already."""
    msg = msg or sac_control.msg.Transition()
    stamp_to_msg(transition.stamp, msg.header.stamp)
    msg.source = transition.source
    msg.sequence = transition.sequence
    msg.episode = transition.episode
    msg.step = transition.step
    msg.policy_version = transition.policy_version
    msg.origin = transition.origin
    msg.duration = transition.duration
    msg.state = _doubles(transition.state)
    msg.observation = _floats(transition.observation)
    msg.action = _floats(transition.action)
    msg.action_raw = _floats(transition.action_raw)
    msg.reward = transition.reward
    msg.next_observation = _floats(transition.next_observation)
    msg.terminated = transition.terminated
    msg.truncated = transition.truncated
    msg.variation = transition.variation
    return msg


def transition_from_msg(msg: sac_control.msg.Transition) -> Transition:
    """The arrays of the result share memory with the message.

    Raises:
        TransitionError: its origin is none that is known, or its text too long.
    """
    if len(msg.variation) > LONGEST_VARIATION:
        raise TransitionError(f"variation has {len(msg.variation)} letters: expected at most {LONGEST_VARIATION}")
    if msg.origin > max(Origin):
        raise TransitionError(f"origin is {msg.origin}: expected one of {', '.join(map(str, map(int, Origin)))}")
    return Transition(
        source=msg.source,
        sequence=msg.sequence,
        episode=msg.episode,
        step=msg.step,
        stamp=stamp_from_msg(msg.header.stamp),
        policy_version=msg.policy_version,
        observation=np.asarray(msg.observation),
        action=np.asarray(msg.action),
        reward=msg.reward,
        next_observation=np.asarray(msg.next_observation),
        terminated=msg.terminated,
        truncated=msg.truncated,
        state=np.asarray(msg.state),
        action_raw=np.asarray(msg.action_raw),
        origin=Origin(msg.origin),
        duration=msg.duration,
        variation=msg.variation,
    )


def weights_to_msg(weights: Weights, stamp: int) -> sac_control.msg.PolicyWeights:
    """A policy file on its way, published at `stamp` [ns] of system time."""
    msg = sac_control.msg.PolicyWeights()
    msg.header.stamp = stamp_to_msg(stamp)
    msg.run_id, msg.run = weights.run_id, weights.run
    msg.version = weights.version
    msg.env_steps = weights.env_steps
    msg.sha256 = np.frombuffer(weights.sha256, np.uint8)
    msg.data = array.array("B", weights.data)
    return msg


def weights_from_msg(msg: sac_control.msg.PolicyWeights) -> Weights:
    """A policy file that arrived, unchecked."""
    return Weights(
        run_id=msg.run_id,
        run=msg.run,
        version=msg.version,
        env_steps=msg.env_steps,
        sha256=bytes(bytearray(msg.sha256)),
        data=msg.data.tobytes(),
    )


def credit_to_msg(
    until: Mapping[int, int], run_id: str, started: int, stamp: int, *, varied: bool = False
) -> sac_control.msg.Credit:
    """How far each source may go.

    Args:
        until: first sequence number that is not welcome, by source.
        run_id: run that it is for.
        started: [ns] system time at which the publishing process began.
        stamp: [ns] system time of publication.
        varied: whether robots are to differ from their description from their next episode on.
    """
    msg = sac_control.msg.Credit(varied=varied)
    msg.header.stamp, msg.started = stamp_to_msg(stamp), stamp_to_msg(started)
    msg.run_id = run_id
    msg.source, msg.until = array.array("Q", until.keys()), array.array("Q", until.values())
    return msg


def credit_from_msg(msg: sac_control.msg.Credit) -> dict[int, int]:
    """The first sequence number that is not welcome, by source."""
    return dict(zip(msg.source.tolist(), msg.until.tolist(), strict=False))


def training_status_to_msg(status: TrainingStatus, stamp: int) -> sac_control.msg.TrainingStatus:
    """Where a training stands, as of `stamp` [ns]; the message has the fields of the value."""
    msg = sac_control.msg.TrainingStatus()
    msg.header.stamp = stamp_to_msg(stamp)
    for field in dataclasses.fields(status):
        setattr(msg, field.name, getattr(status, field.name))
    return msg


def clock_to_msg(stamp: int, msg: rosgraph_msgs.msg.Clock | None = None) -> rosgraph_msgs.msg.Clock:
    """Simulated time [ns]."""
    msg = msg or rosgraph_msgs.msg.Clock()
    stamp_to_msg(stamp, msg.clock)
    return msg


def diagnostics_to_msg(
    name: str, level: int, message: str, values: Mapping[str, object], stamp: int
) -> diagnostic_msgs.msg.DiagnosticArray:
    """One status of one node; `level` is 0 OK, 1 WARN, 2 ERROR, `stamp` [ns] the time it is published."""
    status = diagnostic_msgs.msg.DiagnosticStatus(
        level=bytes([level]),
        name=name,
        hardware_id="sac_control",
        message=message,
        values=[diagnostic_msgs.msg.KeyValue(key=key, value=_text(value)) for key, value in values.items()],
    )
    msg = diagnostic_msgs.msg.DiagnosticArray(status=[status])
    msg.header.stamp = stamp_to_msg(stamp)
    return msg


def _text(value: object) -> str:
    if isinstance(value, float):
        return "nan" if math.isnan(value) else f"{value:.6g}"
    return str(value)


def _doubles(values: FloatArray) -> array.array[float]:
    return array.array("d", values.tolist())  # for the few numbers of a state this is the fastest way


def _floats(values: Float32Array) -> array.array[float]:
    return array.array("f", values.tolist())
