"""Identities: which run a message, a policy file or a node belongs to. Random, so that nobody has to agree on them."""

from __future__ import annotations

import re
import secrets
from typing import Any

from sac_control.option import option

_LENGTH = 32  # of a run id
PATTERN = "[0-9a-f]{32}"  # of a run id
_RUN_ID = re.compile(PATTERN, re.ASCII)


def new_run_id() -> str:
    """128 random bits as 32 hexadecimal digits. Made when a run begins, and kept for all of its life."""
    return secrets.token_hex(16)


def is_run_id(value: object) -> bool:
    """Whether `value` is written like a run id."""
    return isinstance(value, str) and _RUN_ID.fullmatch(value) is not None


def describe_run(run_id: str) -> str:
    """A run id as sentences name it."""
    return f"run {run_id[:8]}" if run_id else "no run"


def frame_id(run_id: str, specification_hash: str) -> str:
    """The frame_id of joint states that a simulator publishes for its own run alone; empty without a run.

    A joint state has no field for who it is for, and no coordinate frame either. A robot's driver leaves its frame_id
    empty or names a frame: a policy node that belongs to a training or an evaluation answers neither.
    """
    return f"{run_id}/{specification_hash}" if run_id else ""


def parts_of_frame(frame: str) -> tuple[str, str]:
    """Run id and hash of the specification that a frame_id is made of; empty where it names no run."""
    run_id, _, specification_hash = frame.partition("/")
    return run_id, specification_hash


def is_of_a_run(frame: str) -> bool:
    """Whether a frame_id says that a joint state is for one run: no policy node of a robot answers that."""
    return len(frame) > _LENGTH and frame[_LENGTH] == "/" and is_run_id(frame[:_LENGTH])


def run_id_option(description: str) -> Any:
    """A setting that is a run id, or nothing."""
    return option("", description, pattern=f"{PATTERN}|", form="32 hexadecimal digits, or nothing")
