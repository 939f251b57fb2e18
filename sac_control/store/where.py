"""Where the nodes of a run speak, and whether it is being written: what an onlooker must know. Never writes a run."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from sac_control.errors import RunError
from sac_control.store import atomic

FILE = "where.json"  # of a run


@dataclass(frozen=True, kw_only=True)
class Where:
    """The part of a ROS network in which nodes speak to each other."""

    domain: int  # ROS_DOMAIN_ID
    discovery: str  # ROS_AUTOMATIC_DISCOVERY_RANGE; empty: that of ROS
    namespace: str  # with its slash in front; "/" is the root

    def write(self, run: Path) -> None:
        """Leave it in the directory of a run.

        Raises:
            OSError: it cannot be written.
        """
        atomic.write_text(run / FILE, json.dumps(asdict(self)) + "\n")


def read_where(run: Path) -> Where | None:
    """Where the nodes of the run in this directory speak; None where it does not say.

    Raises:
        RunError: the file is damaged.
    """
    path = run / FILE
    try:
        content = json.loads(path.read_text())
        return Where(
            domain=int(content["domain"]), discovery=str(content["discovery"]), namespace=str(content["namespace"])
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} is damaged ({error}): remove it, the run is whole without") from error


def is_being_written(run: Path) -> bool:
    """Whether a training writes the run in this directory. Taking its lock to find out would be in a training's way."""
    try:
        status = (run / ".lock").stat()
        locks = Path("/proc/locks").read_text()
    except OSError:
        return False
    place = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    held = any(place in line.split() for line in locks.splitlines() if "FLOCK" in line)
    return held or (status.st_ino in _inodes(locks) and _lives(run / ".lock"))


def _inodes(locks: str) -> set[int]:
    """Of the files that are locked: a file system such as overlayfs or btrfs shows another device there."""
    places = (word for line in locks.splitlines() if "FLOCK" in line for word in line.split() if word.count(":") == 2)
    return {int(place.rpartition(":")[2]) for place in places}


def _lives(lock: Path) -> bool:
    """Whether the process lives whose number a lock holds."""
    try:
        return Path("/proc", str(int(lock.read_text()))).exists()
    except (OSError, ValueError):
        return False
