"""The values that travel between simulator, policy and learner. Plain data: knows nothing of ROS, torch or pybullet."""

from __future__ import annotations

import enum
import hashlib
import json
import math
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sac_control.errors import ConfigError

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
Array = NDArray[Any]


MOST_TERMS = 256  # of an observation: what messages have room for, as the next two
MOST_JOINTS = 1024  # that are observed
MOST_DRIVEN = 16  # joints that a command is for
MOST_STATE = 64  # numbers that say where a transition began: two for each joint
SHORTEST_PERIOD, LONGEST_PERIOD = 1e-6, 3600.0  # [s] between two states
JOINT_INTERFACES = ("effort", "velocity", "position")  # of a command to a joint
INTERFACES = (*JOINT_INTERFACES, "action")  # of a command, in the order of PolicyAction.msg; action: no joint is moved
_UNITS = dict(zip(INTERFACES, (("N", "N m"), ("m/s", "rad/s"), ("m", "rad"), ("(no unit)",)), strict=True))
INPUTS = ("joint_states", "observation")  # topics that a policy may read: of a robot, of an environment without joints


@dataclass(frozen=True, kw_only=True)
class Specification:
    """What a policy sees and moves. Simulator, learner and policy must agree on it, to the last digit.

    The robot's physical parameters are not in it: a policy may run on a plant that is not the one it was trained on.
    An environment without joints has an input of its own, `observation`, whose numbers and actions bear plain names.

    Raises:
        ConfigError: nothing could run with it. Whole numbers are taken for limits and period, and become floats.
    """

    task: str  # name of the task, e.g. "inverted_pendulum"; not in the hash: several tasks see and move the same
    joints: tuple[str, ...]  # (j,) names of the joints that are observed; (0,) where input is "observation"
    actuated_joints: tuple[str, ...]  # (a,) names of the driven joints, or of actions, in the order of the command
    observation: tuple[str, ...]  # (o,) terms such as "cos(cart_to_pendulum)", see observation.py; or names of numbers
    command_limit: tuple[float, ...]  # (a,) [unit of the interface]; the command is this times an action in [-1, 1]
    control_period: float  # [s]
    interface: tuple[str, ...] = ()  # (a,) of INTERFACES; empty: effort for each
    input: str = "joint_states"  # topic that is read, of INPUTS

    def __post_init__(self) -> None:
        if self.input not in INPUTS:
            raise ConfigError(f"input is {self.input!r:.100}, expected one of {', '.join(INPUTS)}")
        driven = len(self.actuated_joints)
        interfaces = JOINT_INTERFACES if self.has_joints else ("action",)
        object.__setattr__(self, "interface", self.interface or (interfaces[0],) * driven)
        if self.has_joints:
            _check_names("joints", self.joints, MOST_JOINTS)
        elif self.joints != ():
            raise ConfigError(f"joints are {self.joints!r:.100}, expected none where input is 'observation'")
        _check_names("actuated_joints", self.actuated_joints, MOST_DRIVEN)
        _check_names("observation", self.observation, MOST_TERMS)
        if not is_name(self.task):
            raise ConfigError(f"task is {self.task!r:.100}, expected a name")
        limits, period = self.command_limit, self.control_period
        if not isinstance(limits, tuple) or len(limits) != driven or not all(map(_is_positive, (*limits, period))):
            raise ConfigError(
                f"command_limit is {limits!r:.100} and control_period is {period!r:.100}, expected a positive number "
                f"for each of the {driven} actuated joints and for the period"
            )
        if not SHORTEST_PERIOD <= period <= LONGEST_PERIOD:
            raise ConfigError(
                f"control_period is {period!r}, expected from {SHORTEST_PERIOD:g} to {LONGEST_PERIOD:g} [s]"
            )
        object.__setattr__(self, "command_limit", tuple(float(limit) for limit in limits))
        object.__setattr__(self, "control_period", float(period))
        known = isinstance(self.interface, tuple) and len(self.interface) == driven
        if not known or any(each not in interfaces for each in self.interface):
            raise ConfigError(
                f"interface is {self.interface!r:.100}, expected one of {', '.join(interfaces)} for each of the "
                f"{driven} actuated joints"
            )

    @property
    def has_joints(self) -> bool:
        """Whether a robot is observed, by its joints; otherwise an environment whose observation comes as it is."""
        return self.input == "joint_states"

    @cached_property
    def hash(self) -> str:
        """SHA-256 over the canonical JSON of all fields but the name of the task, as 64 hexadecimal digits."""
        return specification_hash(asdict(self))

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Specification:
        """Rebuild a specification from `dataclasses.asdict` gone through JSON (lists become tuples again)."""
        values: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in mapping.items()}
        return cls(**values)


@dataclass(frozen=True, kw_only=True, slots=True)
class JointState:
    """One measurement of all joints. Joints are found by name, never by place."""

    stamp: int  # [ns] time of the measurement; the key that pairs it with its answer
    names: tuple[str, ...]  # (n,) joint names
    position: FloatArray  # (n,) float64 [m or rad]
    velocity: FloatArray  # (n,) float64 [m/s or rad/s]
    effort: FloatArray = field(default_factory=lambda: np.zeros(0))  # (n,) float64 [N or N m]; (0,): not measured
    frame: str = ""  # frame_id: for whom a simulator publishes it, see identity.py


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """What an environment without joints shows: the counterpart of a joint state there."""

    stamp: int  # [ns] time of the observation; the key that pairs it with its answer
    values: Float32Array  # (o,) float32 [environment's units]
    frame: str  # for whom a simulator publishes it, see identity.py


Signals = JointState | Observation  # what a policy is shown


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """The answer of a policy to one joint state, or to one observation."""

    stamp: int  # [ns] stamp of the state that is answered
    policy_version: int  # version of the weights that made it
    action: Float32Array  # (a,) float32, normalised: 1 commands the limit; as chosen: a Gaussian's may lie beyond
    command_raw: FloatArray  # (a,) float64 [unit of the interface], that action before any limit
    command: FloatArray  # (a,) float64 [unit of the interface], after the limits: what is commanded
    region: int = 0  # where the state lies, one of REGION_* in PolicyAction.msg
    is_repeated: bool = False  # the state was answered before: this is that answer once more


LONGEST_VARIATION = 4096  # letters of `Transition.variation`


class Origin(enum.IntEnum):
    """How the action of a transition was chosen; the values are those of Transition.msg."""

    POLICY = 0
    TAKEOVER = 1  # by a person or another controller
    RESET = 2  # by a controller that leads back to a start state


@dataclass(frozen=True, kw_only=True, slots=True)
class Transition:
    """One control step. `terminated` stops the bootstrap, `truncated` only ends the episode."""

    source: int  # random identity of the publishing process's life
    sequence: int  # number of this transition within its source, from 0, one more each time
    episode: int  # number of the episode within its source, from 0
    step: int  # number of the step within its episode, from 0
    stamp: int  # [ns] stamp of the state acted upon
    policy_version: int  # version of the weights that chose the action
    observation: Float32Array  # (o,) float32
    action: Float32Array  # (a,) float32, normalised to [-1, 1], as applied
    reward: float
    next_observation: Float32Array  # (o,) float32
    terminated: bool
    truncated: bool
    # What replay needs not, and what rows read back from a disk lack:
    state: FloatArray = field(default_factory=lambda: np.zeros(0))  # (2j,) float64, position and velocity of each joint
    action_raw: Float32Array = field(default_factory=lambda: np.zeros(0, np.float32))  # (a,) float32, as chosen
    origin: Origin = Origin.POLICY
    duration: float = math.nan  # [s] for which the action was applied
    variation: str = ""  # of an episode's last: how its robot differs from its description


class RowBuffer(Protocol):
    """Transitions kept as rows of numbers, counted from the first ever added, so that a disk can keep them, too."""

    capacity: int  # rows that it keeps
    added: int  # rows ever added
    observation_size: int  # o
    action_size: int  # a

    def __len__(self) -> int: ...
    def rows(self, start: int, stop: int) -> Float32Array: ...  # (n, row) float32
    def restore(self, rows: Float32Array, added: int) -> None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """A policy on its way from learner to policy node: the bytes of `policy.safetensors` and what names them."""

    run_id: str  # id of the run that trained it
    run: str  # name of that run, for people
    version: int  # only grows within a run
    env_steps: int  # transitions the learner had seen when it was made
    sha256: bytes  # (32,) of data
    data: bytes  # content of policy.safetensors


@dataclass(frozen=True, kw_only=True, slots=True)
class SwapReport:
    """What became of the weights last offered to a policy node."""

    offered_version: int
    accepted: bool
    verdict: str  # one sentence
    gap: float  # [s] time the control thread was held up by the swap itself


# Of actions: u ~ N(μ, σ²) squashed, a = tanh(u), or as it is, which is clipped to [-1, 1] only when it is commanded.
DISTRIBUTIONS = ("squashed_gaussian", "gaussian")


@dataclass(frozen=True, kw_only=True)
class ActorParameters:
    """The numbers of a Gaussian actor: a ReLU network whose last layer gives mean and log σ side by side.

    Where σ is the same everywhere, the last weight's columns for log σ are 0 and their bias is log σ.
    """

    layers: tuple[tuple[Float32Array, Float32Array], ...]  # weight (inputs, outputs) and bias (outputs,) of each layer
    observation_mean: Float32Array  # (o,) float32, subtracted from the observation
    observation_std: Float32Array  # (o,) float32, > 0, divides the difference
    log_std_bounds: tuple[float, float]  # log σ is clamped to these
    # Ticks that an exploration matrix (f, a) is kept; -1: for the life of this policy; 0: there is none. Where there is
    # one, the last weight's columns for log σ hold the log σ_ij of its elements, and their bias means nothing.
    sde_sample_interval: int = 0
    noise_correlation: float = 0.0  # of exploration noise at one tick with that at the next, from 0 to less than 1
    distribution: str = "squashed_gaussian"  # one of DISTRIBUTIONS

    @property
    def hidden_sizes(self) -> tuple[int, ...]:
        """Units of each hidden layer."""
        return tuple(int(bias.shape[0]) for _, bias in self.layers[:-1])


class Phase(enum.IntEnum):
    """How far a training is; the values are those of TrainingStatus.msg."""

    WAITING = 0  # no transition yet
    WARMUP = 1  # transitions come, no update yet
    TRAINING = 2
    SOLVED = 3  # every evaluation episode reached the task's solved return, and that ended the training
    FINISHED = 4  # max_steps are reached
    HARDENING = 5  # solved, and going on with robots that differ from their description
    HARDENED = 6  # every plant of the exam that is tried in training was passed, and that ended the training


@dataclass(frozen=True, kw_only=True)
class TrainingStatus:
    """Where a training stands; the fields are those of TrainingStatus.msg."""

    run_id: str  # id of the run
    run: str  # name of the run, for people
    algorithm: str  # its name
    phase: Phase
    env_steps: int  # transitions accepted
    max_steps: int  # transitions after which training ends
    episodes: int  # episodes seen whole
    updates: int  # made
    policy_version: int  # last published
    wall_time: float  # [s] since training began, over all lives of the process
    last_return: float  # of the newest episode
    mean_return: float  # of the newest hundred episodes
    evaluation_return: float  # mean of the last deterministic evaluation; NaN before the first
    critic_loss: float  # of the newest update; NaN before the first, as the next three
    actor_loss: float
    alpha: float  # temperature
    entropy: float  # [nat] of the policy
    metric_names: tuple[str, ...]  # (m,) whatever the algorithm tells of its newest update, by name
    metrics: tuple[float, ...]  # (m,) their values
    steps_per_second: float  # transitions, over the last seconds
    updates_per_second: float  # over the last seconds
    replay_ratio: float  # updates per transition after the warm-up, as reached
    target_replay_ratio: float  # as set
    policy_lag: float  # mean versions behind when transitions were taken
    buffer_size: int  # transitions kept for replay
    rejected_transitions: int  # of a wrong size or with a value that is not finite
    missing_transitions: int  # never came
    duplicate_transitions: int  # came again
    stale_transitions: int  # of weights that were not in force any more: an on-policy algorithm leaves them out
    foreign_transitions: int  # left out because they are of another run or task
    rollbacks: int  # times that diverged updates were thrown away
    restorations: int  # times that a lost solution was taken back from the best checkpoint
    plants_passed: int  # by the best policy so far, of those of the exam that are tried in training
    plants: int  # there are to be passed; 0 where the task has no exam
    eta: float  # [s] until max_steps at the present rate; NaN if unknown


def unit_of(interface: str, position_unit: str | None = None) -> str:
    """Unit of a command through `interface`, of INTERFACES.

    Args:
        interface: through which the joint is driven.
        position_unit: of the joint, m or rad; None: whether it slides or turns is not known, and both units are told.
    """
    sliding, *turning = _UNITS[interface]
    units = {"m": [sliding], "rad": turning or [sliding], None: _UNITS[interface]}
    return " or ".join(units[position_unit])


def canonical_hash(values: Mapping[str, Any]) -> str:
    """SHA-256 over the canonical JSON of `values`, as 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def specification_hash(mapping: Mapping[str, Any]) -> str:
    """The hash of a specification given as plain values."""
    return canonical_hash({key: value for key, value in mapping.items() if key != "task"})


def is_name(value: object) -> bool:
    """Whether `value` is text that may stand for something: not empty, and nothing that a terminal would obey."""
    return isinstance(value, str) and value != "" and value.isprintable()


def _check_names(what: str, names: object, most: int) -> None:
    if not isinstance(names, tuple) or not 0 < len(names) <= most or not all(map(is_name, names)):
        raise ConfigError(f"{what} is {names!r:.100}, expected from 1 to {most} names")


def _is_positive(value: object) -> bool:
    return type(value) in (int, float) and 0.0 < value <= sys.float_info.max  # type: ignore[operator]
