"""`policy.safetensors`: one format for a policy on disk and on the wire. Data only: nothing in it is ever executed.

The file holds the actor's tensors and, as safetensors metadata under the key ``sac_control``, a JSON header with
everything that is needed to run it. Reading checks all of it, including a digest of the content and that the network
still produces the actions recorded for a few probe observations, so a file that reads without an error is a policy that
behaves as it did when it was written. By whom it was written is told by its signature, if it has one: signature.py.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from sac_control.errors import PolicyFileError
from sac_control.policy import format_1
from sac_control.policy.exam_verdict import Verdict
from sac_control.policy.pieces import Pieces, completed, hash_in_pieces
from sac_control.policy.policy import Policy
from sac_control.policy.policy_header import (
    Metadata,
    checked_counters,
    checked_run,
    checked_run_id,
    checked_specification,
    read_metadata,
)
from sac_control.policy.region import Region
from sac_control.policy.signature import SigningKey
from sac_control.types import DISTRIBUTIONS, ActorParameters, Float32Array, Specification

FORMAT_VERSION = 2
ACTIVATION = "relu"
MAX_BYTES = 2**26  # a policy of 64 MiB has 16 million parameters
PROBE_COUNT = 4
PROBE_TOLERANCE = 1e-4  # between processors float32 products differ by about 1e-6; of an action beyond 1, its share


@dataclass(frozen=True, kw_only=True)
class PolicyFile:
    """A policy with all that names it."""

    specification: Specification  # what it sees and moves
    actor: ActorParameters  # its numbers
    run: str  # name of the run that trained it, for people
    policy_version: int  # only grows within a run
    env_steps: int  # transitions seen when it was made
    run_id: str = ""  # id of the run that trained it; empty in a file of format 1
    region: Region | None = None  # of joint states seen in training; None where it is not known
    digest: bytes = field(default=b"", compare=False)  # (32,) SHA-256 of the content, where it was read
    signature: bytes = field(default=b"", compare=False)  # (64,) of the digest, where it was read and had one
    verdict: Verdict | None = field(default=None, compare=False)  # of its exam, where it was read and had one

    @cached_property
    def specification_hash(self) -> str:
        """Hash of the specification, computed once."""
        return self.specification.hash

    def to_bytes(self, key: SigningKey | None = None) -> bytes:
        """The content of ``policy.safetensors``, as of a new policy: signed where there is a key, never examined.

        Raises:
            PolicyFileError: a parameter is not finite, or the run's name or id is not one.
        """
        checked_run(self.run)
        checked_run_id(self.run_id)
        probes = _probe_observations(self.actor)
        policy = Policy(self.actor)
        header = {
            "format_version": FORMAT_VERSION,
            "specification": asdict(self.specification),
            "specification_hash": self.specification_hash,
            "run_id": self.run_id,
            "run": self.run,
            "policy_version": self.policy_version,
            "env_steps": self.env_steps,
            "hidden_sizes": self.actor.hidden_sizes,
            "activation": ACTIVATION,
            "distribution": self.actor.distribution,
            "region": self.region.to_mapping() if self.region is not None else None,
            "observation_mean": self.actor.observation_mean.tolist(),
            "observation_std": self.actor.observation_std.tolist(),
            "log_std_bounds": self.actor.log_std_bounds,
            "sde_sample_interval": self.actor.sde_sample_interval,
            "noise_correlation": self.actor.noise_correlation,
            "probe_observations": probes.tolist(),
            "probe_actions": [policy.act(probe).tolist() for probe in probes],
        }
        tensors = {}
        for k, (weight, bias) in enumerate(self.actor.layers):
            tensors[f"actor.{k}.weight"] = np.ascontiguousarray(weight)  # save() takes the memory as it lies
            tensors[f"actor.{k}.bias"] = np.ascontiguousarray(bias)
        statistics = {"observation_mean": self.actor.observation_mean, "observation_std": self.actor.observation_std}
        _check_finite({**tensors, **statistics})
        digest = content_digest(header, tensors)
        header["sha256"] = digest
        metadata = Metadata(header, key.sign(bytes.fromhex(digest)) if key else b"")
        return save_tensors(tensors, metadata=metadata.to_text())

    @classmethod
    def from_bytes(cls, data: bytes) -> PolicyFile:
        """Read and check the content of a policy file.

        Raises:
            PolicyFileError: too large, truncated, not a policy, of another format version, inconsistent in itself,
                not finite, or not producing its recorded probe actions.
        """
        return completed(cls.in_pieces(data))

    @classmethod
    def in_pieces(cls, data: bytes) -> Pieces[PolicyFile]:
        """`from_bytes` in pieces, each well under a millisecond for a network with 100,000 parameters."""
        if len(data) > MAX_BYTES:
            raise PolicyFileError(f"policy file has {len(data)} bytes, limit {MAX_BYTES}")
        metadata = yield from read_metadata(data)
        header = dict(metadata.header)
        yield
        try:
            tensors = load_tensors(data)
        except (SafetensorError, ValueError, KeyError, TypeError) as error:
            raise PolicyFileError(f"not a whole safetensors file ({error}): write or copy it again") from error
        yield
        try:
            file = yield from cls._from_parts(header, tensors, metadata)
            yield
            if (yield from _digest_in_pieces(header, tensors)) != header["sha256"]:
                raise PolicyFileError("the policy file does not match its own sha256: it was edited or damaged")
            probes = np.asarray(header["probe_observations"], np.float32)
            expected = np.asarray(header["probe_actions"], np.float32)
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
            raise PolicyFileError(f"the policy file's header is incomplete or malformed: {error!r:.200}") from error
        yield from _check_probes(file.actor, probes, expected)
        return file

    @classmethod
    def read(cls, path: Path) -> PolicyFile:
        """Read and check the policy file at `path`; see `from_bytes` for what is raised."""
        try:
            with path.open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
        except OSError as error:
            raise PolicyFileError(f"cannot read policy file {path}: {error.strerror}") from error
        try:
            return cls.from_bytes(data)
        except PolicyFileError as error:
            raise PolicyFileError(f"{path}: {error}") from error

    @classmethod
    def _from_parts(cls, header: dict[str, Any], tensors: dict[str, Any], metadata: Metadata) -> Pieces[PolicyFile]:
        version = header["format_version"]
        if type(version) is not int or not 1 <= version <= FORMAT_VERSION:
            raise PolicyFileError(
                f"policy file has format version {version!r}, this program reads 1 to {FORMAT_VERSION}"
            )
        if version == 1:
            header = format_1.updated(header)
        if header["activation"] != ACTIVATION:
            raise PolicyFileError(f"activation is {header['activation']!r}, expected {ACTIVATION!r}")
        if header["distribution"] not in DISTRIBUTIONS:
            raise PolicyFileError(
                f"distribution is {header['distribution']!r:.100}, expected one of {', '.join(DISTRIBUTIONS)}"
            )
        specification = yield from checked_specification(header)
        yield
        observation_size, action_size = len(specification.observation), len(specification.actuated_joints)
        sizes = [observation_size, *header["hidden_sizes"], 2 * action_size]
        if not all(isinstance(size, int) and 0 < size <= 2**16 for size in sizes):
            raise PolicyFileError(f"layer sizes {sizes} are not positive whole numbers of reasonable size")
        _check_tensors(tensors, sizes)
        yield
        layers = range(len(sizes) - 1)
        low, high = (float(bound) for bound in header["log_std_bounds"])
        if not -math.inf < low <= high < math.inf:
            raise PolicyFileError(f"log_std_bounds are {low} and {high}, expected two finite numbers in rising order")
        interval = header["sde_sample_interval"]
        if not isinstance(interval, int) or isinstance(interval, bool) or interval < -1:
            raise PolicyFileError(f"sde_sample_interval is {interval!r}, expected a whole number from -1")
        correlation = float(header["noise_correlation"])
        if not 0.0 <= correlation < 1.0:
            raise PolicyFileError(f"noise_correlation is {correlation!r}, expected a number from 0 to less than 1")
        actor = ActorParameters(
            layers=tuple((tensors[f"actor.{k}.weight"], tensors[f"actor.{k}.bias"]) for k in layers),
            observation_mean=_vector(header, "observation_mean", observation_size),
            observation_std=_vector(header, "observation_std", observation_size),
            log_std_bounds=(low, high),
            sde_sample_interval=interval,
            noise_correlation=correlation,
            distribution=header["distribution"],
        )
        if not np.all(actor.observation_std > 0):
            raise PolicyFileError(f"observation_std is {actor.observation_std.tolist()}, every value must be above 0")
        policy_version, env_steps = checked_counters(header)
        return cls(
            specification=specification,
            actor=actor,
            run=checked_run(header["run"]),
            policy_version=policy_version,
            env_steps=env_steps,
            run_id=checked_run_id(header["run_id"]),
            region=Region.from_mapping(header["region"], specification.joints),
            digest=(digest := bytes.fromhex(header["sha256"])),
            signature=metadata.signature,
            verdict=Verdict.from_text(metadata.verdict, digest) if metadata.verdict else None,
        )


def content_digest(header: dict[str, Any], tensors: dict[str, Any]) -> str:
    """SHA-256 over all of a policy file but the digest itself, as 64 hexadecimal digits.

    Probes see the mean action at a few points; this sees every bit: deviations, units that no probe wakes, statistics.
    """
    return completed(_digest_in_pieces(header, tensors))


def _digest_in_pieces(header: dict[str, Any], tensors: dict[str, Any]) -> Pieces[str]:
    rest = {key: value for key, value in header.items() if key != "sha256"}
    digest = hashlib.sha256(json.dumps(rest, sort_keys=True).encode())
    yield
    for name in sorted(tensors):
        digest.update(f"{name}{tensors[name].shape}".encode())
        yield from hash_in_pieces(digest, np.ascontiguousarray(tensors[name], "<f4").reshape(-1).data)
    return digest.hexdigest()


def _check_tensors(tensors: dict[str, Any], sizes: list[int]) -> None:
    expected: dict[str, tuple[int, ...]] = {}
    for k, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
        expected[f"actor.{k}.weight"], expected[f"actor.{k}.bias"] = (inputs, outputs), (outputs,)
    if tensors.keys() != expected.keys():
        raise PolicyFileError(f"tensors are {sorted(tensors)}, expected {sorted(expected)}")
    for name, shape in expected.items():
        if tensors[name].shape != shape or tensors[name].dtype != np.float32:
            raise PolicyFileError(
                f"{name} is {tensors[name].shape} {tensors[name].dtype}, this policy expects {shape} float32: "
                "it was trained for another task or with other layer sizes"
            )
    _check_finite(tensors)


def _check_finite(tensors: dict[str, Any]) -> None:
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise PolicyFileError(f"{name} holds a value that is not finite: training diverged or the file is damaged")


def _vector(header: dict[str, Any], key: str, size: int) -> Float32Array:
    vector = np.asarray(header[key], np.float32)
    if vector.shape != (size,) or not np.isfinite(vector).all():
        raise PolicyFileError(f"{key} is {header[key]!r}, expected {size} finite numbers")
    return vector


def _probe_observations(actor: ActorParameters) -> Float32Array:
    """(p, o) float32: points within two deviations of the mean, the same for the same statistics."""
    unit = np.random.default_rng(0).uniform(-2.0, 2.0, (PROBE_COUNT, len(actor.observation_mean)))
    return np.asarray(actor.observation_mean + unit * actor.observation_std, np.float32)


def _check_probes(actor: ActorParameters, probes: Float32Array, expected: Float32Array) -> Pieces[None]:
    policy = Policy(actor)
    if probes.shape != (PROBE_COUNT, policy.observation_size) or expected.shape != (PROBE_COUNT, policy.action_size):
        raise PolicyFileError(f"probes have shapes {probes.shape} and {expected.shape}, which do not fit the network")
    if not np.isfinite(expected).all():
        raise PolicyFileError("the actions recorded for its probes are not finite: take another checkpoint of the run")
    yield
    for probe, action in zip(probes, expected, strict=True):
        tolerance = PROBE_TOLERANCE * np.maximum(np.abs(action), 1.0)
        if not (np.abs(policy.act(probe) - action) <= tolerance).all():  # NaN is refused, too
            raise PolicyFileError(
                "the policy does not produce the actions recorded for its probes: the file is damaged"
            )
    yield
