"""The same command gives the same bytes, its end included, whatever else the computer has to do.

``SAC_CONTROL_FAULTS=full`` repeats it ten times, half of them beside load.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from killable_learner import ROW_SIZE
from sac_control.policy.policy_file import PolicyFile
from test_end_to_end import sac_control

REPETITIONS = 10 if os.environ.get("SAC_CONTROL_FAULTS") == "full" else 2
UNTIL_SOLVED = ("--max-steps", "800", "--until", "solved", "--require-solved")
OF_THE_RUN_ALONE = ("run", "run_id", "wall_seconds", "solved_after", "sha256", "manifest_sha256")  # in state.json


@contextmanager
def load(processes: int) -> Iterator[None]:
    """As many processes that compute for nothing."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def counters(checkpoint: Path) -> dict[str, Any]:
    """All that its state.json says of the training, but for random names and for how often a transition came again."""
    text = (checkpoint / "state.json").read_text()
    for source, *_ in json.loads(text)["training"]["arrivals"]["next"]:
        text = text.replace(str(source), "0")
    state = json.loads(text)
    del state["training"]["arrivals"]["duplicates"]
    return {name: value for name, value in state.items() if name not in OF_THE_RUN_ALONE}


def fingerprint(run: Path) -> dict[str, Any]:
    """What a training has come to: what must be the same in every repetition."""
    found: dict[str, Any] = {}
    for link in ("latest", "best"):
        checkpoint = run / "checkpoints" / link
        if not checkpoint.exists():
            continue
        policy = PolicyFile.read(checkpoint / "policy.safetensors")
        found[f"{link}.policy"] = (policy.policy_version, policy.env_steps, policy.specification)
        found[f"{link}.actor"] = [array.tobytes() for layer in policy.actor.layers for array in layer]
        found[f"{link}.learner"] = (checkpoint / "learner.safetensors").read_bytes()
        found[f"{link}.counters"] = counters(checkpoint)
    for name in ("replay/transitions.f32", "evaluations.csv", "episodes.csv"):
        found[name] = (run / name).read_bytes()
    return found


def train(folder: Path, *arguments: str) -> Path:
    """A run below `folder`, trained by the command."""
    done = sac_control(
        folder,
        *("train", "--run", "same", "--runs-dir", str(folder), "--no-video"),
        *("--set", "learner.deterministic=true", *arguments),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "same"


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that is repeated."""
    return train(tmp_path_factory.mktemp("solved"), "--seed", "5", *UNTIL_SOLVED)


@pytest.mark.long
def test_the_same_training_ends_with_the_same_bytes_beside_load_and_without(solved: Path, tmp_path: Path) -> None:
    first = fingerprint(solved)
    for k in range(1, REPETITIONS):
        (tmp_path / str(k)).mkdir()
        with load(2 * (k % 2)):
            found = fingerprint(train(tmp_path / str(k), "--seed", "5", *UNTIL_SOLVED))
        assert found.keys() == first.keys()
        assert [name for name in found if found[name] != first[name]] == [], f"repetition {k} came to something else"


@pytest.mark.long
def test_another_seed_gives_other_numbers(solved: Path, tmp_path: Path) -> None:
    """From the first transitions on, before anything is learnt."""
    name, size = Path("replay") / "transitions.f32", 50 * 4 * ROW_SIZE
    other = train(tmp_path, "--seed", "6", "--max-steps", "100", "--set", "learner.evaluation_every=0")
    rows, others = ((run / name).read_bytes()[:size] for run in (solved, other))
    assert len(rows) == len(others) == size
    assert rows != others


@pytest.mark.long
def test_a_training_that_runs_out_of_transitions_ends_with_the_same_bytes_too(tmp_path: Path) -> None:
    runs = []
    for k in range(2):
        (tmp_path / str(k)).mkdir()
        arguments = ("--seed", "7", "--max-steps", "450", "--set", "learner.evaluation_every=150")
        runs.append(fingerprint(train(tmp_path / str(k), *arguments)))
    assert [name for name in runs[0] if runs[0][name] != runs[1][name]] == []
