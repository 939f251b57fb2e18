"""Who can reach a node: which addresses its process listens at, what it shares with others."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from policies import make_file
from robots import PATIENT, PolicyProcess, Robot
from ros_world import RosWorld
from sac_control.nodes import topics
from sac_control.system.reach import DISCOVERY_RANGE

LOOPBACK = "127.0.0.1"
STRANGER = """
import rclpy
from rclpy.node import Node
from sensor_msgs.msg import JointState
rclpy.init()
node = Node("stranger")
node.create_subscription(JointState, "joint_states", lambda _: print("hears", flush=True), 1)
print("joins", flush=True)
rclpy.spin(node)
"""


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


def shared_memory(pid: int) -> set[str]:
    """Shared memory of Fast DDS that a process has open."""
    return set(re.findall(r"/dev/shm/fastdds\S*", Path(f"/proc/{pid}/maps").read_text()))


@pytest.mark.parametrize(("discovery", "addresses"), [(None, {LOOPBACK}), ("SUBNET", {"0.0.0.0"})])
def test_a_node_that_moves_a_robot_listens_at_the_loopback_interface_alone_unless_asked_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, discovery: str | None, addresses: set[str]
) -> None:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(make_file().to_bytes())
    with RosWorld() as ros:
        robot = Robot(ros)
        if discovery is not None:
            monkeypatch.setenv(DISCOVERY_RANGE, discovery)
            for name in [name for name in os.environ if name.endswith("_DEFAULT_PROFILES_FILE")]:
                monkeypatch.delenv(name)  # this process joined on this machine alone
        with PolicyProcess(ros, policy_file=path, accept_weights="''", **PATIENT) as policy:
            robot.until_moved()
            assert listening(policy._process.pid, ros.probe.context.get_domain_id()) == addresses
            assert not shared_memory(policy._process.pid)  # with locks that a killed process would take with it


@pytest.mark.parametrize("discovery", ["LOCALHOST", "SUBNET"])
def test_a_stranger_with_the_settings_of_ros_hears_a_node_that_shares_no_memory(tmp_path: Path, discovery: str) -> None:
    said = tmp_path / "said.txt"
    with RosWorld() as ros, said.open("w") as file:
        states = topics.publisher(ros.probe, topics.JOINT_STATES)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FAST")}
        environment |= {DISCOVERY_RANGE: discovery, "ROS_DOMAIN_ID": str(ros.probe.context.get_domain_id())}
        stranger = subprocess.Popen([sys.executable, "-c", STRANGER], env=environment, stdout=file)
        try:
            ros.until(lambda: "joins" in said.read_text(), "the stranger does not start")

            def is_heard() -> bool:
                states.publish(topics.JOINT_STATES.type())
                return "hears" in said.read_text()

            ros.until(is_heard, "the stranger hears nothing")
        finally:
            stranger.kill()
            stranger.wait()
