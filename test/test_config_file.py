"""What parameter files promise: nothing in them is dropped silently, and what is written reads back."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from learners import sac
from sac_control.cli import config_file
from sac_control.cli.config_file import SECTIONS, RunConfig
from sac_control.errors import ConfigError
from sac_control.simulation.simulator_config import SimulatorConfig
from sac_control.training.learner_config import learner_config

CHANGED = RunConfig().with_values(
    {
        "simulator": {"mode": "realtime", "real_time_factor": 0.5},
        "policy": {"policy_file": "/tmp/Über – 🤖: 'a' #b.safetensors", "deterministic": False},
        "learner": {"hidden_sizes": [8, 16], "tau": 1e-3, "buffer_capacity": 100_000_000},
        "evaluator": {"output": "true", "json": True},
    }
)


def written(path: Path, text: str) -> Path:
    file = path / "settings.yaml"
    file.write_text(text)
    return file


@pytest.mark.parametrize("config", [RunConfig(), CHANGED])
def test_what_is_written_reads_back(tmp_path: Path, config: RunConfig) -> None:
    assert config_file.read(written(tmp_path, config_file.write_text(config))) == config


def test_what_is_written_is_a_ros_parameter_file_for_every_namespace() -> None:
    content = yaml.safe_load(config_file.write_text(CHANGED))
    assert content.keys() == {f"/**/{name}" for name in SECTIONS}
    for name in SECTIONS:
        assert content[f"/**/{name}"] == {"ros__parameters": CHANGED.section(name).to_mapping()}


def test_file_replaces_only_what_it_says(tmp_path: Path) -> None:
    file = written(tmp_path, "learner:\n  ros__parameters:\n    tau: 5e-3\n")
    assert config_file.read(file) == RunConfig(learner=learner_config(tau=0.005))
    expected = dataclasses.replace(CHANGED, learner=CHANGED.learner.changed({"tau": 0.005}))
    assert config_file.read(file, CHANGED) == expected


@pytest.mark.parametrize("node", ["learner", "/learner", "/**/learner", "/**", "/*", "/:\n  learner"])
def test_section_is_for_the_nodes_that_ros_says(tmp_path: Path, node: str) -> None:
    file = written(tmp_path, f"{node}:\n    ros__parameters:\n      batch_size: 7\n")
    assert sac(config_file.read(file).learner).batch_size == 7


def test_section_for_many_gives_each_node_what_it_knows_and_a_later_one_is_stronger(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "/**: {ros__parameters: {seed: 3, tau: 0.5}}\n"
        "robot: {learner: {ros__parameters: {tau: 0.25}}}\n"
        "/**/policy: {ros__parameters: {seed: 4}}\n"
        "/*/policy: {ros__parameters: {seed: 5}}\n",
    )
    config = config_file.read(file, namespace="/robot")
    assert (config.simulator.seed, config.policy.seed, config.learner.seed) == (3, 5, 3)
    assert sac(config.learner).tau == 0.25
    assert config.evaluator == RunConfig().evaluator
    assert (config_file.read(file).policy.seed, sac(config_file.read(file).learner).tau) == (4, 0.5)


def test_settings_that_go_together_may_come_from_two_sections(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "/policy: {ros__parameters: {state_timeout: 1.0}}\n/**: {ros__parameters: {allow_long_timeout: true}}\n",
    )
    assert config_file.read(file).policy.state_timeout == 1.0


def test_file_that_is_for_other_nodes_alone_is_refused_and_they_are_named(tmp_path: Path) -> None:
    file = written(
        tmp_path, "/robot2/learner:\n  ros__parameters: {tau: 0.5}\ncamera:\n  ros__parameters: {rate: 30}\n"
    )
    complaint = (
        r"nothing in it is for /robot/simulator, .*: /robot2/learner \(line 1\): in another namespace "
        r"\(/\*\*/learner would be any\); /camera \(line 3\): no node of ours$"
    )
    with pytest.raises(ConfigError, match=complaint):
        config_file.read(file, namespace="/robot")
    assert sac(config_file.read(file, namespace="/robot2").learner).tau == 0.5


def test_parameters_of_ros_itself_are_kept_and_written(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "/**:\n  ros__parameters:\n    use_sim_time: true\n"
        "/policy:\n  ros__parameters:\n    qos_overrides: {/joint_states: {subscription: {depth: 5}}}\n",
    )
    config = config_file.read(file)
    depth = {"qos_overrides./joint_states.subscription.depth": 5}
    assert config.of_ros == {name: {"use_sim_time": True, **(depth if name == "policy" else {})} for name in SECTIONS}
    assert config_file.read(written(tmp_path, config_file.write_text(config))) == config
    assert RunConfig().with_values({"policy": depth}).of_ros == {"policy": depth}


@pytest.mark.parametrize("text", ["", "# nothing\n", "learner:\n  ros__parameters:\n", "{}"])
def test_file_that_says_nothing_changes_nothing(tmp_path: Path, text: str) -> None:
    assert config_file.read(written(tmp_path, text), CHANGED) == CHANGED


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("- a\n", "expected node names with ros__parameters below each"),
        ("learner: 3\n", "below 'learner' exactly the key ros__parameters is expected"),
        ("learner:\n  tau: 0.1\n", "below 'learner' exactly the key ros__parameters is expected"),
        (
            "learner:\n  ros__parameters: {}\n  tau: 0.1\n",
            "below 'learner' exactly the key ros__parameters is expected",
        ),
        ("learner:\n  ros__parameters: [1]\n", r"section 'learner' is \[1\]: expected keys with values"),
        (
            "lerner:\n  ros__parameters:\n    tau: 0.1\n",
            r"/lerner \(line 1\): no node of ours \(did you mean learner\?\)",
        ),
        ("learner:\n  ros__parameters:\n    taw: 1\n", r"learner\.taw is not a known setting; did you mean tau\?"),
        ("learner:\n  ros__parameters:\n    tau: 2\n", r"learner\.tau is 2: expected a number, from 0 to 1"),
        ("learner:\n  ros__parameters:\n    1: 2\n", r"learner\.1 is not a known setting"),
        ("learner:\n  ros__parameters:\n    on: 2\n", r"learner\.on is not a known setting"),
        ("/**:\n  ros__parameters:\n    taw: 2\n", r"/\*\*\.taw is not a known setting; did you mean tau\?"),
        (
            "/**:\n  ros__parameters:\n    qos_overrides: {/a: {subscription: {reliability: relible}}}\n",
            "reliability is 'relible': expected one of reliable, best_effort",
        ),
        (
            "/**:\n  ros__parameters:\n    qos_overrides: {/a: {subscription: {relability: reliable}}}\n",
            r"ends with no policy of quality; did you mean reliability\?",
        ),
        ("/**:\n  ros__parameters:\n    qos_overrides: {/a: {publisher: {depth: x}}}\n", "expected a whole number"),
        ("/**:\n  ros__parameters:\n    use_sim_time: 1\n", r"use_sim_time is 1: expected true or false"),
        (
            "learner: {ros__parameters: {tau: 0.1}}\n/learner: {ros__parameters: {gamma: 0}}\n",
            "line 2: the node /learner is defined twice, first in line 1: put all",
        ),
        (
            "learner: {ros__parameters: {tau: 0.1}}\n\nlearner: {ros__parameters: {gamma: 0}}\n",
            "line 3: 'learner' is defined twice, first in line 1: put all",
        ),
        (
            "learner:\n  ros__parameters:\n    tau: 0.1\n    gamma: 0.5\n    tau: 0.2\n",
            "line 5: 'tau' is defined twice, first in line 3: put all",
        ),
        (
            "learner:\n  ros__parameters:\n    tau: 0.1\n  ros__parameters:\n    gamma: 0.5\n",
            "line 4: 'ros__parameters' is defined twice, first in line 2",
        ),
        ("a: {b.c: {ros__parameters: {tau: 1}}}\n", "line 1: 'a/b.c' is not a node name"),
        ("a-b/learner: {ros__parameters: {tau: 1}}\n", "line 1: 'a-b/learner' is not a node name"),
        ("learner: &x {ros__parameters: {tau: 1}}\npolicy: *x\n", r"ROS takes no aliases: write .* instead of \*x"),
        ("/a: {b/learner: {ros__parameters: {tau: 1}}}\n", "line 1: ROS misreads a name with / below another one"),
        ("ros__parameters: {tau: 1}\n", "below 'ros__parameters' exactly the key ros__parameters is expected"),
        ("learner: {ros__parameters: {task: !!python/object/apply:os.getcwd []}}\n", "cannot read configuration"),
        ("learner: {ros__parameters: {task: 2026-99-99}}\n", "cannot read configuration"),
        ("a: b: c\n", "cannot read configuration"),
        ("a: " + "[" * 100_000, "nested more than 100 levels deep"),
    ],
)
def test_file_that_is_wrong_is_refused_with_its_name_and_the_reason(tmp_path: Path, text: str, complaint: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(ConfigError, match=complaint) as refusal:
        config_file.read(file)
    assert str(file) in str(refusal.value)


def test_file_that_cannot_be_read_is_refused_with_its_name(tmp_path: Path) -> None:
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "missing.yaml", tmp_path, binary):
        with pytest.raises(ConfigError, match=f"cannot read configuration {path}: "):
            config_file.read(path)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("learner.batch_size=128", ("learner", "batch_size", 128)),
        ("learner.tau = 0.5", ("learner", "tau", 0.5)),
        ("learner.hidden_sizes=[8, 8]", ("learner", "hidden_sizes", [8, 8])),
        ("policy.policy_file=a=b.safetensors", ("policy", "policy_file", "a=b.safetensors")),
        ("learner.resume=true", ("learner", "resume", True)),
        ("learner.run_directory=", ("learner", "run_directory", None)),
        ("policy.command_limit=20", ("policy", "command_limit", "20")),
        ("policy.command_limit=arm: 0.05, wheel: 3", ("policy", "command_limit", "arm: 0.05, wheel: 3")),
        ("policy.joint_offset=left/arm: -1e-3", ("policy", "joint_offset", "left/arm: -1e-3")),
        ("policy.joint_map='arm: left arm'", ("policy", "joint_map", "arm: left arm")),
    ],
)
def test_assignment_is_taken_apart_as_yaml(text: str, parts: tuple[str, str, object]) -> None:
    section, key, value = config_file.parse_assignment(text)
    assert (section, key.strip(), value) == parts


@pytest.mark.parametrize("text", ["", "learner", "learner.tau", "learner=1", ".=1", "learner.=1", "=1"])
def test_assignment_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is not of the form section"):
        config_file.parse_assignment(text)


@pytest.mark.parametrize("value", ["[1", "{a", "a: b: c", "!!python/name:os.getcwd", "2026-99-99", "[" * 10_000])
def test_assignment_of_what_is_not_yaml_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match="is not YAML"):
        config_file.parse_assignment(f"learner.task={value}")


@given(st.text(max_size=40))
def test_any_text_is_an_assignment_or_a_configuration_error(text: str) -> None:
    for prefix in ("", "learner.task="):
        try:
            section, key, value = config_file.parse_assignment(prefix + text)
            RunConfig().with_values({section: {key: value}})
        except ConfigError:
            pass


def test_values_are_checked_one_section_after_the_other() -> None:
    assert RunConfig().with_values({"simulator": {"seed": 4}}).simulator == SimulatorConfig(seed=4)
    with pytest.raises(ConfigError, match="section 'learner' is 3: expected keys with values"):
        RunConfig().with_values({"learner": 3})  # type: ignore[dict-item]
