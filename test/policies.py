"""Small policies for tests."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np

from sac_control.envs.tasks import make_task
from sac_control.policy.policy_file import PolicyFile
from sac_control.types import ActorParameters, Float32Array, Specification, Weights

SPECIFICATION: Specification = make_task("inverted_pendulum").specification


def make_file(
    seed: int = 0, *, version: int = 1, run: str = "test", specification: Specification = SPECIFICATION, hidden: int = 8
) -> PolicyFile:
    """A policy with random weights, two layers of `hidden`."""
    rng = np.random.default_rng(seed)
    sizes = [len(specification.observation), hidden, hidden, 2 * len(specification.actuated_joints)]

    def array(*shape: int) -> Float32Array:
        return rng.standard_normal(shape).astype(np.float32)

    actor = ActorParameters(
        layers=tuple((array(a, b), array(b)) for a, b in itertools.pairwise(sizes)),
        observation_mean=array(sizes[0]),
        observation_std=np.abs(array(sizes[0])) + np.float32(0.5),
        log_std_bounds=(-20.0, 2.0),
    )
    return PolicyFile(specification=specification, actor=actor, run=run, policy_version=version, env_steps=10 * version)


def make_weights(file: PolicyFile) -> Weights:
    """A policy on its way."""
    data = file.to_bytes()
    return Weights(
        run=file.run,
        version=file.policy_version,
        env_steps=file.env_steps,
        sha256=hashlib.sha256(data).digest(),
        data=data,
    )
