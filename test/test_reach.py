"""Who can reach a node: which addresses its process listens at."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from policies import make_file
from robots import PATIENT, PolicyProcess, Robot
from ros_world import RosWorld

LOOPBACK = "127.0.0.1"


def listening(pid: int, domain: int) -> set[str]:
    """IPv4 addresses at which a process has ports of DDS open (RTPS 2.5, section 9.6.2.3: 7400 + 250 d and upwards).

    Sockets that only send have ports beyond these.
    """
    links = [path.readlink() for path in Path(f"/proc/{pid}/fd").iterdir()]
    own = {found[1] for link in links if (found := re.fullmatch(r"socket:\[(\d+)\]", str(link)))}
    addresses = set()
    for protocol in ("udp", "tcp"):
        for line in Path(f"/proc/{pid}/net/{protocol}").read_text().splitlines()[1:]:
            words = line.split()
            address, port = words[1].split(":")
            if words[9] in own and 0 <= int(port, 16) - 7400 - 250 * domain < 250:
                addresses.add(socket.inet_ntoa(int(address, 16).to_bytes(4, "little")))
    return addresses


@pytest.mark.parametrize(("discovery", "addresses"), [(None, {LOOPBACK}), ("SUBNET", {"0.0.0.0"})])
def test_a_node_that_moves_a_robot_listens_at_the_loopback_interface_alone_unless_asked_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, discovery: str | None, addresses: set[str]
) -> None:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(make_file().to_bytes())
    with RosWorld() as ros:
        robot = Robot(ros)
        if discovery is not None:
            monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", discovery)
        with PolicyProcess(ros, policy_file=path, accept_weights="''", **PATIENT) as policy:
            robot.until_moved()
            assert listening(policy._process.pid, ros.probe.context.get_domain_id()) == addresses
