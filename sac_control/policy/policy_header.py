"""The header of a policy file: JSON in the metadata of a safetensors file, read with distrust. Knows no tensors.

Text costs many times its size once it is parsed, so its length is looked at first. It must be written exactly as this
package writes it: one spelling for one content leaves no room to hide anything in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from sac_control.errors import ConfigError, PolicyFileError, StateError
from sac_control.identity import is_run_id
from sac_control.observation import Observer
from sac_control.policy.pieces import Pieces
from sac_control.types import Specification, is_name

MAX_HEADER_BYTES = 2**16  # ours have 3 kB
LONGEST_RUN_NAME = 128  # [bytes] this and the next are what messages have room for
LARGEST_COUNTER = 2**64 - 1
_HEADER_KEY, _SIGNATURE_KEY, _VERDICT_KEY = "sac_control", "sac_control_signature", "sac_control_exam"
_SIGNATURE = re.compile(r"[0-9a-f]{128}", re.ASCII)


class Metadata(NamedTuple):
    """What a policy file holds beside its tensors."""

    header: Mapping[str, Any]
    signature: bytes = b""  # empty: none
    verdict: str = ""  # of its exam, see exam_verdict.py; empty: none

    def to_text(self) -> dict[str, str]:
        """The metadata of a safetensors file."""
        text = {_HEADER_KEY: json.dumps(self.header)}
        if self.signature:
            text[_SIGNATURE_KEY] = self.signature.hex()
        if self.verdict:
            text[_VERDICT_KEY] = self.verdict
        return text


def read_metadata(data: bytes) -> Pieces[Metadata]:
    """What the content of a policy file holds beside its tensors, in pieces; the verdict is not looked at.

    Read by hand: the numpy interface of safetensors does not return metadata.

    Raises:
        PolicyFileError: the file is cut off, too long in its header, or not a policy.
    """
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size > len(data) - 8:
        raise PolicyFileError(f"not a whole safetensors file ({len(data)} bytes): write or copy it again")
    if size > MAX_HEADER_BYTES:
        raise PolicyFileError(f"the header has {size} bytes, limit {MAX_HEADER_BYTES}")
    try:
        metadata = json.loads(data[8 : 8 + size])["__metadata__"]
        text = metadata.pop(_HEADER_KEY)
        signature, verdict = metadata.pop(_SIGNATURE_KEY, None), metadata.pop(_VERDICT_KEY, None)
        header = json.loads(text)
        yield
        is_as_written = json.dumps(header) == text
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PolicyFileError("a safetensors file or other data, but not a policy of sac_control") from error
    if not isinstance(header, dict):
        raise PolicyFileError("a safetensors file, but its sac_control header is not an object")
    if not is_as_written or metadata or not (signature is None or is_signature(signature)) or verdict == "":
        raise PolicyFileError("the policy file's header is not as this program writes it: it was edited or damaged")
    return Metadata(header, bytes.fromhex(signature or ""), verdict or "")


def checked_specification(header: Mapping[str, Any]) -> Pieces[Specification]:
    """The specification of a header, in pieces.

    Raises:
        PolicyFileError: it does not match its hash, or nothing could run with it.
        KeyError, TypeError: it lacks something or has too much.
    """
    try:
        specification = Specification.from_mapping(header["specification"])
    except ConfigError as error:
        raise PolicyFileError(f"the specification of the policy is wrong: {error}") from error
    if header["specification_hash"] != specification.hash:
        raise PolicyFileError("the specification does not match its hash: the header was edited or damaged")
    for term in specification.observation if specification.has_joints else ():
        yield  # a term of the longest text takes milliseconds
        try:
            Observer((term,), specification.joints, specification.actuated_joints)
        except (ConfigError, StateError) as error:
            raise PolicyFileError(f"the observation of the policy cannot be made: {error}") from error
    return specification


def checked_run(run: object) -> str:
    """`run`, which is the name of a run and can be nothing else: no path, nothing that a terminal would obey.

    Raises:
        PolicyFileError: it could be something else.
    """
    if (
        not isinstance(run, str)
        or not is_name(run)
        or "/" in run
        or run in (".", "..")
        or len(run.encode()) > LONGEST_RUN_NAME
    ):
        raise PolicyFileError(f"run is {run!r:.100}, expected a plain name of at most {LONGEST_RUN_NAME} bytes")
    return str(run)


def checked_run_id(run_id: object) -> str:
    """`run_id`, which names a run among all others; empty in files that do not say it.

    Raises:
        PolicyFileError: it is none.
    """
    if not (run_id == "" or is_run_id(run_id)):
        raise PolicyFileError(f"run_id is {run_id!r:.100}, expected 32 hexadecimal digits")
    return str(run_id)


def checked_counters(header: Mapping[str, Any]) -> tuple[int, int]:
    """Policy version and environment steps.

    Raises:
        PolicyFileError: one of them is no number that a message can hold.
        KeyError: one is missing.
    """
    counters = header["policy_version"], header["env_steps"]
    if not all(type(value) is int and 0 <= value <= LARGEST_COUNTER for value in counters):
        raise PolicyFileError(
            f"policy_version and env_steps are {counters!r:.100}, expected whole numbers from 0 to {LARGEST_COUNTER}"
        )
    return counters


def is_signature(value: object) -> bool:
    """Whether `value` is written like a signature, of 64 bytes."""
    return isinstance(value, str) and _SIGNATURE.fullmatch(value) is not None
