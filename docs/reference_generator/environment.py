"""Environment variables. Which are read is found in the code; what they do is said here, and a test compares both."""

from __future__ import annotations

import re
from pathlib import Path

from reference_generator.markdown import code, page, plain, table

SOURCES = Path(__file__).parents[2] / "sac_control"
KNOWN = {
    "ROS_DOMAIN_ID": "domain of the nodes; where it is not set, a training or an evaluation takes a free one",
    "ROS_AUTOMATIC_DISCOVERY_RANGE": "who may discover the nodes; LOCALHOST where it is not set, SUBNET by --network",
    "RMW_IMPLEMENTATION": "middleware; refused where it is not installed",
    "FASTDDS_DEFAULT_PROFILES_FILE": "your profile, in place of the one that keeps nodes on the loopback interface",
    "FASTRTPS_DEFAULT_PROFILES_FILE": "the same for Fast DDS 2, up to ROS 2 Jazzy",
    "FASTDDS_BUILTIN_TRANSPORTS": "how Fast DDS talks beyond this machine: UDPv4 unless you say otherwise",
    "ROS_LOG_DIR": "directory of the nodes' log files; otherwise log/ of the run, or where ROS has them",
    "ROS_HOME": "directory in which ROS has log/ where no run does",
    "ROS_DISTRO": "distribution, for the names of packages in messages",
    "AMENT_PREFIX_PATH": "where packages of ROS are found, as package://name/path",
    "LD_LIBRARY_PATH": "refused where it brings in another ROS beside that of the virtual environment",
    "PYTHONPATH": "likewise",
    "OMP_NUM_THREADS": "set to 1 for nodes",
    "OPENBLAS_NUM_THREADS": "set to 1 for nodes",
    "DISPLAY": "screen for --gui and --plot",
    "WAYLAND_DISPLAY": "likewise",
    "QT_QPA_PLATFORM": "platform of Qt, for --plot without a screen of its own",
    "SAC_CONTROL_PROGRESS": "how a learner tells its progress; set by the command for its own",
}
_NAME = re.compile(
    r'"((?:ROS|RMW|FASTDDS|FASTRTPS|SAC_CONTROL|AMENT)_[A-Z_]+|LD_LIBRARY_PATH|PYTHONPATH|O\w+_NUM_THREADS|'
    r'DISPLAY|WAYLAND_DISPLAY|QT_QPA_PLATFORM)"'
)


def read() -> set[str]:
    """Names of variables that the code names."""
    return {name for path in SOURCES.rglob("*.py") for name in _NAME.findall(path.read_text())}


def variables() -> str:
    """What each variable does."""
    return page("Environment variables", table(["variable", "what"], [[code(n), plain(t)] for n, t in KNOWN.items()]))
