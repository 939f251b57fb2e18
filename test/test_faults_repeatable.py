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

from sac_control.policy.policy_file import PolicyFile
from test_end_to_end import sac_control

REPETITIONS = 10 if os.environ.get("SAC_CONTROL_FAULTS") == "full" else 2
OF_THE_RUN_ALONE = ("run", "run_id", "wall_seconds", "sha256", "manifest_sha256")  # in state.json


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


@pytest.mark.xdist_group("time")  # its load is not for those who measure
def test_the_same_training_ends_with_the_same_bytes_beside_load_and_without(tmp_path: Path) -> None:
    arguments = ("train", "--run", "same", "--seed", "5", "--max-steps", "800", "--set", "learner.deterministic=true")
    first: dict[str, Any] = {}
    for k in range(REPETITIONS):
        with load(2 * (k % 2)):
            done = sac_control(tmp_path, *arguments, "--runs-dir", str(k), "--require-solved")
        assert done.returncode == 0, done.stdout + done.stderr
        found = fingerprint(tmp_path / str(k) / "same")
        first = first or found
        assert found.keys() == first.keys()
        assert [name for name in found if found[name] != first[name]] == [], f"repetition {k} came to something else"


def test_a_training_that_runs_out_of_transitions_ends_with_the_same_bytes_too(tmp_path: Path) -> None:
    settings = ("--set", "learner.deterministic=true", "--set", "learner.evaluation_every=150")
    arguments = ("train", "--run", "same", "--seed", "7", "--max-steps", "450", *settings)
    runs = []
    for k in range(2):
        done = sac_control(tmp_path, *arguments, "--runs-dir", str(k))
        assert done.returncode == 0, done.stdout + done.stderr
        runs.append(fingerprint(tmp_path / str(k) / "same"))
    assert [name for name in runs[0] if runs[0][name] != runs[1][name]] == []
