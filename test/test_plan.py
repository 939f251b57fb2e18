"""Plans: which nodes are started with which arguments, and what is refused before anything is."""

from __future__ import annotations

import ast
import dataclasses
import importlib.util
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from learners import NEEDS_TORCH, sac
from policies import OTHER_RUN_ID, RUN_ID, SPECIFICATION, make_file
from sac_control.cli import config_file, launch_arguments, main, runner
from sac_control.cli import plan as plan_module
from sac_control.cli.choice import from_launch
from sac_control.cli.launch_arguments import DEPLOY, EVALUATE, TRAIN, LaunchFile, in_launch_words
from sac_control.cli.named import find_policy
from sac_control.cli.node_description import NodeDescription
from sac_control.cli.options import (
    EVALUATION_SEED,
    DeploymentOptions,
    EvaluationOptions,
    Options,
    TrainingOptions,
    split_settings,
)
from sac_control.cli.plan import Plan, plan_deployment, plan_evaluation, plan_training
from sac_control.errors import (
    EXIT_DONE,
    EXIT_FAULT,
    EXIT_SETTING,
    EXIT_START,
    ConfigError,
    PolicyFileError,
    RunError,
)
from sac_control.policy.policy_config import PolicyConfig
from sac_control.simulation.simulator_config import SimulatorConfig
from sac_control.store.checkpoints import CheckpointStore
from sac_control.store.run_directory import RunDirectory
from sac_control.tasks import engine_choice
from sac_control.training.learner_config import learner_config
from sac_control.types import Specification

ROOT = Path(__file__).resolve().parent.parent
CONFIGURATIONS = sorted(set((ROOT / "config").glob("*.yaml")) - {ROOT / "config" / "diagnostic_aggregator.yaml"})
LAUNCH_FILES = sorted(
    set((ROOT / "launch").glob("*.launch.py")) - {ROOT / "launch" / "view.launch.py"}
)  # no nodes of ours


@pytest.fixture(autouse=True)
def run_id(monkeypatch: pytest.MonkeyPatch) -> str:
    """That of every new run, which would be another one each time."""
    monkeypatch.setattr(plan_module, "new_run_id", lambda: RUN_ID)
    return RUN_ID


@pytest.fixture(autouse=True)
def every_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan starts nothing: that of a machine with every engine is the same everywhere."""
    monkeypatch.setattr(engine_choice, "is_installed", lambda engine: True)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def trained(runs: Path) -> RunDirectory:
    """A run with one checkpoint."""
    run = RunDirectory(runs / "trained")
    run.create(
        config_file.write_text(config_file.RunConfig().with_values({"learner": {"batch_size": 64, "run_id": RUN_ID}}))
    )
    files = {"policy.safetensors": make_file(run="trained").to_bytes()}
    CheckpointStore(run.checkpoints, keep_last=1).save(100, files, {}, is_best=True)
    return run


def training(runs: Path, **options: Any) -> Plan:
    return plan_training(TrainingOptions(**{"run": "new", "runs_dir": runs, **options}))


def configuration(plan: Plan) -> config_file.RunConfig:
    """What the plan's parameter file says."""
    assert plan.run is not None
    return config_file.read(plan.run.config)


def by_name(plan: Plan) -> dict[str, NodeDescription]:
    return {node.executable: node for node in plan}


# arguments


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


# training


def test_training_is_learner_simulator_and_policy_with_the_run_s_configuration(runs: Path) -> None:
    plan = training(runs, namespace="arm", log_level="warn")
    assert [node.executable for node in plan] == ["learner", "simulator", "policy"]
    assert plan.run is not None
    assert plan.run.path == runs / "new"
    for node in plan:
        assert node.parameters_file == runs / "new" / "config.yaml"
        assert (node.namespace, node.log_level) == ("/arm", "warn")


def test_training_explores_and_is_otherwise_the_default(runs: Path) -> None:
    config = configuration(training(runs))
    assert config.simulator == SimulatorConfig(run_id=RUN_ID)
    assert config.policy == PolicyConfig(run_id=RUN_ID, accept_weights=RUN_ID, deterministic=False)
    assert config.learner == learner_config(run_id=RUN_ID, run_directory=str(runs / "new"))


def test_states_are_reliable_and_silence_is_no_fault_in_lockstep_alone(runs: Path) -> None:
    plan = training(runs, namespace="arm")
    assert by_name(plan)["policy"].parameters == {
        "lockstep": True,
        "qos_overrides./arm/joint_states.subscription.reliability": "reliable",
        "qos_overrides./arm/observation.subscription.reliability": "reliable",
    }
    plan = training(runs, run="realtime", settings=["simulator.mode=realtime"])
    assert by_name(plan)["policy"].parameters == {}


def test_seed_is_that_of_every_node(runs: Path) -> None:
    config = configuration(training(runs, seed=17))
    assert {config.simulator.seed, config.policy.seed, config.learner.seed} == {17}


@pytest.mark.parametrize("order", [1, -1])
def test_settings_that_hold_only_together_may_come_in_any_order(runs: Path, order: int) -> None:
    settings = ["policy.state_timeout=5.0", "policy.allow_long_timeout=true"][::order]
    assert configuration(training(runs, settings=settings)).policy.state_timeout == 5.0


def test_file_is_stronger_than_defaults_and_settings_than_the_file(runs: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("/**/learner:\n  ros__parameters: {batch_size: 32, tau: 0.01, max_steps: 7, seed: 1}\n")
    settings = ["learner.tau=5e-3", "learner.max_steps=8", "simulator.seed=3"]
    learner = configuration(training(runs, config=file, settings=settings, max_steps=9, seed=2)).learner
    assert (sac(learner).batch_size, sac(learner).tau, learner.max_steps, learner.seed) == (32, 0.005, 9, 2)
    assert configuration(training(runs, run="other", seed=2, settings=settings)).simulator.seed == 3


def test_every_run_has_an_id_of_its_own_which_no_setting_and_no_file_changes(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = training(runs, run="first")
    monkeypatch.setattr(plan_module, "new_run_id", lambda: OTHER_RUN_ID)
    assert first.run is not None
    settings = [f"policy.run_id={RUN_ID}", f"policy.accept_weights={RUN_ID}"]
    config = configuration(training(runs, run="second", config=first.run.config, settings=settings))
    ids = (config.simulator.run_id, config.policy.run_id, config.policy.accept_weights, config.learner.run_id)
    assert ids == (OTHER_RUN_ID,) * 4


def test_trainings_and_evaluations_live_in_a_namespace_of_their_own_and_robots_at_the_root(
    runs: Path, trained: RunDirectory
) -> None:
    choices: dict[str, Any] = {"policy": "trained", "runs_dir": runs}
    for namespace, expected in (("", None), ("/", ""), ("arm", "/arm")):
        plans = {
            "/training": training(runs, run=f"new{namespace.strip('/')}", overwrite=True, namespace=namespace),
            "/evaluation": plan_evaluation(EvaluationOptions(**choices, namespace=namespace)),
            "": plan_deployment(DeploymentOptions(**choices, namespace=namespace)),
        }
        for default, plan in plans.items():
            assert {node.namespace for node in plan} == {default if expected is None else expected}


def test_deployment_on_the_network_takes_signed_weights_alone(runs: Path, trained: RunDirectory) -> None:
    choices: dict[str, Any] = {"policy": "trained", "runs_dir": runs}
    choices["settings"] = [f"policy.accept_weights={RUN_ID}"]
    with pytest.raises(ConfigError, match="set policy.require_signature"):
        plan_deployment(DeploymentOptions(**choices, network=True))
    (node,) = plan_deployment(DeploymentOptions(**choices))
    assert node.parameters["accept_weights"] == RUN_ID
    (node,) = plan_deployment(DeploymentOptions(policy="trained", runs_dir=runs))
    assert "accept_weights" not in node.parameters


def test_training_in_which_every_command_would_be_too_old_is_refused_and_leaves_no_run(runs: Path) -> None:
    with pytest.raises(ConfigError, match="simulator.command_timeout is 0.05, but commands come every 0.0825 s"):
        training(runs, settings=["simulator.mode=realtime", "simulator.real_time_factor=0.2"])
    assert not (runs / "new").exists()


@pytest.mark.parametrize("setting", ["policy.lockstep=true", f"policy.run_id={RUN_ID}"])
def test_deployment_that_would_command_no_robot_is_refused(runs: Path, trained: RunDirectory, setting: str) -> None:
    with pytest.raises(ConfigError, match="commands no robot"):
        plan_deployment(DeploymentOptions(policy="trained", runs_dir=runs, settings=[setting]))


def test_run_is_where_it_is_planned_whatever_the_settings_say(runs: Path) -> None:
    learner = configuration(training(runs, settings=["learner.run_directory=/tmp/x", "learner.resume=true"])).learner
    assert (learner.run_directory, learner.resume) == (str(runs / "new"), False)


def test_run_without_a_name_gets_one_of_task_and_date(runs: Path) -> None:
    plan = training(runs, run="")
    assert plan.run is not None
    assert plan.run.name.startswith("inverted_pendulum-20")
    assert plan.run.exists


@pytest.mark.parametrize("is_evaluation", [False, True], ids=["training", "evaluation"])
def test_plan_tells_of_another_engine_than_the_task_s_own(
    runs: Path, trained: RunDirectory, monkeypatch: pytest.MonkeyPatch, is_evaluation: bool
) -> None:
    monkeypatch.setattr(engine_choice, "is_installed", lambda engine: engine == "mujoco")
    options = EvaluationOptions(policy="trained", runs_dir=runs)
    plan = plan_evaluation(options) if is_evaluation else training(runs)
    (note,) = plan.notes
    assert re.fullmatch(r"Python 3\.\d+ has no pybullet: mujoco simulates inverted_pendulum in its place", note)
    monkeypatch.setattr(engine_choice, "is_installed", lambda engine: True)
    assert not (plan_evaluation(options) if is_evaluation else training(runs, run="other")).notes


def test_window_is_opened_only_when_asked_for(runs: Path) -> None:
    assert configuration(training(runs)).simulator.headless
    assert not configuration(training(runs, run="window", headless=False)).simulator.headless


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (["learner.batchsize=3"], r"learner\.batchsize is not a known setting; did you mean batch_size\?"),
        (["lerner.tau=3"], r"'lerner' is not a known section; did you mean learner\?"),
        (["learner.tau=3"], r"learner\.tau is 3: expected a number, from 0 to 1"),
        (["learner.tau"], "is not of the form section"),
        (["learner.task=acrobot"], "task 'acrobot' is not known"),
        (["simulator.task=acrobot"], "simulator, policy and learner have different tasks"),
    ],
)
def test_wrong_setting_is_refused_and_leaves_nothing_behind(runs: Path, settings: list[str], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        training(runs, settings=settings)
    assert not runs.exists()


@pytest.mark.parametrize("name", ["..", ".", "a/b", "/a", "a/", "../a", "./a", "..//", "/"])
def test_run_name_that_is_a_path_is_refused(runs: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="is not a plain name: give a directory for runs with --runs-dir"):
        training(runs, run=name)
    assert not runs.exists()


@pytest.mark.parametrize("name", ["ü" * 65, "a" * 300])
def test_run_name_that_no_message_has_room_for_is_refused(runs: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="is too long: expected at most 128 bytes"):
        training(runs, run=name)


@pytest.mark.parametrize("name", ["a b", "...", "ü", "-x", "~", "*", "a:=b", "a" * 128])
def test_any_other_run_name_is_a_directory_of_that_name(runs: Path, name: str) -> None:
    training(runs, run=name)
    assert [path.name for path in runs.iterdir()] == [name]


def test_run_that_exists_is_left_alone(runs: Path, trained: RunDirectory) -> None:
    before = trained.config.read_text()
    with pytest.raises(RunError, match=f"run {trained.path} exists already"):
        training(runs, run="trained", seed=3)
    assert trained.config.read_text() == before
    assert trained.checkpoints.exists()


def test_overwriting_begins_anew(runs: Path, trained: RunDirectory) -> None:
    config = configuration(training(runs, run="trained", overwrite=True))
    assert config.learner == learner_config(run_id=RUN_ID, run_directory=str(trained.path))
    assert not trained.checkpoints.exists()


def test_resuming_keeps_the_configuration_but_for_what_is_given(runs: Path, trained: RunDirectory) -> None:
    config = configuration(training(runs, run="trained", resume=True, settings=["learner.tau=0.5"], max_steps=99))
    assert config.learner == learner_config(
        run_id=RUN_ID, batch_size=64, tau=0.5, max_steps=99, resume=True, run_directory=str(trained.path)
    )
    assert trained.checkpoints.exists()


def test_resuming_with_other_networks_is_refused_and_changes_nothing(runs: Path, trained: RunDirectory) -> None:
    before = trained.config.read_text()
    with pytest.raises(ConfigError, match=r"learner.hidden_sizes is \(8,\), but the run to continue was begun with"):
        training(runs, run="trained", resume=True, settings=["learner.hidden_sizes=[8]"])
    assert trained.config.read_text() == before


def test_resuming_a_run_that_is_being_trained_changes_nothing(runs: Path, trained: RunDirectory) -> None:
    before = trained.config.read_text()
    trained.lock()
    with pytest.raises(RunError, match="is being written by process"):
        training(runs, run="trained", resume=True, max_steps=99)
    trained.unlock()
    assert trained.config.read_text() == before


def test_resuming_needs_a_run(runs: Path) -> None:
    with pytest.raises(RunError, match=f"there is no run {runs / 'new'} to resume: leave --resume out to begin it"):
        training(runs, resume=True)
    with pytest.raises(ConfigError, match="resume needs the name of the run to continue"):
        training(runs, run="", resume=True)
    assert not runs.exists()


def test_resuming_and_overwriting_exclude_each_other(runs: Path, trained: RunDirectory) -> None:
    with pytest.raises(ConfigError, match="resume and overwrite were both given"):
        training(runs, run="trained", resume=True, overwrite=True)
    assert trained.checkpoints.exists()


def test_runs_that_cannot_be_written_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot write run directory"):
        training(tmp_path / "file")


def parameter_file(path: Path, text: str) -> Path:
    file = path / "mine.yaml"
    file.write_text(text)
    return file


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


# evaluation and deployment


def test_evaluation_is_evaluator_simulator_and_policy_in_lockstep(runs: Path, trained: RunDirectory) -> None:
    plan = plan_evaluation(EvaluationOptions(policy="trained", runs_dir=runs, episodes=3, seed=5, deterministic=False))
    assert [node.executable for node in plan] == ["evaluator", "simulator", "policy"]
    nodes = by_name(plan)
    assert nodes["evaluator"].parameters == {"run_id": RUN_ID, "episodes": 3, "output": str(trained.evaluation)}
    assert nodes["simulator"].parameters == {"run_id": RUN_ID, "seed": 5}
    assert nodes["policy"].parameters == {
        "run_id": RUN_ID,
        "policy_file": str(trained.policy_file().resolve()),
        "deterministic": False,
        "seed": 5,
        "lockstep": True,
        "qos_overrides./evaluation/joint_states.subscription.reliability": "reliable",
        "qos_overrides./evaluation/observation.subscription.reliability": "reliable",
    }
    assert plan.run is not None
    assert plan.run.path == trained.path


def test_evaluation_starts_where_no_training_did(runs: Path, trained: RunDirectory) -> None:
    plan = plan_evaluation(EvaluationOptions(policy="trained", runs_dir=runs))
    assert by_name(plan)["simulator"].parameters == {"run_id": RUN_ID, "seed": EVALUATION_SEED}


def test_deployment_is_the_policy_alone_deterministic_and_waiting_to_be_armed(
    runs: Path, trained: RunDirectory
) -> None:
    plan = plan_deployment(DeploymentOptions(policy="trained", runs_dir=runs, settings=["policy.seed=4"]))
    (node,) = plan
    assert node.executable == "policy"
    assert node.parameters == {"policy_file": str(trained.policy_file().resolve()), "seed": 4, "require_arm": True}
    plan = plan_deployment(DeploymentOptions(policy="trained", runs_dir=runs, settings=["policy.require_arm=false"]))
    assert "require_arm" not in next(iter(plan)).parameters


COMMANDS = "effort_controller/commands"  # as the node itself calls them


@pytest.mark.parametrize(
    ("interfaces", "remappings", "rule"),
    [
        (("effort",), [], ()),
        (("velocity",), [], ((COMMANDS, "velocity_controller/commands"),)),
        (("position",), [], ((COMMANDS, "position_controller/commands"),)),
        (("position", "position"), [], ((COMMANDS, "position_controller/commands"),)),
        (("position",), [f"{COMMANDS}:=a"], ((COMMANDS, "a"),)),
        (("position",), [f"/{COMMANDS}:=a"], ((f"/{COMMANDS}", "a"),)),
        (("position",), ["b:=c"], (("b", "c"), (COMMANDS, "position_controller/commands"))),
        (
            ("position",),
            ["position_controller/commands:=a"],
            (("position_controller/commands", "a"), (COMMANDS, "a")),
        ),
        (("position", "velocity"), [f"{COMMANDS}:=a"], ((COMMANDS, "a"),)),
    ],
)
def test_deployment_commands_where_ros2_control_takes_the_interface_of_its_policy(
    tmp_path: Path, interfaces: tuple[str, ...], remappings: list[str], rule: tuple[tuple[str, str], ...]
) -> None:
    path = driven_by(interfaces, tmp_path)
    (node,) = plan_deployment(DeploymentOptions(policy=str(path), remap=remappings))
    assert node.remappings == rule


def test_several_interfaces_are_deployed_only_to_a_topic_that_was_named_for_them(tmp_path: Path) -> None:
    path = driven_by(("position", "velocity"), tmp_path)
    with pytest.raises(
        PolicyFileError,
        match=r"'slider_to_cart' by position, 'cart_to_pendulum' by velocity.* --remap effort_controller/commands:=TOP",
    ):
        plan_deployment(DeploymentOptions(policy=str(path)))


def driven_by(interfaces: tuple[str, ...], directory: Path) -> Path:
    """A file of a policy that drives its first joints so."""
    driven = SPECIFICATION.joints[: len(interfaces)]
    specification = dataclasses.replace(
        SPECIFICATION, actuated_joints=driven, interface=interfaces, command_limit=(1.0,) * len(driven)
    )
    path = directory / "policy.safetensors"
    path.write_bytes(make_file(specification=specification).to_bytes())
    return path


def test_deployment_takes_a_shadow_policy_of_the_same_robot_alone(
    runs: Path, trained: RunDirectory, tmp_path: Path
) -> None:
    def planned(specification: Specification) -> Plan:
        path = tmp_path / "shadow.safetensors"
        path.write_bytes(make_file(1, specification=specification).to_bytes())
        return plan_deployment(DeploymentOptions(policy="trained", runs_dir=runs, shadow=str(path)))

    (node,) = planned(SPECIFICATION)
    assert node.parameters["shadow_policy_file"] == str(tmp_path / "shadow.safetensors")
    with pytest.raises(PolicyFileError, match="control period"):
        planned(dataclasses.replace(SPECIFICATION, control_period=0.02))


def test_envelope_that_does_not_fit_the_policy_is_not_deployed(runs: Path, trained: RunDirectory) -> None:
    for envelope in ("-1 < position(elbow) < 1", "nonsense"):
        settings = [f"policy.envelope={envelope}"]
        with pytest.raises(ConfigError, match="envelope"):
            plan_deployment(DeploymentOptions(policy="trained", runs_dir=runs, settings=settings))


@pytest.mark.parametrize("setting", ["control_period=0.01", "joints=elbow", "max_command=1.0"])
def test_command_and_launch_file_refuse_a_policy_that_disagrees_before_anything_starts(
    runs: Path, trained: RunDirectory, capsys: pytest.CaptureFixture[str], setting: str
) -> None:
    assert main.main(["deploy", "trained", "--runs-dir", str(runs), "--set", f"policy.{setting}"]) != 0
    said = capsys.readouterr().err
    assert f"policy.{setting.split('=')[0]} is " in said
    assert "nodes policy" not in said
    with pytest.raises(PolicyFileError, match=f"policy.{setting.split('=')[0]} is "):
        launched(DEPLOY, policy="trained", runs_dir=str(runs), settings=f"policy.{setting}")


@pytest.mark.parametrize("setting", ["control_period=0.01", "joints=elbow", "max_command=1.0"])
def test_policy_that_disagrees_with_what_is_said_of_the_robot_is_not_deployed(
    runs: Path, trained: RunDirectory, setting: str
) -> None:
    with pytest.raises(PolicyFileError, match=f"policy.{setting.split('=')[0]} is "):
        plan_deployment(DeploymentOptions(policy="trained", runs_dir=runs, settings=[f"policy.{setting}"]))


def test_policy_is_found_by_name_directory_or_file(
    runs: Path, trained: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(runs)
    file = trained.checkpoints / "100" / "policy.safetensors"
    for text, directory in (("trained", runs), (str(trained.path), Path("nowhere")), ("trained/", Path("nowhere"))):
        path, run = find_policy(text, directory)
        assert path == file
        assert run is not None
        assert run.path == trained.path
    assert find_policy("trained/checkpoints/latest/policy.safetensors", Path("nowhere")) == (file, None)


@pytest.mark.parametrize("plan", [plan_evaluation, plan_deployment])
def test_policy_that_is_not_there_or_damaged_is_refused(
    runs: Path, trained: RunDirectory, plan: Callable[[Any], Plan]
) -> None:
    options = EvaluationOptions if plan is plan_evaluation else DeploymentOptions
    with pytest.raises(RunError, match=f"there is no run at {runs / 'other'}"):
        plan(options(policy="other", runs_dir=runs))
    trained.policy_file().write_bytes(b"damaged")
    with pytest.raises(PolicyFileError, match=f"{trained.checkpoints / '100'}.*: not a whole safetensors file"):
        plan(options(policy="trained", runs_dir=runs))
    (runs / "empty").mkdir()
    RunDirectory(runs / "begun").create("")
    with pytest.raises(RunError, match="has no checkpoint yet: train it first"):
        plan(options(policy="begun", runs_dir=runs))
    with pytest.raises(RunError, match="there is no run at"):
        plan(options(policy=str(runs / "empty"), runs_dir=runs))


@pytest.mark.parametrize("episodes", [0, -1])
def test_evaluation_of_no_episode_is_refused(runs: Path, trained: RunDirectory, episodes: int) -> None:
    with pytest.raises(ConfigError, match=rf"evaluator\.episodes is {episodes}"):
        plan_evaluation(EvaluationOptions(policy="trained", runs_dir=runs, episodes=episodes))


# what is started again


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


def test_nodes_of_a_training_are_started_again_and_the_learner_resumes(runs: Path) -> None:
    plan = training(runs)
    assert {node.executable: node.restarts for node in plan} == {"learner": 5, "simulator": 5, "policy": 5}
    assert by_name(plan)["learner"].restart_parameters == {"resume": True}
    assert all(node.restarts == 1 for node in training(runs, restarts=1, overwrite=True))


def test_training_that_is_to_be_repeatable_and_an_evaluation_start_nothing_again(
    runs: Path, trained: RunDirectory
) -> None:
    for plan in (
        training(runs, settings=["learner.deterministic=true"]),
        plan_evaluation(EvaluationOptions(policy="trained", runs_dir=runs)),
    ):
        assert all(node.restarts == 0 for node in plan)


def test_deployed_policy_that_is_started_again_waits_to_be_armed_whatever_was_chosen(
    runs: Path, trained: RunDirectory
) -> None:
    options = DeploymentOptions(policy="trained", runs_dir=runs, settings=["policy.require_arm=false"])
    (node,) = plan_deployment(options)
    assert node.parameters.get("require_arm", False) is False
    successor = node.successor(1)
    assert successor is not None
    assert successor.parameters["require_arm"] is True


def test_negative_number_of_restarts_is_refused(runs: Path, trained: RunDirectory) -> None:
    with pytest.raises(ConfigError, match="restarts is -1"):
        training(runs, restarts=-1)
    with pytest.raises(ConfigError, match="restarts is -1"):
        plan_deployment(DeploymentOptions(policy="trained", runs_dir=runs, restarts=-1))


# the command and the launch files


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Plan]:
    """The plan that a command line would have run."""
    started: list[Plan] = []

    def run(plan: Plan, environment: Mapping[str, str], stop_timeout: float, hear: object) -> int:
        started.append(plan)
        if plan.run is not None:
            (plan.run.checkpoints / "1").mkdir(parents=True, exist_ok=True)  # or it is removed: nothing was learnt
        return 1

    monkeypatch.setenv("DISPLAY", ":0")

    def command(*arguments: str) -> Plan:
        assert main.main(arguments) == 1
        return started.pop()

    monkeypatch.setattr(runner, "run", run)
    return command


def launched(file: LaunchFile, **values: str) -> Plan:
    """The plan that a launch file makes of arguments name:=value."""
    arguments = {argument.name: argument.default for argument in file.arguments}
    assert values.keys() <= arguments.keys()
    arguments.update(values)
    assert None not in arguments.values(), "an argument without a default must be given"
    return file.plan({name: value or "" for name, value in arguments.items()})


def assert_same(one: Plan, other: Plan) -> None:
    assert one.nodes == other.nodes
    assert (one.run is None) == (other.run is None)
    if one.run is not None and other.run is not None:
        assert one.run.path == other.run.path


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("", {}),
        ("--seed 0 --max-steps 500 --until steps", {"seed": "0", "max_steps": "500", "until": "steps"}),
        ("--namespace arm --log-level debug --gui", {"namespace": "arm", "log_level": "debug", "headless": "false"}),
        (
            "--set learner.tau=0.1 --set simulator.mode=realtime",
            {"settings": "learner.tau=0.1 simulator.mode=realtime"},
        ),
        ("--config config/realtime.yaml", {"config": "config/realtime.yaml"}),
        ("--restarts 2", {"restarts": "2"}),
        ("--remap a:=b --remap c:=d", {"remap": "a:=b c:=d"}),
    ],
)
def test_launch_file_trains_as_the_command_does(
    runs: Path, command: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch, line: str, values: dict[str, str]
) -> None:
    monkeypatch.chdir(ROOT)
    commanded = command("train", "--run", "new", "--runs-dir", str(runs), *line.split())
    config = configuration(commanded)
    assert_same(commanded, launched(TRAIN, run="new", runs_dir=str(runs), overwrite="true", **values))
    assert configuration(commanded) == config
    assert_same(
        command("train", "--run", "new", "--runs-dir", str(runs), "--resume"),
        launched(TRAIN, run="new", runs_dir=str(runs), resume="true"),
    )


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("", {}),
        ("--episodes 3 --seed 0 --sample", {"episodes": "3", "seed": "0", "deterministic": "false"}),
        (
            "--namespace arm --gui --output /tmp/a.json",
            {"namespace": "arm", "headless": "false", "output": "/tmp/a.json"},
        ),
        ("--set simulator.max_episode_steps=9", {"settings": "simulator.max_episode_steps=9"}),
        ("--config config/realtime.yaml --remap a:=b", {"config": "config/realtime.yaml", "remap": "a:=b"}),
    ],
)
def test_launch_file_evaluates_as_the_command_does(
    runs: Path,
    trained: RunDirectory,
    command: Callable[..., Plan],
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    values: dict[str, str],
) -> None:
    monkeypatch.chdir(ROOT)
    commanded = command("evaluate", "trained", "--runs-dir", str(runs), *line.split())
    assert_same(commanded, launched(EVALUATE, policy="trained", runs_dir=str(runs), **values))


def test_launch_file_deploys_as_the_command_does(
    runs: Path, trained: RunDirectory, command: Callable[..., Plan]
) -> None:
    commanded = command("deploy", "trained", "--runs-dir", str(runs), "--set", "policy.state_timeout=0.02")
    assert_same(commanded, launched(DEPLOY, policy="trained", runs_dir=str(runs), settings="policy.state_timeout=0.02"))
    commanded = command("deploy", "trained", "--runs-dir", str(runs), "--shadow", "trained")
    assert_same(commanded, launched(DEPLOY, policy="trained", runs_dir=str(runs), shadow="trained"))
    file = parameter_file(runs, "/policy: {ros__parameters: {ramp_s: 2, use_sim_time: true}}\n")
    commanded = command("deploy", "trained", "--runs-dir", str(runs), "--config", str(file), "--remap", "a:=b")
    assert commanded.nodes[0].parameters["ramp_s"] == 2.0
    assert_same(commanded, launched(DEPLOY, policy="trained", runs_dir=str(runs), config=str(file), remap="a:=b"))


@pytest.mark.parametrize(
    ("name", "nearest"), [("seeed", "seed"), ("max-steps", "max_steps"), ("runs", "run"), ("policy", "known are run")]
)
def test_launch_argument_that_does_not_exist_is_refused_with_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(ConfigError, match=f"launch argument '{name}' is not known; .*{nearest}"):
        TRAIN.check_names(["run", name])


def test_launch_arguments_that_exist_or_are_launch_s_own_are_taken() -> None:
    for file in (TRAIN, EVALUATE, DEPLOY):
        file.check_names([*(argument.name for argument in file.arguments), "launch-prefix", "launch-prefix-filter"])


def test_launch_files_have_their_names() -> None:
    assert sorted(file.name for file in (TRAIN, EVALUATE, DEPLOY)) == [path.name for path in LAUNCH_FILES]


def test_launch_file_names_its_arguments_where_the_command_names_its_options(runs: Path, trained: RunDirectory) -> None:
    with pytest.raises(RunError, match="choose another run:=, continue it with resume:=true or replace it with overw"):
        launched(TRAIN, run="trained", runs_dir=str(runs))
    with pytest.raises(RunError, match=f"no run {runs / 'x'} to resume: leave resume:=true out to begin it"):
        launched(TRAIN, run="x", runs_dir=str(runs), resume="true")
    with pytest.raises(ConfigError, match="give a directory for runs with runs_dir:=$"):
        launched(TRAIN, run="a/b", runs_dir=str(runs))


@pytest.mark.parametrize(
    ("verb", "file", "alone"),
    [
        ("train", TRAIN, {"domain-id", "stop-timeout", "require-solved", "require-hardened", "quiet"}),
        ("evaluate", EVALUATE, {"domain-id", "stop-timeout", "json", "quiet", "video"}),
        ("deploy", DEPLOY, {"domain-id", "stop-timeout"}),
    ],
)
def test_every_option_has_its_launch_argument(
    verb: str, file: LaunchFile, alone: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main.main([verb, "--help"])
    options = set(re.findall(r"--([a-z-]+)", capsys.readouterr().out)) - {"help", *alone}
    assert len(options) > 5
    for option in options:
        name, value = in_launch_words(f"--{option}").split(":=")
        (argument,) = (argument for argument in file.arguments if argument.name == name)
        assert not value or value in argument.choices


@pytest.mark.parametrize("verb", ["train", "evaluate", "deploy"])
def test_command_launch_file_and_code_that_choose_nothing_choose_the_same(verb: str) -> None:
    file = {"train": TRAIN, "evaluate": EVALUATE, "deploy": DEPLOY}[verb]
    chosen: dict[str, str] = {} if verb == "train" else {"policy": "run"}
    given = {argument.name: argument.default or "" for argument in file.arguments} | chosen
    expected = file.options(**chosen)
    _, commanded = main.parse([verb, *chosen.values()])
    assert {**vars(from_launch(file.options, given)), "settings": (), "remap": ()} == {
        **vars(expected),
        "settings": (),
        "remap": (),
    }
    assert {**vars(commanded), "settings": (), "remap": ()} == {**vars(expected), "settings": (), "remap": ()}


@pytest.mark.parametrize("value", ["0", "-3", "many", "1.5"])
def test_number_of_episodes_that_is_none_is_refused_by_the_launch_file(
    runs: Path, trained: RunDirectory, value: str
) -> None:
    with pytest.raises(ConfigError, match="episodes is "):
        launched(EVALUATE, policy="trained", runs_dir=str(runs), episodes=value)


@pytest.mark.parametrize("file", [TRAIN, EVALUATE, DEPLOY])
def test_launch_arguments_have_a_description_and_a_default_among_their_choices(file: LaunchFile) -> None:
    for argument in file.arguments:
        assert argument.help
        assert not argument.choices or argument.default in argument.choices
    assert len({argument.name for argument in file.arguments}) == len(file.arguments)


@pytest.mark.parametrize("path", LAUNCH_FILES, ids=lambda path: path.name)
def test_launch_file_hands_an_existing_description_on(path: Path) -> None:
    tree = ast.parse(path.read_text())
    imported = [
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "sac_control.cli.launch_arguments"
        for alias in node.names
    ]
    assert imported == [path.name.removesuffix(".launch.py").upper()]
    assert isinstance(getattr(launch_arguments, imported[0]), LaunchFile)
    assert "generate_launch_description" in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("path", LAUNCH_FILES, ids=lambda path: path.name)
def test_launch_file_makes_a_description_with_its_arguments_and_nodes(
    path: Path, runs: Path, trained: RunDirectory
) -> None:
    pytest.importorskip("launch.actions", reason="the launch library is not on PyPI: it comes with a ROS installation")
    launch = pytest.importorskip("launch")
    pytest.importorskip("launch_ros")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    description = module.generate_launch_description()
    file: LaunchFile = getattr(launch_arguments, path.name.removesuffix(".launch.py").upper())
    arguments = description.get_launch_arguments()
    assert [argument.name for argument in arguments] == [argument.name for argument in file.arguments]
    context = launch.LaunchContext()
    context.launch_configurations.update(policy="trained", runs_dir=str(runs))
    entities = [entity for part in description.entities for entity in part.visit(context) or ()]
    nodes = [entity for entity in entities if hasattr(entity, "node_executable")]
    expected = {"train": ["learner", "simulator", "policy"], "evaluate": ["evaluator", "simulator", "policy"]}
    assert [node.node_executable for node in nodes] == expected.get(path.name.split(".")[0], ["policy"])


def test_options_that_contradict_each_other_are_refused_before_anything_is_started(tmp_path: Path) -> None:
    for settings, message in (
        (("learner.backend=native", "learner.use_sde=true"), "learner.backend native"),
        (("learner.alpha=0.5", "learner.algorithm=sac_v1"), "learner.alpha is a setting of sac"),
        (("learner.use_sde=true", "learner.noise_correlation=0.5"), "leave one out"),
        (("learner.deterministic=true", "simulator.mode=realtime"), "choose lockstep"),
        (("learner.deterministic=true", "simulator.flow_control=false"), "waits for no update"),
    ):
        with pytest.raises(ConfigError, match=message):
            plan_training(TrainingOptions(runs_dir=tmp_path, settings=settings))
    assert not list(tmp_path.iterdir())


def test_one_option_names_the_task_of_all_three_nodes(tmp_path: Path) -> None:
    plan = plan_training(TrainingOptions(runs_dir=tmp_path, run="up", task="inverted_pendulum_swingup"))
    assert plan.run is not None
    assert plan.run.config.read_text().count("task: inverted_pendulum_swingup") == 3
