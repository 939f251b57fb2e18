"""Policy files of format 1, which are read for good: without run id, region and interfaces, all commands efforts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sac_control.errors import PolicyFileError
from sac_control.types import canonical_hash, specification_hash


def updated(header: Mapping[str, Any]) -> dict[str, Any]:
    """A header of format 1 with the keys of today; what the file does not say is empty.

    Raises:
        PolicyFileError: the specification does not match its hash.
        KeyError, TypeError: something is missing.
    """
    old = dict(header["specification"])
    if canonical_hash(old) != header["specification_hash"]:
        raise PolicyFileError("the specification does not match its hash: the header was edited or damaged")
    old["command_limit"] = old.pop("effort_limit")
    specification = {**old, "interface": ["effort"] * len(old["actuated_joints"]), "input": "joint_states"}
    return {
        **header,
        "specification": specification,
        "specification_hash": specification_hash(specification),
        "run_id": "",
        "region": None,
        "distribution": "squashed_gaussian",
    }
