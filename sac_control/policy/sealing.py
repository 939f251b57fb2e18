"""A policy file once more, with the verdict of an exam or with a signature; what it is stays as it is, to the last bit.

Its header is not written anew: on another processor the actions of its probes, and so its SHA-256, could differ.
"""

from __future__ import annotations

from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from sac_control.policy.exam_verdict import Verdict
from sac_control.policy.pieces import completed
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.policy_header import Metadata, read_metadata
from sac_control.policy.signature import SigningKey


def with_verdict(data: bytes, verdict: Verdict, key: SigningKey | None = None) -> bytes:
    """The content of a policy file, `data`, with `verdict` in place of the one it had; signed where there is a key.

    Raises:
        PolicyFileError: it is no policy file, or the verdict is on another policy.
    """
    file, text = PolicyFile.from_bytes(data), verdict.to_text(key)
    Verdict.from_text(text, file.digest)
    return _with_metadata(data, completed(read_metadata(data))._replace(verdict=text))


def signed(data: bytes, key: SigningKey) -> bytes:
    """The content of a policy file, `data`, signed, and the verdict of its exam with it, if it has one.

    Raises:
        PolicyFileError: it is no policy file.
    """
    file, metadata = PolicyFile.from_bytes(data), completed(read_metadata(data))
    verdict = file.verdict.to_text(key) if file.verdict is not None else ""
    return _with_metadata(data, metadata._replace(signature=key.sign(file.digest), verdict=verdict))


def _with_metadata(data: bytes, metadata: Metadata) -> bytes:
    return save_tensors(load_tensors(data), metadata=metadata.to_text())
