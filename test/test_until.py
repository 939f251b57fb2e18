"""What ends a training: `learner.until` and --until, what was in its place before, and what is required of the end."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from sac_control.cli import config_file, main
from sac_control.cli.config_file import RunConfig
from sac_control.cli.options import TrainingOptions
from sac_control.cli.plan import plan_training
from sac_control.errors import ConfigError
from sac_control.tasks.catalogue import make_task
from sac_control.training.goal import GOALS, Goal, goal_of
from sac_control.training.learner_config import learner_config
from task_files import GOOD, ROBOT

REPLACED = (
    "learner.stop_when_solved was replaced by learner.until: write learner.until=steps for false, "
    "or learner.until=solved for true"
)


def test_a_training_ends_hardened_where_its_task_has_an_exam_and_else_solved(tmp_path: Path) -> None:
    (tmp_path / "arm.urdf").write_text(ROBOT)
    (tmp_path / "arm.yaml").write_text(GOOD)
    without, with_exam = make_task(str(tmp_path / "arm.yaml")), make_task("inverted_pendulum")
    assert (goal_of("", without), goal_of("", with_exam)) == (Goal.SOLVED, Goal.HARDENED)
    assert [goal_of(until, with_exam).value for until in GOALS] == ["solved", "hardened", "steps"]
    assert goal_of("", with_exam, has_gate=False) is Goal.SOLVED
    with pytest.raises(ConfigError, match=r"learner.gate_every is 0, with which no plant is ever tried"):
        goal_of("hardened", with_exam, has_gate=False)
    with pytest.raises(ConfigError, match=r"^learner.until is hardened, but the task arm_up has no exam: give its"):
        goal_of("hardened", without)


@pytest.mark.parametrize("until", ["", *GOALS])
def test_the_option_is_the_setting(tmp_path: Path, until: str) -> None:
    plan = plan_training(TrainingOptions(run="new", runs_dir=tmp_path, until=until))
    assert plan.run is not None
    assert config_file.read(plan.run.config).learner.until == until


def test_the_option_is_stronger_than_a_parameter_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("/**/learner:\n  ros__parameters: {until: steps}\n")
    plan = plan_training(TrainingOptions(run="new", runs_dir=tmp_path, config=tmp_path / "a.yaml", until="solved"))
    assert plan.run is not None
    assert config_file.read(plan.run.config).learner.until == "solved"


def refusal(options: TrainingOptions) -> str:
    with pytest.raises(ConfigError) as refused:
        plan_training(options)
    assert not (options.runs_dir / "new").exists()
    return str(refused.value)


def test_another_goal_is_refused_in_words(tmp_path: Path) -> None:
    options = TrainingOptions(run="new", runs_dir=tmp_path, until="perfect")
    assert refusal(options) == "learner.until is 'perfect': expected one of solved, hardened, steps, or nothing"


def test_what_cannot_be_hardened_is_refused_before_anything_starts(tmp_path: Path) -> None:
    swing_up = TrainingOptions(run="new", runs_dir=tmp_path, task="gymnasium/Pendulum-v1")
    assert refusal(dataclasses.replace(swing_up, until="hardened")) == (
        "learner.until is hardened, but the task gymnasium/Pendulum-v1 has no exam: give its task file one (exam:), or "
        "write learner.until=solved"
    )
    assert "the task gymnasium/Pendulum-v1 has no exam: require that it be solved" in refusal(
        dataclasses.replace(swing_up, require_hardened=True)
    )
    assert "learner.until is solved: require that it be solved" in refusal(
        TrainingOptions(run="new", runs_dir=tmp_path, until="solved", require_hardened=True)
    )


@pytest.mark.parametrize("value", ["true", "false"])
@pytest.mark.parametrize("node", ["/**/learner", "/**"])
def test_the_removed_setting_is_refused_in_one_sentence_wherever_it_stands(
    tmp_path: Path, value: str, node: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(f"{node}:\n  ros__parameters: {{stop_when_solved: {value}}}\n")
    assert refusal(TrainingOptions(run="new", runs_dir=tmp_path, config=file)) == f"{file}: {REPLACED}"
    setting = f"learner.stop_when_solved={value}"
    assert refusal(TrainingOptions(run="new", runs_dir=tmp_path, settings=(setting,))) == REPLACED
    assert main.main(["train", "--runs-dir", str(tmp_path), "--set", setting]) == 2
    assert capsys.readouterr().err == f"error: {REPLACED}\n"


@pytest.mark.parametrize(("was", "until"), [(True, "solved"), (False, "steps")])
def test_a_run_that_was_begun_with_the_removed_setting_goes_on_as_it_says(
    tmp_path: Path, was: bool, until: str
) -> None:
    begun = plan_training(TrainingOptions(run="old", runs_dir=tmp_path)).run
    assert begun is not None
    text = begun.config.read_text().replace("until: ''", f"stop_when_solved: {json.dumps(was)}")
    assert "stop_when_solved" in text
    begun.config.write_text(text)
    (begun.path / "checkpoints").mkdir()
    config = config_file.read_begun(begun.config, RunConfig())
    assert config.learner == learner_config(**{**config.learner.to_mapping(), "until": until})
    plan_training(TrainingOptions(run="old", runs_dir=tmp_path, resume=True))
    assert config_file.read(begun.config).learner.until == until, "it was written in words of today"
    plan_training(TrainingOptions(run="old", runs_dir=tmp_path, resume=True, until="hardened"))
    assert config_file.read(begun.config).learner.until == "hardened", "what is asked for now is stronger"
