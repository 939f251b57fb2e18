"""The SROS2 policy grants each node what it has, no less and no more: compared with nodes that run."""

from __future__ import annotations

import contextlib
import functools
from pathlib import Path
from xml.etree import ElementTree

import pytest

from policies import make_file
from robots import PATIENCE
from ros_world import RosWorld
from sac_control.cli.plan import NodeDescription
from sac_control.nodes import topics
from sac_control.nodes.evaluator import EvaluatorNode
from sac_control.nodes.learner import LearnerNode
from sac_control.nodes.policy import PolicyNode
from sac_control.nodes.simulator import SimulatorNode

PATH = Path(__file__).parent.parent / "config" / "sros2_policy.xml"
NODES = {"policy": PolicyNode, "learner": LearnerNode, "simulator": SimulatorNode, "evaluator": EvaluatorNode}
VERBS = {  # of the policy file: what the graph of ROS calls it
    ("topics", "publish"): "publisher",
    ("topics", "subscribe"): "subscriber",
    ("services", "reply"): "service",
    ("services", "request"): "client",
}

Rights = dict[str, set[str]]  # by the graph's word: names


def granted(namespace: str = "") -> dict[str, Rights]:
    """Rights of each enclave by its last name, in full names, as `ros2 security` reads them."""
    rights: dict[str, Rights] = {}
    for enclave in ElementTree.parse(PATH).getroot().iter("enclave"):
        (profile,) = enclave.iter("profile")
        assert profile.get("ns") == "/"
        node = profile.get("node")
        assert enclave.get("path") == f"/sac_control/{node}"
        assert node is not None
        rights[node] = {word: set() for word in VERBS.values()}
        for block in profile:
            ((verb, rule),) = block.attrib.items()
            assert rule == "ALLOW"
            names = [str(item.text) for item in block]
            assert len(set(names)) == len(names)
            rights[node][VERBS[block.tag, verb]] |= {full_name(name, node, namespace) for name in names}
    return rights


def full_name(name: str, node: str, namespace: str) -> str:
    if name.startswith("/"):
        return name
    return f"{namespace}/{node}{name[1:]}" if name.startswith("~") else f"{namespace}/{name}"


def declared(ros: RosWorld, node: str, namespace: str) -> Rights:
    """What a running node has, hidden names included."""
    ask = {word: getattr(ros.probe, f"get_{word}_names_and_types_by_node") for word in VERBS.values()}
    return {word: {name for name, _ in names_of(node, namespace or "/")} for word, names_of in ask.items()}


def has(ros: RosWorld, node: str, namespace: str, rights: Rights) -> bool:
    return declared(ros, node, namespace) == rights


@pytest.mark.parametrize(
    ("namespace", "mode", "has_shadow"),
    [("", "lockstep", False), ("", "realtime", True), ("/robot", "lockstep", False)],
)
def test_each_node_is_granted_exactly_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, namespace: str, mode: str, has_shadow: bool
) -> None:
    expected = granted(namespace)
    other = {"lockstep": topics.COMMANDS, "realtime": topics.CREDIT}[mode]  # the simulator hears one of the two
    expected["simulator"]["subscriber"].remove(f"{namespace}/{other.name}")
    files: dict[str, object] = {}
    if has_shadow:
        path = tmp_path / "policy.safetensors"
        path.write_bytes(make_file().to_bytes())
        files = {"policy_file": str(path), "shadow_policy_file": str(path)}
    monkeypatch.chdir(tmp_path)  # where the learner makes its run
    with RosWorld(namespace, simulator={"mode": mode}, policy=files) as ros:
        for make_node in NODES.values():
            ros.add(make_node)
        for node in NODES:
            with contextlib.suppress(AssertionError):  # the next line says more
                ros.until(functools.partial(has, ros, node, namespace, expected[node]), "", PATIENCE)
            assert declared(ros, node, namespace) == expected[node]


def test_nobody_may_do_what_another_is_trusted_with() -> None:
    alone = {
        topics.COMMANDS.name: "policy",
        topics.ACTION.name: "policy",
        topics.SHADOW_ACTION.name: "policy",
        topics.POLICY_STATUS.name: "policy",
        topics.WEIGHTS.name: "learner",
        topics.TRAINING_STATUS.name: "learner",
        topics.JOINT_STATES.name: "simulator",
        topics.TRANSITIONS.name: "simulator",
    }
    rights = granted()
    for name, node in alone.items():
        assert [each for each in rights if f"/{name}" in rights[each]["publisher"]] == [node]


def test_operator_may_ask_and_watch_what_there_is_but_drive_nothing() -> None:
    rights = granted()
    operator = rights.pop("operator")
    assert rights.keys() == NODES.keys()
    assert operator["client"] <= set().union(*(each["service"] for each in rights.values()))
    assert operator["subscriber"] <= set().union(*(each["publisher"] for each in rights.values()))
    assert operator["publisher"] == {"/parameter_events", "/rosout"}
    assert not operator["service"]


@pytest.mark.parametrize("node", NODES)
def test_command_and_launch_files_start_each_node_in_its_enclave(node: str) -> None:
    arguments = NodeDescription(executable=node, namespace="/robot").arguments()
    assert arguments[arguments.index("--enclave") + 1] == f"/sac_control/{node}"
    assert node in granted()
