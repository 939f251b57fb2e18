"""The weights that a training publishes: its actor as a policy file. Says nothing of when."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.signature import SigningKey
from sac_control.sac.training import Training
from sac_control.types import Specification, Weights


class Publication:
    """Makes weights of a training.

    Args:
        run: its name.
        specification: of its task.
        signing_key: file of the key with which policy files are signed; empty signs none.

    Raises:
        ConfigError: the signing key cannot be used.
    """

    def __init__(self, run: str, specification: Specification, signing_key: str) -> None:
        self._run, self._specification = run, specification
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
