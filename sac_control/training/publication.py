"""The weights that a training publishes: its actor as a policy file. Says nothing of when."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.region import JointRegion, Region
from sac_control.policy.signature import SigningKey
from sac_control.training.seen_states import SeenStates
from sac_control.training.training import Training
from sac_control.types import Specification, Weights


class Publication:
    """Makes weights of a training.

    Args:
        run: its name.
        specification: of its task.
        signing_key: file of the key with which policy files are signed; empty signs none.
        continuous_joints: names of joints that turn for ever.

    Raises:
        ConfigError: the signing key cannot be used.
    """

    def __init__(
        self, run: str, specification: Specification, signing_key: str, continuous_joints: tuple[str, ...] = ()
    ) -> None:
        self._run, self._specification, self._continuous_joints = run, specification, continuous_joints
        self._signing_key = SigningKey.read(Path(signing_key)) if signing_key else None

    def weights(self, training: Training, run_id: str) -> Weights:
        """The actor as it is now, under the next version number of the run with id `run_id`."""
        file = PolicyFile(
            specification=self._specification,
            actor=training.publish(),
            run_id=run_id,
            run=self._run,
            policy_version=training.policy_version,
            env_steps=training.transitions,
            region=self._region(training.seen_states),
        )
        data = file.to_bytes(self._signing_key)
        return Weights(
            run_id=file.run_id,
            run=file.run,
            version=file.policy_version,
            env_steps=file.env_steps,
            sha256=hashlib.sha256(data).digest(),
            data=data,
        )

    def _region(self, seen: SeenStates) -> Region | None:
        """The region of states that training has seen; None while they are too few to tell."""
        if seen.bounds is None:
            return None
        joints = {
            name: JointRegion(
                position=(low, high), velocity=(slowest, fastest), is_continuous=name in self._continuous_joints
            )
            for name, (low, high, slowest, fastest) in zip(
                self._specification.joints, seen.bounds.tolist(), strict=True
            )
        }
        return Region(joints=joints, states=seen.counted)
