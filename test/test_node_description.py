"""One node of a plan: its arguments, as ROS takes them, and what follows it where it fails."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sac_control.cli.node_description import NodeDescription
from sac_control.cli.options import (
    Options,
)
from sac_control.errors import (
    EXIT_DONE,
    EXIT_FAULT,
    EXIT_SETTING,
    EXIT_START,
    ConfigError,
)


def test_node_gets_its_arguments_as_ros_takes_them() -> None:
    node = NodeDescription(
        executable="policy",
        namespace="/robot",
        parameters_file=Path("/runs/a/config.yaml"),
        parameters={"deterministic": True, "state_timeout": 0.02, "policy_file": "/a b", "sizes": [1, 2]},
        remappings=(("joint_states", "/arm/joint_states"),),
        log_level="debug",
        enclave="/sac_control/policy",
    )
    assert node.arguments() == [
        "--ros-args",
        "--enclave",
        "/sac_control/policy",
        "--log-level",
        "robot.policy:=debug",
        "-r",
        "__ns:=/robot",
        "-r",
        "joint_states:=/arm/joint_states",
        "--params-file",
        "/runs/a/config.yaml",
        "-p",
        "deterministic:=true",
        "-p",
        "state_timeout:=0.02",
        "-p",
        'policy_file:="/a b"',
        "-p",
        "sizes:=[1, 2]",
    ]


def test_node_without_a_namespace_or_parameters_gets_only_its_log_level() -> None:
    assert NodeDescription(executable="policy", namespace="").arguments() == [
        "--ros-args", "--enclave", "/", "--log-level", "policy:=info",
    ]  # fmt: skip


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=30))
def test_text_stays_the_same_text_whatever_it_looks_like(text: str) -> None:
    for value in (text, f"/runs/🤖{text}", "true", "1e3", "null", "2026-01-01"):
        node = NodeDescription(executable="policy", namespace="", parameters={"policy_file": value})
        assert yaml.safe_load(node.arguments()[-1].removeprefix("policy_file:=")) == value


@pytest.mark.parametrize(("given", "used"), [("", ""), ("/", ""), ("a", "/a"), ("/a", "/a"), ("a/b/", "/a/b")])
def test_namespace_has_one_slash_in_front(given: str, used: str) -> None:
    assert Options(namespace=given).node("policy").namespace == used


def test_log_level_that_ros_does_not_know_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"log level 'loud' is not known: expected one of debug, info, warn, error"):
        Options(log_level="loud").node("policy")


def test_node_that_failed_has_a_successor_until_its_restarts_are_used_up() -> None:
    node = NodeDescription(executable="learner", namespace="", restarts=2, restart_parameters={"resume": True})
    assert "resume:=true" not in node.arguments()
    for left in (1, 0):
        successor = node.successor(-9)
        assert successor is not None
        assert successor.restarts == left
        assert successor.arguments()[-2:] == ["-p", "resume:=true"]
        node = successor
    assert node.successor(-9) is None


@pytest.mark.parametrize("exit_code", [EXIT_DONE, EXIT_SETTING, EXIT_START])
def test_node_that_did_its_work_or_cannot_begin_has_no_successor(exit_code: int) -> None:
    node = NodeDescription(executable="learner", namespace="", restarts=2)
    assert node.successor(exit_code) is None
    assert node.successor(EXIT_FAULT) is not None
