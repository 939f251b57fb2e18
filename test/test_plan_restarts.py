"""Which nodes of a plan are started again, and as what."""

from __future__ import annotations

from pathlib import Path

import pytest

from plans import by_name, training
from sac_control.cli.options import (
    DeploymentOptions,
    EvaluationOptions,
)
from sac_control.cli.plan import plan_deployment, plan_evaluation
from sac_control.errors import (
    ConfigError,
)
from sac_control.store.run_directory import RunDirectory

pytestmark = pytest.mark.usefixtures("alike_everywhere")


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
