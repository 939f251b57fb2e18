"""Plans for tests: a fixture of runs, one of a trained run, and what to ask a plan. conftest.py takes it up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from policies import RUN_ID, make_file
from sac_control.cli import config_file
from sac_control.cli import plan as plan_module
from sac_control.cli.launch_arguments import LaunchFile
from sac_control.cli.node_description import NodeDescription
from sac_control.cli.options import TrainingOptions
from sac_control.cli.plan import Plan, plan_training
from sac_control.store.checkpoints import CheckpointStore
from sac_control.store.run_directory import RunDirectory
from sac_control.tasks import engine_choice

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def alike_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every new run has the id `RUN_ID`, and every engine is installed: a plan starts nothing."""
    monkeypatch.setattr(plan_module, "new_run_id", lambda: RUN_ID)
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


def parameter_file(path: Path, text: str) -> Path:
    file = path / "mine.yaml"
    file.write_text(text)
    return file


def launched(file: LaunchFile, **values: str) -> Plan:
    """The plan that a launch file makes of arguments name:=value."""
    arguments = {argument.name: argument.default for argument in file.arguments}
    assert values.keys() <= arguments.keys()
    arguments.update(values)
    assert None not in arguments.values(), "an argument without a default must be given"
    return file.plan({name: value or "" for name, value in arguments.items()})
