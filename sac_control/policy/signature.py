"""Signatures of policy files: Ed25519 (RFC 8032), to tell who made the weights. Knows nothing of what is in the files.

What is signed is `DOMAIN` and then the SHA-256 of a file's content, which covers all that a policy is and does: its
tensors, run, version, limits, everything in the header. `DOMAIN` keeps signatures that the same key made for other
purposes from counting here, and these from counting elsewhere; verdicts of exams have a domain of their own.

This is the only file that needs the package cryptography, and it imports it only where keys are used.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sac_control.errors import ConfigError, PolicyFileError
from sac_control.policy.pieces import Pieces
from sac_control.policy.policy_config import PolicyConfig

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

DOMAIN = b"sac_control policy file, signature 1\n"
PRIVATE_NAME, PUBLIC_NAME = "policy_signing.key", "policy_signing.pub"
MOST_KEYS = 16  # each costs 0.25 ms where none fits
_LARGEST_FILE = 2**16  # [bytes]
_PUBLIC_KEY = re.compile(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)


class SigningKey:
    """A private key. It stays with whoever trains; a robot has the public one."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def read(cls, path: Path) -> SigningKey:
        """The key in a PEM file (PKCS #8, as `sac_control keys` and openssl write it) that its owner alone can read.

        Raises:
            ConfigError: it cannot be read, can be read by others, or is not an unencrypted Ed25519 key.
        """
        text = _read(path, "signing key", forbidden=0o077, remedy="chmod 600")
        ed25519, serialization, _ = _cryptography()
        try:
            key = serialization.load_pem_private_key(text, None)
        except (ValueError, TypeError, _unsupported()) as error:
            raise ConfigError(f"signing key {path} is not an unencrypted private key in PEM: {error}") from error
        if not isinstance(key, ed25519.Ed25519PrivateKey):
            raise ConfigError(f"signing key {path} is not an Ed25519 key: make one with sac_control keys DIR")
        return cls(key)

    def sign(self, digest: bytes, domain: bytes = DOMAIN) -> bytes:
        """Signature, (64,), of a content whose SHA-256 is `digest`, (32,)."""
        signature: bytes = self._key.sign(domain + digest)
        return signature


class TrustedKeys:
    """Public keys; whoever has the private one to any of them may say what runs."""

    def __init__(self, keys: Sequence[Ed25519PublicKey]) -> None:
        self._keys = tuple(keys)

    @classmethod
    def read(cls, path: Path) -> TrustedKeys:
        """The keys in a file of PEM blocks, one after the other; what stands between them is not read.

        Raises:
            ConfigError: it cannot be read, can be written by others, or holds something else than Ed25519 public keys.
        """
        text = _read(path, "file of trusted keys", forbidden=0o022, remedy="chmod go-w")
        blocks, others = _PUBLIC_KEY.findall(text), text.count(b"-----BEGIN ") - text.count(b"-----BEGIN PUBLIC KEY-")
        if not 0 < len(blocks) <= MOST_KEYS or others:
            raise ConfigError(
                f"{path} has {len(blocks)} public keys in PEM and {others} other blocks: expected 1 to {MOST_KEYS} "
                "public keys and nothing else"
            )
        ed25519, serialization, _ = _cryptography()
        keys = []
        for block in blocks:
            try:
                key = serialization.load_pem_public_key(block)
            except (ValueError, _unsupported()) as error:
                raise ConfigError(f"{path} holds a block that is not a public key: {error}") from error
            if not isinstance(key, ed25519.Ed25519PublicKey):
                raise ConfigError(f"{path} holds a key that is not an Ed25519 key: make one with sac_control keys DIR")
            keys.append(key)
        return cls(keys)

    @classmethod
    def required_by(cls, config: PolicyConfig) -> TrustedKeys | None:
        """The keys one of which must have signed what a policy node runs; None where nothing need be signed.

        Raises:
            ConfigError: only one of require_signature and trusted_keys is set; and see `read`.
        """
        if config.require_signature != bool(config.trusted_keys):
            raise ConfigError(
                f"policy.require_signature is {str(config.require_signature).lower()} and policy.trusted_keys is "
                f"{config.trusted_keys!r}: set both, or neither"
            )
        return cls.read(Path(config.trusted_keys)) if config.require_signature else None

    def check(self, digest: bytes, signature: bytes) -> Pieces[None]:
        """See that one of the keys signed `digest`; one piece per key.

        Raises:
            PolicyFileError: none did.
        """
        if not signature:
            raise PolicyFileError(
                "the policy is not signed, and policy.require_signature is set: "
                "set learner.signing_key, or use sac_control export --sign"
            )
        *_, invalid = _cryptography()
        for key in self._keys:
            try:
                key.verify(signature, DOMAIN + digest)
            except invalid:
                yield
            else:
                return
        raise PolicyFileError(
            f"the policy is not signed by any of the {len(self._keys)} trusted keys: "
            "somebody else made it, or it was changed afterwards"
        )

    def have_signed(self, digest: bytes, signature: bytes, domain: bytes) -> bool:
        """Whether one of the keys signed `digest` for another purpose."""
        *_, invalid = _cryptography()
        for key in self._keys if signature else ():
            with contextlib.suppress(invalid):
                key.verify(signature, domain + digest)
                return True
        return False


def make_key_pair(directory: Path) -> tuple[Path, Path]:
    """Write a new private key, readable by its owner alone, and its public key; the two paths.

    Raises:
        ConfigError: there is a key already, or the directory cannot be written.
    """
    ed25519, serialization, _ = _cryptography()
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    paths = directory / PRIVATE_NAME, directory / PUBLIC_NAME
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(path.exists() for path in paths):
            raise FileExistsError(None, "there is a key already")
        for path, text, mode in zip(paths, (private, public), (0o600, 0o644), strict=True):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(text)
    except OSError as error:
        raise ConfigError(f"cannot write keys to {directory}: {error.strerror}") from error
    return paths


def _read(path: Path, what: str, *, forbidden: int, remedy: str) -> bytes:
    """A small file, unless others have a right to it that is `forbidden`."""
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode & 0o777
            text = stream.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {what} {path}: {error.strerror}") from error
    if mode & forbidden:
        raise ConfigError(f"{what} {path} has mode {mode:04o}, which is too open: {remedy} {path}")
    if len(text) > _LARGEST_FILE:
        raise ConfigError(f"{what} {path} has more than {_LARGEST_FILE} bytes: expected PEM blocks alone")
    return text


def _cryptography() -> tuple[Any, Any, Any]:
    """The modules ed25519 and serialization, and the exception that a wrong signature raises."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        raise ConfigError(
            f"signatures need cryptography, which is not installed: {sys.executable} -m pip install cryptography, or "
            "apt install python3-cryptography"
        ) from error
    return ed25519, serialization, InvalidSignature


def _unsupported() -> type[Exception]:
    from cryptography.exceptions import UnsupportedAlgorithm

    return UnsupportedAlgorithm
