"""Plans around a policy: evaluations and deployments, and the policies that they refuse."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plans import by_name, launched
from policies import RUN_ID, SPECIFICATION, make_file
from sac_control.cli import main
from sac_control.cli.launch_arguments import DEPLOY
from sac_control.cli.named import find_policy
from sac_control.cli.options import (
    EVALUATION_SEED,
    DeploymentOptions,
    EvaluationOptions,
)
from sac_control.cli.plan import Plan, plan_deployment, plan_evaluation
from sac_control.errors import (
    ConfigError,
    PolicyFileError,
    RunError,
)
from sac_control.store.run_directory import RunDirectory
from sac_control.types import Specification

pytestmark = pytest.mark.usefixtures("alike_everywhere")


COMMANDS = "effort_controller/commands"  # as the node itself calls them


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
