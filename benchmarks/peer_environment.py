"""The peers' own virtual environment: made on first use, and never mixed with ours."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.machine import ROOT
from benchmarks.processes import clean_environment, run

REQUIREMENTS = ROOT / "benchmarks" / "peers.txt"
DEFAULT_DIRECTORY = ROOT / "build" / "peers"
SCRIPTS = ROOT / "benchmarks" / "peers"
INSTALL_TIMEOUT = 3600.0  # [s] about 2 GB
_VERSIONS = """
import importlib.metadata, json
names = ("stable_baselines3", "sbx-rl", "torch", "jax", "gymnasium", "pybullet", "numpy")
print(json.dumps({name: importlib.metadata.version(name) for name in names}))
"""


@dataclass(frozen=True, kw_only=True)
class PeerEnvironment:
    """Where the peers are, or why they are not."""

    python: Path | None = None
    reason: str = ""  # why there is no python
    versions: dict[str, str] = field(default_factory=dict)

    def command(self, script: str, *arguments: object) -> list[str]:
        """The command that runs one of the scripts in benchmarks/peers/ there."""
        assert self.python is not None
        return [str(self.python), str(SCRIPTS / script), *map(str, arguments)]


def prepare(directory: Path) -> PeerEnvironment:
    """The environment in `directory`, installed there unless it is already."""
    python, stamp = directory / "bin" / "python", directory / ".installed"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not (stamp.exists() and stamp.read_text() == wanted):
        print(f"installing the peers into {directory} (about 2 GB, minutes on first use)", flush=True)
        for command in (
            [sys.executable, "-m", "venv", "--clear", str(directory)],
            [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "-r", str(REQUIREMENTS)],
        ):
            try:
                done = run(command, timeout=INSTALL_TIMEOUT, environment=clean_environment())
            except OSError as error:
                return PeerEnvironment(reason=f"the peers could not be installed: {error}")
            if done.exit_code != 0:
                return PeerEnvironment(reason=f"the peers could not be installed: {done.complaint}")
        stamp.write_text(wanted)
    return existing(directory)


def existing(directory: Path) -> PeerEnvironment:
    """The environment in `directory` as it is; nothing is installed."""
    python = directory / "bin" / "python"
    try:
        done = subprocess.run([python, "-c", _VERSIONS], capture_output=True, text=True, check=True, timeout=60.0)
    except (OSError, subprocess.SubprocessError) as error:
        return PeerEnvironment(reason=f"the peers' environment {directory.name} does not work: {error}")
    return PeerEnvironment(python=python, versions=json.loads(done.stdout))
