"""What settings, parameter files, remappings and namespaces come to in a plan, and which are refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from learners import NEEDS_TORCH
from plans import ROOT, by_name, configuration, parameter_file, training
from policies import RUN_ID
from sac_control.cli import config_file
from sac_control.cli.node_description import NodeDescription
from sac_control.cli.options import (
    DeploymentOptions,
    EvaluationOptions,
    split_settings,
)
from sac_control.cli.plan import plan_deployment, plan_evaluation
from sac_control.errors import (
    ConfigError,
)
from sac_control.store.run_directory import RunDirectory

pytestmark = pytest.mark.usefixtures("alike_everywhere")


CONFIGURATIONS = sorted(set((ROOT / "config").glob("*.yaml")) - {ROOT / "config" / "diagnostic_aggregator.yaml"})


@pytest.mark.parametrize(
    ("ranges", "complaint"),
    [
        ("{mass: [2, 1]}", r"mass is \[2.0, 1.0\]: expected \[low, high\] with low at most high"),
        ("{mass: [0, 1]}", "mass reaches 0: expected greater than 0"),
        ("{friction: {slider_to_cart: [-1, 1]}}", "slider_to_cart reaches -1: expected at least 0"),
        ("{backlash: [0, 1]}", "backlash cannot vary"),
        ("{travel: {slider: [0.5, 1]}}", "'slider' is not known; did you mean slider_to_cart"),
        ("{length: {slider_to_cart: [0.5, 1]}}", "does not turn|joint that slides"),
    ],
)
def test_ranges_that_no_robot_has_are_refused_and_leave_nothing_behind(
    runs: Path, trained: RunDirectory, ranges: str, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        training(runs, settings=[f"simulator.randomise={ranges}"])
    assert not (runs / "new").exists()
    with pytest.raises(ConfigError, match=complaint):
        plan_evaluation(EvaluationOptions(policy="trained", runs_dir=runs, settings=[f"simulator.randomise={ranges}"]))


def test_parameter_file_is_read_for_the_namespace_of_the_plan(
    runs: Path, trained: RunDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = parameter_file(
        tmp_path,
        "/arm:\n  simulator: {ros__parameters: {answer_timeout: 0.5}}\n  policy: {ros__parameters: {seed: 7}}\n"
        "/leg/policy: {ros__parameters: {seed: 8}}\n",
    )
    plan = training(runs, config=file, namespace="arm")
    assert configuration(plan).policy.seed == 7
    note, *_ = plan.notes
    assert f"{file}: left out /leg/policy (line 4): in another namespace" in note
    with pytest.raises(ConfigError, match="nothing in it is for /hand/simulator"):
        training(runs, run="hand", config=file, namespace="hand")
    assert not (runs / "hand").exists()
    evaluation = plan_evaluation(EvaluationOptions(policy="trained", runs_dir=runs, config=file, namespace="arm"))
    assert by_name(evaluation)["simulator"].parameters["answer_timeout"] == 0.5
    (node,) = plan_deployment(DeploymentOptions(policy="trained", runs_dir=runs, config=file, namespace="leg"))
    assert node.parameters["seed"] == 8


def test_parameters_of_ros_itself_reach_the_nodes(runs: Path, trained: RunDirectory, tmp_path: Path) -> None:
    name = "qos_overrides./joint_states.subscription.reliability"
    file = parameter_file(tmp_path, f"/**:\n  ros__parameters:\n    {name}: best_effort\n    use_sim_time: true\n")
    own = {name: "best_effort", "use_sim_time": True}
    plan = training(runs, config=file, namespace="/")
    assert configuration(plan).of_ros == dict.fromkeys(config_file.SECTIONS, own)
    assert by_name(plan)["policy"].parameters.items() >= own.items()  # stronger than what lockstep says
    resumed = training(runs, resume=True, settings=["learner.use_sim_time=false"], namespace="/")
    assert configuration(resumed).of_ros["learner"] == {**own, "use_sim_time": False}
    for plan in (
        plan_evaluation(EvaluationOptions(policy="trained", runs_dir=runs, config=file)),
        plan_deployment(DeploymentOptions(policy="trained", runs_dir=runs, config=file)),
    ):
        for node in plan:
            assert node.parameters.items() >= own.items()


def test_episodes_come_from_the_option_or_else_the_file_or_else_are_ten(
    runs: Path, trained: RunDirectory, tmp_path: Path
) -> None:
    file = parameter_file(tmp_path, "/**/evaluator: {ros__parameters: {episodes: 20}}\n")
    for config, episodes, expected in ((None, None, 10), (file, None, 20), (file, 3, 3)):
        plan = plan_evaluation(EvaluationOptions(policy="trained", runs_dir=runs, config=config, episodes=episodes))
        assert by_name(plan)["evaluator"].parameters.get("episodes", 10) == expected


def test_what_no_option_says_stays_as_the_file_says(runs: Path, trained: RunDirectory, tmp_path: Path) -> None:
    file = parameter_file(
        tmp_path,
        "/**: {ros__parameters: {headless: false}}\n/**/evaluator: {ros__parameters: {json: true, output: /tmp/x}}\n",
    )
    plan = plan_evaluation(EvaluationOptions(policy="trained", runs_dir=runs, config=file))
    assert by_name(plan)["evaluator"].parameters.items() >= {"json": True, "output": "/tmp/x"}.items()
    assert by_name(plan)["simulator"].parameters["headless"] is False
    assert not configuration(training(runs, config=file)).simulator.headless


def test_configuration_of_a_training_neither_explores_nor_arms_a_robot_nor_swaps_its_weights(
    runs: Path, trained: RunDirectory, tmp_path: Path
) -> None:
    def deploy(file: Path, *settings: str) -> NodeDescription:
        options = DeploymentOptions(policy="trained", runs_dir=runs, config=file, settings=settings)
        (node,) = plan_deployment(options)
        return node

    plan = training(runs)
    assert plan.run is not None
    with pytest.raises(ConfigError, match=rf"{plan.run.config} belongs to a run \(policy.run_id is set\)"):
        deploy(plan.run.config)
    for name in ("require_arm", "deterministic"):
        file = parameter_file(tmp_path, f"/policy: {{ros__parameters: {{{name}: false}}}}\n")
        with pytest.raises(
            ConfigError,
            match=f"{file}: policy.{name} is false, which only --set policy.{name}=false may do for a robot",
        ):
            deploy(file)
    file = parameter_file(tmp_path, "/policy: {ros__parameters: {ramp_s: 1, policy_file: other, task: other}}\n")
    node = deploy(file)
    assert node.parameters == {"policy_file": str(trained.policy_file().resolve()), "ramp_s": 1.0, "require_arm": True}
    assert "require_arm" not in deploy(file, "policy.require_arm=false").parameters
    evaluation = plan_evaluation(EvaluationOptions(policy="trained", runs_dir=runs, config=plan.run.config))
    policy = by_name(evaluation)["policy"].parameters
    assert policy.get("deterministic", True)
    assert not policy.get("accept_weights")


def test_topics_are_renamed_for_every_node(runs: Path, trained: RunDirectory) -> None:
    remappings = ["joint_states:=/arm/joint_states", "policy:~/x:=y"]
    expected = (("joint_states", "/arm/joint_states"), ("policy:~/x", "y"))
    for plan in (
        training(runs, remap=remappings),
        plan_evaluation(EvaluationOptions(policy="trained", runs_dir=runs, remap=remappings)),
        plan_deployment(DeploymentOptions(policy="trained", runs_dir=runs, remap=remappings)),
    ):
        for node in plan:
            assert node.remappings == expected
            assert node.arguments().count("joint_states:=/arm/joint_states") == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("joint_states", "is not of the form OLD:=NEW"),
        (":=/arm", "is not of the form OLD:=NEW"),
        ("a:=", "is not of the form OLD:=NEW"),
        ("a b:=c", "is not of the form OLD:=NEW"),
        ("a:=b-c", "is not of the form OLD:=NEW"),
        ("a:=b:=c", "is not of the form OLD:=NEW"),
        ("__ns:=/x", "renames nodes: choose a namespace instead"),
        ("policy:__node:=x", "renames nodes: choose a namespace instead"),
    ],
)
def test_remapping_that_ros_would_refuse_is_refused_and_leaves_nothing_behind(
    runs: Path, text: str, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        training(runs, remap=[text])
    assert not runs.exists()


@pytest.mark.parametrize("name", ["my-robot", "1a", "a//b", "a b", "ä", "a/b-c", "~", "{a}", "a" * 201])
def test_namespace_that_ros_would_refuse_is_refused_and_leaves_nothing_behind(runs: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="namespace '.*' is "):
        training(runs, namespace=name)
    assert not runs.exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  ", []),
        ("learner.tau=0.1 simulator.mode=realtime", ["learner.tau=0.1", "simulator.mode=realtime"]),
        ("learner.tau = 0.1\n learner.hidden_sizes=[8, 8]", ["learner.tau = 0.1", "learner.hidden_sizes=[8, 8]"]),
        (
            "policy.envelope=-0.9 < position(a) < 0.9; -8 < velocity(b) < 8 policy.ramp_s=1",
            ["policy.envelope=-0.9 < position(a) < 0.9; -8 < velocity(b) < 8", "policy.ramp_s=1"],
        ),
        ("policy.policy_file=/my files/a.b policy.seed=1", ["policy.policy_file=/my files/a.b", "policy.seed=1"]),
        ("learner.tau=0.1 nonsense", ["learner.tau=0.1 nonsense"]),
    ],
)
def test_settings_of_a_launch_file_end_where_the_next_one_begins(text: str, expected: list[str]) -> None:
    assert split_settings(text) == expected


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(path, id=path.name, marks=NEEDS_TORCH if path.name == "sac_v1.yaml" else ())
        for path in CONFIGURATIONS
    ],
)
def test_configuration_that_is_shipped_makes_a_plan(runs: Path, file: Path) -> None:
    read = config_file.read(file)
    assert read != config_file.RunConfig()
    config = configuration(training(runs, config=file))
    assert config.learner == dataclasses.replace(read.learner, run_id=RUN_ID, run_directory=str(runs / "new"))
    assert config.simulator == dataclasses.replace(read.simulator, run_id=RUN_ID)
    assert config.evaluator == read.evaluator
