"""A run of the version before run ids (policy files of format 1) is read for good; see test/data/README.md."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from learners import sac
from sac_control.cli import config_file, main
from sac_control.cli.options import DeploymentOptions
from sac_control.cli.plan import plan_deployment
from sac_control.errors import ConfigError
from sac_control.policy.controller import Controller
from sac_control.policy.policy import Policy
from sac_control.policy.policy_file import PolicyFile
from sac_control.types import JointState
from test_controller import Clock
from test_end_to_end import sac_control

KEPT = Path(__file__).parent / "data" / "run_format_1"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    shutil.copytree(KEPT, tmp_path / "runs" / "old", symlinks=True)
    return tmp_path / "runs"


def content(directory: Path) -> dict[str, str]:
    """SHA-256 of every file and target of every link below `directory`."""
    paths = sorted(path for path in directory.rglob("*") if path.is_symlink() or path.is_file())
    return {
        str(path.relative_to(directory)): str(path.readlink())
        if path.is_symlink()
        else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
    }


def test_its_configuration_is_read() -> None:
    config = config_file.read_begun(KEPT / "config.yaml", config_file.RunConfig())
    assert config.learner.until == "solved", "it says stop_when_solved: true"
    assert (config.learner.seed, config.learner.run_id, sac(config.learner).hidden_sizes) == (1, "", (64, 64))
    assert (config.policy.command_limit, config.policy.max_command, config.policy.joint_map) == (0.0, 0.0, "")


def test_its_policies_are_read_and_act_as_they_did() -> None:
    for step, version in (("579", 51), ("851", 86)):
        file = PolicyFile.read(KEPT / "checkpoints" / step / "policy.safetensors")  # which tries the probes
        assert (file.run, file.run_id, file.region, file.policy_version) == ("balance", "", None, version)
        assert file.specification.interface == ("effort",)
        assert file.specification.command_limit == (100.0,)
        again = PolicyFile.from_bytes(file.to_bytes())  # as this version writes it
        observation = np.full(5, 0.1, np.float32)
        assert Policy(again.actor).act(observation) == Policy(file.actor).act(observation)


def test_info_tells_of_it(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = content(runs)
    assert main.main(["info", "old", "--runs-dir", str(runs)]) == 0
    said = capsys.readouterr().out
    assert "inverted_pendulum" in said
    assert "region" in said
    assert "not known" in said
    assert main.main(["info", "--runs-dir", str(runs)]) == 0
    assert "old" in capsys.readouterr().out
    assert content(runs) == before


def test_plot_draws_it(runs: Path) -> None:
    assert main.main(["plot", "old", "--runs-dir", str(runs)]) == 0
    assert (runs / "old" / "curve.png").stat().st_size > 10_000


def test_report_tells_of_it(runs: Path) -> None:
    assert main.main(["report", "old", "--runs-dir", str(runs)]) == 0
    assert "inverted_pendulum" in (runs / "old" / "report.html").read_text()


@pytest.mark.long
def test_evaluate_plays_it(tmp_path: Path, runs: Path) -> None:
    done = sac_control(tmp_path, "evaluate", "old", "--episodes", "3", "--json", "--stop-timeout", "300")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["returns"] == [1000.0] * 3


@pytest.mark.parametrize("is_accepted", [False, True])
def test_deploy_takes_it_and_arms_it_with_the_flag_alone(runs: Path, is_accepted: bool) -> None:
    settings = ["policy.accept_without_region=true"] if is_accepted else []
    (node,) = plan_deployment(DeploymentOptions(policy="old", runs_dir=runs, settings=settings))
    config = config_file.RunConfig().with_values({"policy": node.parameters}).policy
    clock = Clock()
    controller = Controller(config, clock, lambda: clock.wall)
    controller.install(PolicyFile.read(Path(config.policy_file)))
    controller.activate()
    joints = controller.swap.file.specification.joints if controller.swap.file else ()
    efforts, sentences = [], set()
    for count in range(1, 12):
        clock.go_on(controller.control_period)
        state = JointState(stamp=clock.wall, names=joints, position=np.array([0.0, 0.05]), velocity=np.zeros(2))
        action = controller.answer(state)
        assert action is not None
        efforts.append(abs(float(action.command[0])))
        if count == 4:
            sentences.add(controller.arm())
    ((is_armed, sentence),) = sentences
    assert is_armed is is_accepted
    assert "the policy file holds no region of training states" in sentence
    assert any(efforts) is is_accepted


def test_resume_is_refused_in_one_sentence_and_changes_nothing(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = content(runs)
    assert main.main(["train", "--run", "old", "--resume", "--runs-dir", str(runs)]) != 0
    said = capsys.readouterr().err
    assert "trained by an earlier version of sac_control, without a run id" in said
    assert len(said.strip().splitlines()) == 1
    assert content(runs) == before
    with pytest.raises(ConfigError, match="accept_without_regoin"):
        plan_deployment(DeploymentOptions(policy="old", runs_dir=runs, settings=["policy.accept_without_regoin=true"]))
