"""Who can reach the nodes: this machine alone, unless asked otherwise."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

PROFILE = Path(__file__).with_name("fastdds_localhost.xml")
DISCOVERY_RANGE = "ROS_AUTOMATIC_DISCOVERY_RANGE"
_OF_TOOLS = ("ROS_DOMAIN_ID", DISCOVERY_RANGE, "RMW_IMPLEMENTATION")  # in which a tool must agree with the nodes
_TRANSPORTS = "FASTDDS_BUILTIN_TRANSPORTS"
_PROFILES = {3: "FASTDDS_DEFAULT_PROFILES_FILE", 2: "FASTRTPS_DEFAULT_PROFILES_FILE"}  # by version of Fast DDS


def reach(base: Mapping[str, str], *, network: bool) -> dict[str, str]:
    """Variables for the environment of nodes, and of tools that are started beside them.

    The range limits whom DDS answers. Where it listens is another matter: at every interface, unless a profile says
    otherwise. A user's own profile stays.

    Args:
        base: the user's environment.
        network: let other machines see the nodes, whatever `base` says.
    """
    discovery = "SUBNET" if network else base.get(DISCOVERY_RANGE, "LOCALHOST")
    variables = {DISCOVERY_RANGE: discovery}
    if discovery == "LOCALHOST" and not _has_own_profile(base):
        variables[_PROFILES[_version(base)]] = str(PROFILE)
    return variables


def by_udp(base: Mapping[str, str]) -> dict[str, str]:
    """Variables with which Fast DDS opens no shared memory when a process joins a domain; its reach stays what it is.

    A user's own profile stays, too, whatever is in it.

    Args:
        base: environment of the process.
    """
    if _has_own_profile(base):
        return {}
    if base.get(DISCOVERY_RANGE) == "LOCALHOST":  # with this range, ROS would add shared memory to what is in a profile
        return {_PROFILES[_version(base)]: str(PROFILE), DISCOVERY_RANGE: "SYSTEM_DEFAULT"}
    return {_TRANSPORTS: base.get(_TRANSPORTS, "UDPv4")}


def _has_own_profile(base: Mapping[str, str]) -> bool:
    return any(base.get(name, str(PROFILE)) != str(PROFILE) for name in _PROFILES.values())


def _version(base: Mapping[str, str]) -> int:
    """Of Fast DDS, by the name of its library: 2 up to ROS 2 Jazzy. It ignores the variable of 3; 3 warns of its."""
    prefixes = [Path(sys.prefix), *map(Path, filter(None, base.get("AMENT_PREFIX_PATH", "").split(os.pathsep)))]
    return 2 if any((prefix / "lib" / "libfastrtps.so").exists() for prefix in prefixes) else 3


def export_line(environment: Mapping[str, str]) -> str:
    """What to type in another terminal, so that tools of ROS find nodes that have this `environment` at once.

    A tool that looks on LOCALHOST, as they do, finds them within a tenth of a second mostly; another takes two seconds.
    """
    values = {"ROS_DOMAIN_ID": "0", **environment}
    return " ".join(["export", *(f"{name}={shlex.quote(values[name])}" for name in _OF_TOOLS if values.get(name))])
