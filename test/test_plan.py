"""Plans of trainings: which nodes are started with which arguments, and what is refused before anything is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from learners import sac
from plans import by_name, configuration, training
from policies import OTHER_RUN_ID, RUN_ID
from sac_control.cli import plan as plan_module
from sac_control.cli.options import (
    DeploymentOptions,
    EvaluationOptions,
    TrainingOptions,
)
from sac_control.cli.plan import plan_deployment, plan_evaluation, plan_training
from sac_control.errors import (
    ConfigError,
    RunError,
)
from sac_control.policy.policy_config import PolicyConfig
from sac_control.simulation.simulator_config import SimulatorConfig
from sac_control.store.run_directory import RunDirectory
from sac_control.tasks import engine_choice
from sac_control.training.learner_config import learner_config

pytestmark = pytest.mark.usefixtures("alike_everywhere")


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
