"""What needs joints, or trust, is refused for an environment of Gymnasium in one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gymnasium_environments import TOLD
from policies import make_file
from sac_control.cli.options import EvaluationOptions
from sac_control.cli.plan import plan_evaluation
from sac_control.cli.robot_view import robot_view
from sac_control.errors import ConfigError, PolicyFileError
from sac_control.policy.controller import Controller
from sac_control.policy.policy_config import PolicyConfig
from sac_control.tasks.catalogue import make_task
from test_end_to_end import COMMAND, environment

PENDULUM = "gymnasium/Pendulum-v1"


def test_policy_without_joints_moves_no_robot_and_is_nobodys_shadow() -> None:
    file = make_file(specification=make_task(PENDULUM).specification)
    with pytest.raises(PolicyFileError, match="policy is for gymnasium/Pendulum-v1, which has no joints, so it can mo"):
        Controller(PolicyConfig(task=PENDULUM)).install(file)
    simulated = Controller(PolicyConfig(task=PENDULUM, lockstep=True))
    simulated.install(file)
    with pytest.raises(PolicyFileError, match="shadow policy is for gymnasium/Pendulum-v1, which has no joints"):
        simulated.admit_shadow(file)


def test_there_is_nothing_to_show_in_rviz() -> None:
    with pytest.raises(ConfigError, match="gymnasium/Pendulum-v1 has no robot: expected a task that has joints"):
        robot_view(PENDULUM)


def test_policy_file_alone_has_no_module_imported(tmp_path: Path) -> None:
    """What it names may be on the path of Python by chance, or by somebody's intention."""
    path = tmp_path / "policy.safetensors"
    path.write_bytes(make_file(specification=make_task(TOLD).specification).to_bytes())
    with pytest.raises(ConfigError, match="whose module would be imported and run: if you trust it, give --task gymna"):
        plan_evaluation(EvaluationOptions(policy=str(path)))
    assert plan_evaluation(EvaluationOptions(policy=str(path), task=TOLD)).nodes
    code = (
        "import sys\nfrom sac_control.cli.main import main\n"
        f"assert main(['evaluate', {str(path)!r}]) == 2\nassert 'gymnasium_environments' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), timeout=120)
    assert done.returncode == 0, done.stderr


def test_environment_that_shows_nan_ends_the_training_with_a_sentence(tmp_path: Path) -> None:
    path = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
    words = ("train", "--task", f"{TOLD},fault=observation", "--max-steps", "300", "--restarts", "0")
    done = subprocess.run(
        [*COMMAND, *words],
        cwd=tmp_path,
        env={**environment(), "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "is [3.0, nan] at step 3 of an episode: expected 2 finite numbers, so mend the environment" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_task_of_gymnasium_is_checked_by_random_episodes(tmp_path: Path) -> None:
    words = ("check-task", "gymnasium/MountainCarContinuous-v0", "--episodes", "1")
    done = subprocess.run(
        [*COMMAND, *words], cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert "gymnasium/MountainCarContinuous-v0: an environment without joints" in done.stdout
    assert "random episodes (solved from a return of 90 on):" in done.stdout
    assert (tmp_path / "MountainCarContinuous-v0.png").stat().st_size > 100
    assert "next: sac_control train --task gymnasium/MountainCarContinuous-v0" in done.stdout
