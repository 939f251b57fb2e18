"""docs/your_robot.md keeps its word: its commands, followed to the letter, lead from a URDF to a policy that holds."""

from __future__ import annotations

import copy
import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from sac_control.cli.main import parse
from sac_control.tasks.file_task import FileTask
from sac_control.tasks.task_file import OPTIONAL, REQUIRED, read_task
from stand_in import Deployment

pytest.importorskip("mujoco")
ROOT = Path(__file__).parent.parent
GUIDE = (ROOT / "docs" / "your_robot.md").read_text()
ROBOTS = ROOT / "test" / "robots"


def blocks(language: str) -> list[str]:
    """What the guide has between ``` and ``` of a language."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
    return [text for of, text in found if of == language]


def commands() -> list[list[str]]:
    """The words of all commands of the guide but `export`, in order."""
    lines = [line for block in blocks("bash") for line in block.splitlines()]
    return [shlex.split(line) for line in lines if not line.startswith("export ")]


def edited(text: str, edits: str) -> str:
    """A task file in which the keys of `edits` have the values that stand there."""
    for line in edits.splitlines():
        key = line.partition(":")[0]
        pattern = rf"^{key}:.*\n(?:[ -].*\n)*"
        assert len(re.findall(pattern, text, re.MULTILINE)) == 1, key
        text = re.sub(pattern, line.replace("\\", r"\\") + "\n", text, flags=re.MULTILINE)
    return text


def without_numbers(text: str) -> str:
    """Figures of random episodes are those of one machine."""
    return re.sub(r"-?\d[\d.e-]*", "N", text)


def run(folder: Path, words: list[str]) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "ROS_DOMAIN_ID"}
    assert words[0] == "sac_control"
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


def test_commands_of_the_guide_lead_from_a_urdf_to_a_pendulum_that_is_held(tmp_path: Path) -> None:
    shutil.copy(ROBOTS / "furuta.urdf", tmp_path)
    new_task, check_task, train, evaluate, info, simulator, deploy, arm, stop = commands()
    assert [words[1] for words in (new_task, check_task, train, evaluate, info, deploy)] == [
        "new-task", "check-task", "train", "evaluate", "info", "deploy",
    ]  # fmt: skip
    run(tmp_path, new_task)
    file = tmp_path / "furuta.yaml"
    file.write_text(edited(file.read_text(), blocks("yaml")[0]))
    assert read_task(file).hash == read_task(ROBOTS / "furuta_balance.yaml").hash, "not the task of the guide's figures"
    told = run(tmp_path, check_task)
    printed = next(block for block in blocks("") if block.startswith("furuta: "))
    for line in printed.splitlines():
        assert without_numbers(line.strip("… ")) in without_numbers(told), line
    assert (tmp_path / "furuta.png").stat().st_size > 1000

    assert "solved after" in run(tmp_path, [*train, "--until", "solved", "--require-solved"])
    lowest = re.findall(r"worst ([\d.]+)", run(tmp_path, evaluate))
    assert float(*lowest) > 900.0
    assert "furuta" in run(tmp_path, info)

    assert (arm[:3], stop[:3]) == (["ros2", "service", "call"],) * 2
    assert simulator[:3] == ["python3", "-m", "sac_control.nodes.simulator"]
    with Deployment(tmp_path, simulator=simulator[3:], deploy=deploy[1:]) as robot:
        assert (arm[3], stop[3]) == ("policy/arm", "policy/stop")
        robot.arm()
        robot.holds(200, lambda positions: abs(positions["pendulum"]) < 0.4)
        robot.stop()


def test_every_option_and_verb_of_the_guide_is_known() -> None:
    for words in commands():
        if words[0] == "sac_control":
            parse(words[1:])
    for words in re.findall(r"`sac_control ([^`]+)`", GUIDE):
        assert parse(shlex.split(words) + (["TASK"] if words in ("new-task", "check-task") else []))


def test_every_key_of_a_task_file_stands_in_the_table_with_its_default() -> None:
    table = GUIDE[GUIDE.index("| key |") : GUIDE.index("An expression names")]
    rows = {row.split("|")[1].strip(): row.split("|")[4].strip() for row in table.splitlines()[2:] if row}
    named = {name for cell in rows for name in re.findall(r"`([^`]+)`", cell)}
    assert {name for name in named if not re.search(r"[.\[]", name)} == {*REQUIRED, *OPTIONAL}
    assert {key.strip("`") for key, default in rows.items() if not default} - {"engines"} == {
        *REQUIRED, "actuators.*.limit",
    }  # fmt: skip


def test_class_of_the_guide_is_a_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(ROBOTS / "furuta_balance.yaml", tmp_path / "furuta.yaml")
    (source,) = blocks("python")
    (tmp_path / "my_tasks.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    task = importlib.import_module("my_tasks").metronome()
    assert isinstance(task, FileTask)
    assert type(copy.copy(task)) is type(task), "an evaluation in its process asks for something else"
    row = [0.3, 0.4, *np.zeros(task.layout.width - 2)]
    assert task.reward([row]) == pytest.approx(0.5)
    (entry,) = [block for block in blocks("toml") if "sac_control.tasks" in block]
    assert 'metronome = "my_tasks:metronome"' in entry


def test_levels_of_the_guide_are_those_of_the_files() -> None:
    for name in re.findall(r"^\| \[(\w+\.yaml)\]", GUIDE, re.MULTILINE):
        assert yaml.safe_load((ROBOTS / name).read_text())["solved_return"] > 0
