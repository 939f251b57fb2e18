"""The values that travel between simulator, policy and learner. Plain data: knows nothing of ROS, torch or pybullet."""

from __future__ import annotations

import enum
import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Specification:
    """What a policy sees and moves. Simulator, learner and policy must agree on it, to the last digit."""

    task: str  # name of the task, e.g. "inverted_pendulum"
    joints: tuple[str, ...]  # (j,) names of the joints that are observed
    actuated_joints: tuple[str, ...]  # (a,) names of the joints that are driven, in the order of the effort command
    observation: tuple[str, ...]  # (o,) terms such as "cos(cart_to_pendulum)"; see observation.py
    effort_limit: tuple[float, ...]  # (a,) [N or N m]; effort = effort_limit * action, action in [-1, 1]
    control_period: float  # [s]

    @property
    def hash(self) -> str:
        """SHA-256 over the canonical JSON of all fields, as 64 hexadecimal digits."""
        canonical = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    @classmethod
    def from_mapping(cls, mapping: dict[str, Any]) -> Specification:
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """The answer of a policy to one joint state."""

    stamp: int  # [ns] stamp of the state that is answered
    policy_version: int  # version of the weights that made it
    action: Float32Array  # (a,) float32, normalised to [-1, 1]
    effort_raw: FloatArray  # (a,) float64 [N or N m], before any limit
    effort: FloatArray  # (a,) float64 [N or N m], after the limits: what is commanded


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """A policy on its way from learner to policy node: the bytes of `policy.safetensors` and what names them."""

    run: str  # name of the run that trained it
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


@dataclass(frozen=True, kw_only=True)
class ActorParameters:
    """The numbers of a squashed Gaussian actor: a ReLU network whose last layer gives mean and log σ side by side."""

    layers: tuple[tuple[Float32Array, Float32Array], ...]  # weight (inputs, outputs) and bias (outputs,) of each layer
    observation_mean: Float32Array  # (o,) float32, subtracted from the observation
    observation_std: Float32Array  # (o,) float32, > 0, divides the difference
    log_std_bounds: tuple[float, float]  # log σ is clamped to these
    # Ticks that an exploration matrix (f, a) is kept; -1: for the life of this policy; 0: there is none. Where there is
    # one, the last weight's columns for log σ hold the log σ_ij of its elements, and their bias means nothing.
    sde_sample_interval: int = 0
    noise_correlation: float = 0.0  # of exploration noise at one tick with that at the next, from 0 to less than 1

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


@dataclass(frozen=True, kw_only=True)
class TrainingStatus:
    """Where a training stands; the fields are those of TrainingStatus.msg."""

    run: str  # name of the run
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
    steps_per_second: float  # transitions, over the last seconds
    updates_per_second: float  # over the last seconds
    replay_ratio: float  # updates per transition after the warm-up, as reached
    target_replay_ratio: float  # as set
    policy_lag: float  # mean versions behind when transitions were taken
    buffer_size: int  # transitions kept for replay
    rejected_transitions: int  # of a wrong size or with a value that is not finite
    missing_transitions: int  # never came
    duplicate_transitions: int  # came again
    rollbacks: int  # times that diverged updates were thrown away
    eta: float  # [s] until max_steps at the present rate; NaN if unknown
