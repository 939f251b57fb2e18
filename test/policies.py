"""Small policies for tests."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np

from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.region import JointRegion, Region
from sac_control.tasks.catalogue import make_task
from sac_control.types import ActorParameters, Float32Array, Specification, Weights

RUN_ID = "0123456789abcdef" * 2  # of the policies below
OTHER_RUN_ID = "fedcba9876543210" * 2
SPECIFICATION: Specification = make_task("inverted_pendulum").specification
REGION = Region(
    joints={name: JointRegion(position=(-50.0, 50.0), velocity=(-50.0, 50.0)) for name in SPECIFICATION.joints},
    states=1000,
)


def make_file(
    seed: int = 0,
    *,
    version: int = 1,
    run: str = "test",
    run_id: str = RUN_ID,
    specification: Specification = SPECIFICATION,
    hidden: int = 8,
    region: Region | None = REGION,
    distribution: str = "squashed_gaussian",
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
        distribution=distribution,
    )
    return PolicyFile(
        specification=specification,
        actor=actor,
        run=run,
        run_id=run_id,
        policy_version=version,
        env_steps=10 * version,
        region=region if specification.joints == SPECIFICATION.joints else None,
    )


def make_weights(file: PolicyFile) -> Weights:
    """A policy on its way."""
    data = file.to_bytes()
    return Weights(
        run_id=file.run_id,
        run=file.run,
        version=file.policy_version,
        env_steps=file.env_steps,
        sha256=hashlib.sha256(data).digest(),
        data=data,
    )
