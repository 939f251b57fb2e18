"""An algorithm of a package outside of the repository: one file, found by name, held to the contract, and trained."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.needs("torch")
Run = Callable[..., subprocess.CompletedProcess[str]]
HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs Python, with the package installed, in a folder of its own."""
    source, target = tmp_path_factory.mktemp("source") / "td3", tmp_path_factory.mktemp("target")
    shutil.copytree(HERE / "packages" / "td3", source)  # pip builds where the source is
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--no-build-isolation", "--no-deps", "--no-index"]
    options = ["--disable-pip-version-check", "--target", str(target), str(source)]
    done = subprocess.run([*pip, *options], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(target), str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = {name: value for name, value in os.environ.items() if name != "ROS_DOMAIN_ID"}
        return subprocess.run(
            [sys.executable, *words],
            capture_output=True,
            text=True,
            timeout=300,
            cwd=target,
            env={**environment, "PYTHONPATH": path},
        )

    return run


def test_it_is_held_to_the_contract_of_algorithms(run: Run) -> None:
    done = run("-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / "test_algorithm_contract.py"), "-k", "td3")
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
    assert " skipped" not in done.stdout


@pytest.mark.long
def test_it_trains_through_the_nodes_and_says_what_it_alone_has_to_say(run: Run, tmp_path: Path) -> None:
    small = [
        "learner.hidden_sizes=[16]",
        "learner.evaluation_every=0",
        "learner.replay_ratio=1",
        "learner.algorithm=td3",
    ]
    settings = [word for text in (*small, "learner.exploration_noise=0.3") for word in ("--set", text)]
    done = run("-m", "sac_control", "train", "--runs-dir", str(tmp_path), "--run", "a", "--max-steps", "300", *settings)
    assert done.returncode == 0, done.stdout + done.stderr
    columns = (tmp_path / "a" / "metrics.csv").read_text().splitlines()[0].split(",")
    assert columns[3:5] == ["critic_loss", "actor_loss"]
    assert "alpha" not in columns
    assert "algorithm: td3" in (tmp_path / "a" / "config.yaml").read_text()
    done = run(
        "-m", "sac_control", "train", "--runs-dir", str(tmp_path), "--run", "a", "--max-steps", "400", "--resume"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "resumes at step 300" in done.stdout


COMPLAINTS = {  # settings: what is said
    "algorithm=td4": "learner.algorithm 'td4' is not known; did you mean td3?",
    "algorithm=unfinished": "algorithm 'unfinished' of the package td3-lab is <class 'td3_lab.Unfinished'>: expected a "
    "class that derives from sac_control.algorithms.algorithm.AlgorithmConfig; it lacks check, make",
    "algorithm=nowhere": "algorithm 'nowhere' of the package td3-lab cannot be loaded: No module named 'td3_nowhere'",
    "exploration_noise=0.1": "learner.exploration_noise is a setting of td3, and learner.algorithm sac has no such",
    "algorithm=td3 alpha=0.1": "learner.alpha is a setting of sac, and learner.algorithm td3 has no such thing",
}
TRY = """
import sys
from sac_control.errors import ConfigError
from sac_control.training.learner_config import learner_config

for text in sys.argv[1:]:
    try:
        learner_config(**dict(word.split("=") for word in text.split()))
    except ConfigError as error:
        print(error)
"""


def test_what_is_broken_or_of_another_algorithm_is_told_in_one_sentence(run: Run) -> None:
    done = run("-c", TRY, *COMPLAINTS)
    assert done.returncode == 0, done.stderr
    for complaint, line in zip(COMPLAINTS.values(), done.stdout.splitlines(), strict=True):
        assert complaint in line
