"""What can be known to fail before anything starts, each in one sentence. Imports nothing that may be missing."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import re
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from sac_control.errors import ConfigError

LARGEST_DOMAIN = 232  # beyond, the ports of RTPS are no ports any more
ROS = (
    "rclpy", "rcl_interfaces", "builtin_interfaces", "diagnostic_msgs", "lifecycle_msgs", "rosgraph_msgs",
    "sensor_msgs", "std_msgs", "std_srvs",
)  # fmt: skip
CONTROL = ("numpy", "yaml", "safetensors")  # what a policy node needs beside ROS
SIMULATION = ("gymnasium",)  # beside a physics engine, which depends on the task
_PIP_NAMES = {"yaml": "PyYAML"}


def check(environment: Mapping[str, str], packages: Iterable[str]) -> None:
    """Refuse what no node could start with.

    Args:
        environment: of the nodes.
        packages: that are needed beside ROS.

    Raises:
        ConfigError: a package is missing or belongs to another ROS; a variable of ROS is wrong.
    """
    check_domain(environment.get("ROS_DOMAIN_ID", ""))
    check_packages(packages)
    _check_ros()
    _check_libraries(environment)
    _check_middleware(environment)
    if environment.get("ROS_LOG_DIR"):
        log_directory(environment)


def check_domain(text: str) -> None:
    """Refuse what is no ROS domain.

    Raises:
        ConfigError: it is no number, or too large.
    """
    if text and (not re.fullmatch(r"[0-9]{1,9}", text) or int(text) > LARGEST_DOMAIN):
        raise ConfigError(f"ROS_DOMAIN_ID is {text!r}: expected a whole number from 0 to {LARGEST_DOMAIN}")


def check_working_directory() -> None:
    """Refuse to work in a directory that was removed.

    Raises:
        ConfigError: it is not there.
    """
    try:
        Path.cwd()
    except OSError as error:
        raise ConfigError(f"the working directory is gone ({error.strerror}): change to another one") from error


def check_packages(names: Iterable[str]) -> None:
    """Refuse to go on without a package of Python.

    Raises:
        ConfigError: the first one that is missing.
    """
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise ConfigError(f"{name} is not installed: {sys.executable} -m pip install {_PIP_NAMES.get(name, name)}")


def log_directory(environment: Mapping[str, str], wanted: Path | None = None) -> Path:
    """Where nodes write their log files: what ROS_LOG_DIR says, or else what is wanted, or else where ROS does it.

    Where that cannot be written, as on a robot with a read-only disk, it is a directory for temporary files.

    Raises:
        ConfigError: ROS_LOG_DIR, or no place at all, can be written.
    """
    chosen = environment.get("ROS_LOG_DIR")
    if chosen:
        if not _can_be_written(Path(chosen)):
            raise ConfigError(f"ROS_LOG_DIR is {chosen!r}, where nothing can be written: choose another directory")
        return Path(chosen)
    home = environment.get("ROS_HOME") or (f"{environment['HOME']}/.ros" if environment.get("HOME") else "")
    temporary = Path(tempfile.gettempdir()) / f"sac_control-{os.getuid()}"
    for place in (wanted, Path(home, "log") if home else None, temporary / "log"):
        if place is not None and _can_be_written(place):
            return place
    raise ConfigError(f"no directory for log files is writable, not even {temporary}: set ROS_LOG_DIR")


def _can_be_written(directory: Path) -> bool:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(directory, os.W_OK | os.X_OK)


def _check_ros() -> None:
    own = Path(sysconfig.get_path("platlib"))
    for name in (*ROS, "sac_control.msg"):
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise ConfigError(f"{name} is not found: source a ROS 2 installation, and sac_control built with it")
        folder = Path(spec.origin).parent
        if (own / name).is_dir() and not folder.is_relative_to(own):
            raise _another_ros(f"{name} comes from {folder}", "PYTHONPATH")
        suffixes = importlib.machinery.EXTENSION_SUFFIXES
        if name == "rclpy" and not any((folder / f"_rclpy_pybind11{suffix}").exists() for suffix in suffixes):
            raise _another_ros(f"rclpy in {folder} is not for Python {sys.version.split()[0]}", "PYTHONPATH")


def _check_libraries(environment: Mapping[str, str]) -> None:
    """A virtual environment with ROS in it finds its libraries by itself; others would take their place."""
    own = Path(sys.prefix) / "lib"
    if not (own / "librcl.so").exists():
        return
    for folder in filter(None, environment.get("LD_LIBRARY_PATH", "").split(os.pathsep)):
        if (Path(folder) / "librcl.so").exists() and Path(folder).resolve() != own.resolve():
            raise _another_ros(f"the libraries of ROS come from {folder}", "LD_LIBRARY_PATH")


def _another_ros(what: str, variable: str) -> ConfigError:
    return ConfigError(f"{what}, not from {sys.prefix}: {variable} names another ROS, begin in a shell without it")


def _check_middleware(environment: Mapping[str, str]) -> None:
    name = environment.get("RMW_IMPLEMENTATION", "")
    prefixes = [sys.prefix, *filter(None, environment.get("AMENT_PREFIX_PATH", "").split(os.pathsep))]
    indices = [Path(prefix, "share/ament_index/resource_index/rmw_typesupport") for prefix in prefixes]
    known = sorted({path.name for index in indices if index.is_dir() for path in index.iterdir()})
    known = [each for each in known if each != "rmw_implementation"]  # which hands on to one of the others
    if name and known and name not in known:
        raise ConfigError(f"RMW_IMPLEMENTATION is {name!r}, which is not installed: known are {', '.join(known)}")
