"""The SROS2 policy grants each node what it has, no less and no more: compared with nodes that run."""

from __future__ import annotations

import contextlib
import functools
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from policies import RUN_ID, make_file
from robots import PATIENCE
from ros_world import RosWorld
from sac_control.cli.options import DeploymentOptions, Options, TrainingOptions
from sac_control.nodes import topics
from sac_control.nodes.evaluator import EvaluatorNode
from sac_control.nodes.learner import LearnerNode
from sac_control.nodes.policy import PolicyNode
from sac_control.nodes.recorder import RecorderNode
from sac_control.nodes.simulator import SimulatorNode
from sac_control.simulation.joint_topics import PREFIX

PATH = Path(__file__).parent.parent / "config" / "sros2_policy.xml"
NODES = {
    "policy": PolicyNode,
    "learner": LearnerNode,
    "simulator": SimulatorNode,
    "evaluator": EvaluatorNode,
    "recorder": RecorderNode,
}
KINDS = {
    "/training": ("policy", "learner", "simulator", "recorder"),
    "/evaluation": ("policy", "evaluator", "simulator", "recorder"),
    "": ("policy", "recorder"),
}
VERBS = {  # of the policy file: what the graph of ROS calls it
    ("topics", "publish"): "publisher",
    ("topics", "subscribe"): "subscriber",
    ("services", "reply"): "service",
    ("services", "request"): "client",
}

Rights = dict[str, set[str]]  # by the graph's word: names


def granted(namespaces: dict[str, str] | None = None) -> dict[str, Rights]:
    """Rights of each enclave by its path below /sac_control, in full names, as `ros2 security` reads them.

    Args:
        namespaces: what is written in the place of a namespace of the file.
    """
    rights: dict[str, Rights] = {}
    for enclave in ElementTree.parse(PATH).getroot().iter("enclave"):
        path = str(enclave.get("path")).removeprefix("/sac_control")
        kind, _, node = path.rpartition("/")
        own: Rights = {word: set() for word in VERBS.values()}
        for profile in enclave.iter("profile"):
            written = str(profile.get("ns")).rstrip("/")
            assert profile.get("node") == node
            assert node == "operator" or written == kind
            namespace = (namespaces or {}).get(written, written)
            for block in profile:
                ((verb, rule),) = block.attrib.items()
                assert rule == "ALLOW"
                names = [str(item.text) for item in block]
                assert len(set(names)) == len(names)
                own[VERBS[block.tag, verb]] |= {full_name(name, node, namespace) for name in names}
        rights[path] = own
    return rights


def full_name(name: str, node: str, namespace: str) -> str:
    if name.startswith("/"):
        return name
    return f"{namespace}/{node}{name[1:]}" if name.startswith("~") else f"{namespace}/{name}"


def declared(ros: RosWorld, node: str, namespace: str) -> Rights:
    """What a running node has, hidden names included; topics of joints as the file writes them."""
    ask = {word: getattr(ros.probe, f"get_{word}_names_and_types_by_node") for word in VERBS.values()}
    return {
        word: {re.sub(f"^({namespace}/{PREFIX}/).+", r"\1*", name) for name, _ in names_of(node, namespace or "/")}
        for word, names_of in ask.items()
    }


def has(ros: RosWorld, node: str, namespace: str, rights: Rights) -> bool:
    return declared(ros, node, namespace) == rights


@pytest.mark.parametrize("has_shadow", [False, True])
@pytest.mark.parametrize(
    ("kind", "namespace", "mode"),
    [
        ("/training", "/training", "lockstep"),
        ("/training", "/lab/training", "realtime"),
        ("/evaluation", "/evaluation", "lockstep"),
        ("", "", "realtime"),
        ("", "/robot", "realtime"),
    ],
)
def test_each_node_is_granted_exactly_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, namespace: str, mode: str, has_shadow: bool
) -> None:
    expected = granted({kind: namespace})
    if kind:  # what has joints shows no observation
        expected[f"{kind}/simulator"]["publisher"].remove(f"{namespace}/{topics.OBSERVATION.name}")
    path = tmp_path / "policy.safetensors"
    path.write_bytes(make_file().to_bytes())
    files: dict[str, object] = {"policy_file": str(path), "shadow_policy_file": str(path)} if has_shadow else {}
    run: dict[str, object] = {"run_id": RUN_ID} if kind else {}
    accepted: dict[str, object] = {"accept_weights": "" if kind == "/evaluation" else RUN_ID}
    monkeypatch.chdir(tmp_path)  # where the learner makes its run
    with RosWorld(
        namespace,
        simulator={"mode": mode, "publish_clock": True, **run},
        policy={**files, **accepted, **run, "lockstep": mode == "lockstep"},
        learner={"audience_timeout": 600.0},
        recorder={"directory": str(tmp_path / "bag"), **run},
    ) as ros:
        for node in KINDS[kind]:
            ros.add(NODES[node])
        for node in KINDS[kind]:
            rights = expected[f"{kind}/{node}"]
            with contextlib.suppress(AssertionError):  # the next line says more
                ros.until(functools.partial(has, ros, node, namespace, rights), "", PATIENCE)
            assert declared(ros, node, namespace) == rights


def test_nobody_may_do_what_another_is_trusted_with() -> None:
    alone = {
        topics.COMMANDS.name: "policy",
        topics.ACTION.name: "policy",
        topics.SHADOW_ACTION.name: "policy",
        topics.POLICY_STATUS.name: "policy",
        topics.WEIGHTS.name: "learner",
        topics.TRAINING_STATUS.name: "learner",
        topics.JOINT_STATES.name: "simulator",
        topics.OBSERVATION.name: "simulator",
        topics.TRANSITIONS.name: "simulator",
    }
    rights = granted()
    for kind, nodes in KINDS.items():
        for name, node in alone.items():
            may = [path for path in rights if f"{kind}/{name}" in rights[path]["publisher"]]
            assert may in ([f"{kind}/{node}"], []), f"{kind}/{name}"
            assert may or node not in nodes or (kind and name == topics.COMMANDS.name), f"{kind}/{name}"


def test_what_is_simulated_may_reach_no_robot() -> None:
    robot = {f"/{name.name}" for name in (topics.COMMANDS, topics.JOINT_STATES, topics.ACTION, topics.WEIGHTS)}
    for path, rights in granted().items():
        if path.startswith(("/training", "/evaluation")):
            assert not robot & (rights["publisher"] | rights["subscriber"])
            assert not any(name.endswith(topics.COMMANDS.name) for name in rights["publisher"])


def test_operator_may_ask_and_watch_what_there_is_but_drive_nothing() -> None:
    rights = granted()
    operator = rights.pop("/operator")
    assert rights.keys() == {f"{kind}/{node}" for kind, nodes in KINDS.items() for node in nodes}
    assert operator["client"] <= set().union(*(each["service"] for each in rights.values()))
    assert operator["subscriber"] <= set().union(*(each["publisher"] for each in rights.values())) | {"/joint_states"}
    assert operator["publisher"] == {"/parameter_events", "/rosout"}
    assert not operator["service"]


@pytest.mark.parametrize(("kind", "options"), [("/training", TrainingOptions()), ("", DeploymentOptions(policy="x"))])
def test_command_and_launch_files_start_each_node_in_its_enclave(kind: str, options: Options) -> None:
    for node in KINDS[kind]:
        arguments = options.node(node).arguments()
        path = arguments[arguments.index("--enclave") + 1]
        assert path == f"/sac_control{kind}/{node}"
        assert path.removeprefix("/sac_control") in granted()
