"""Environments of Gymnasium through the command, the way a user types it: real processes, real DDS."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
from pathlib import Path

import pytest

from sac_control.policy.policy_file import PolicyFile
from test_end_to_end import Running, sac_control

TASK = ("--task", "gymnasium/Pendulum-v1")
SMALL = ("--set", "learner.hidden_sizes=[16]", "--set", "learner.warmup_steps=50")


def rows(run: Path, table: str) -> list[dict[str, str]]:
    with (run / f"{table}.csv").open() as stream:
        return list(csv.DictReader(stream))


def test_training_learns_swaps_and_evaluates_and_its_policy_runs_there_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = sac_control(tmp_path, "train", *TASK, "--run", "swing", "--max-steps", "700")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "note: gymnasium/Pendulum-v1 was registered without reward_threshold" in done.stderr
    assert re.search(r"mean return -\d+\.\d, lowest -\d+\.\d", done.stdout)
    run = tmp_path / "runs" / "swing"
    summary = json.loads((run / "summary.json").read_text())
    assert (summary["env_steps"], summary["solved"]) == (700, False)
    assert summary["policy_version"] > 5
    evaluations = rows(run, "evaluations")
    assert len(evaluations) > 1
    assert {row["solved_episodes"] for row in evaluations} == {"0"}
    assert [row["length"] for row in rows(run, "episodes")] == ["200"] * 3
    assert (run / "curve.png").exists()
    assert (run / "best.gif").stat().st_size > 10_000
    assert "error" not in done.stderr  # nor of a display that pictures do not need

    result = json.loads(sac_control(tmp_path, "evaluate", "swing", "--episodes", "3", "--json").stdout)
    assert result["lengths"] == [200] * 3
    assert result["missing_transitions"] == 0
    assert result["mean_return"] > -1400.0, "it has learnt something"
    told = sac_control(tmp_path, "info", "swing").stdout
    assert "gymnasium/Pendulum-v1" in told
    assert "action[0] by action, at most 1 (no unit)" in told
    refused = sac_control(tmp_path, "deploy", "swing")
    assert refused.returncode == 2
    assert refused.stderr == (
        "error: policy is for gymnasium/Pendulum-v1, which has no joints, so it can move no robot: sac_control "
        "evaluate runs it in its environment\n"
    )
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    windowless = sac_control(tmp_path, "evaluate", "swing", "--gui")
    assert windowless.returncode != 0
    assert "there is no display (DISPLAY is not set)" in windowless.stderr


@pytest.mark.long
def test_two_deterministic_trainings_have_the_same_numbers(tmp_path: Path) -> None:
    files = []
    for name in ("one", "two"):
        options = ("--max-steps", "260", "--seed", "3", "--set", "learner.deterministic=true")
        done = sac_control(tmp_path, "train", *TASK, *SMALL, *options, "--run", name)
        assert done.returncode == 0, done.stdout + done.stderr
        run = tmp_path / "runs" / name
        actor = PolicyFile.read(run / "checkpoints" / "latest" / "policy.safetensors").actor
        layers = [array.tobytes() for layer in actor.layers for array in layer]
        tables = [rows(run, "evaluations"), [row["return"] for row in rows(run, "episodes")]]
        files.append((layers, (run / "replay" / "transitions.f32").read_bytes(), tables))
    assert files[0] == files[1]


@pytest.mark.long
def test_killed_training_is_resumed_at_the_start_of_an_episode(tmp_path: Path) -> None:
    arguments = ("--set", "learner.evaluation_every=0", "--set", "learner.checkpoint_every=50")
    running = Running(tmp_path, "train", *TASK, *SMALL, *arguments, "--run", "killed", "--max-steps", "100000")
    latest = tmp_path / "runs" / "killed" / "checkpoints" / "latest" / "state.json"
    running.until(lambda: re.search(r"step \d{3,}/", running.output) and latest.exists())
    children = [running.child(node) for node in ("simulator", "policy", "learner")]
    for process in (running.process.pid, *children):
        os.kill(process, signal.SIGKILL)
    running.process.wait(60)
    before = json.loads(latest.read_text())["training"]["transitions"]
    run = tmp_path / "runs" / "killed"
    done = sac_control(tmp_path, "train", "--run", "killed", "--resume", "--max-steps", str(before + 700))
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"resumes at step \d+", done.stdout)
    assert json.loads((run / "summary.json").read_text())["env_steps"] == before + 700
    assert {row["length"] for row in rows(run, "episodes")} == {"200"}, "of the one that was cut off, nothing counts"


def test_training_in_real_time_goes_on_while_the_environment_waits_for_nobody(tmp_path: Path) -> None:
    options = ("--set", "simulator.mode=realtime", "--set", "simulator.real_time_factor=5", "--max-steps", "300")
    relaxed = ("--set", "simulator.command_timeout=0.2", "--set", "learner.evaluation_every=0")
    done = sac_control(tmp_path, "train", *TASK, *SMALL, *options, *relaxed, "--run", "real")
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((tmp_path / "runs" / "real" / "summary.json").read_text())
    assert summary["env_steps"] == 300
    assert summary["updates"] > 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--task", "gymnasium/MountainCar-v0"), "so choose gymnasium/MountainCarContinuous-v0"),
        (("--task", "gymnasium/Pendulum-v1,gg=3"), "gg is not known; did you mean g?"),
        ((*TASK, "--engine", "mujoco"), "engine 'mujoco' was chosen for gymnasium/Pendulum-v1, which simulates itself"),
        (("--task", "Pendulum-v1"), "an environment of Gymnasium is named gymnasium/Pendulum-v1"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_starts(
    tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    done = sac_control(tmp_path, "train", *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "runs").exists()
