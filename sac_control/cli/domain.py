"""A ROS domain of its own for every command, so that two of them on one machine do not hear each other."""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from pathlib import Path
from typing import IO

from sac_control.errors import SacControlError

DOMAINS = range(1, 101)  # 0 is where everybody else is; above 101 ports collide with those the system hands out
PARTICIPANTS = 10  # of a domain that are looked for


class DomainLease:
    """A ROS_DOMAIN_ID that no other command on this machine uses while this object lives."""

    def __init__(self) -> None:
        for domain in DOMAINS:
            lock = _lock(domain)
            if lock is not None and _is_silent(domain):
                self.domain, self._lock = domain, lock
                return
        raise SacControlError(
            f"all ROS domains from {DOMAINS[0]} to {DOMAINS[-1]} are in use: choose one with --domain-id"
        )


def _lock(domain: int) -> IO[str] | None:
    """The open, locked file that stands for a domain, or None if another process holds it."""
    own = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    # It may be set, but absent under sudo, and read-only in a container.
    parent = own if own.is_absolute() and os.access(own, os.W_OK) else Path(tempfile.gettempdir())
    directory = parent / f"sac_control-{os.getuid()}"
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        stream = (directory / f"domain-{domain}.lock").open("w")
    except OSError as error:
        raise SacControlError(
            f"cannot reserve a ROS domain in {directory} ({error}): choose one with --domain-id"
        ) from error
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        stream.close()
        return None
    return stream


def _is_silent(domain: int) -> bool:
    """Whether none of the domain's first participants listens for discovery (RTPS 2.5, section 9.6.2.3).

    Participant p has the port 7400 + 250 d + 10 + 2 p. Those that are left may have begun with a higher p.
    """
    for participant in range(PARTICIPANTS):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("", 7410 + 250 * domain + 2 * participant))
            except OSError:
                return False
    return True
