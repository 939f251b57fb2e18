"""What is shipped for a robot's computer: a unit that never arms, an image without torch and simulators."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from policies import make_file
from sac_control.cli.main import parse
from sac_control.cli.plan import plan_deployment
from sac_control.system.preflight import CONTROL

ROOT = Path(__file__).parent.parent
UNIT, CONTAINER = ROOT / "config" / "sac_control.service", ROOT / "config" / "Containerfile"
APT = {"numpy": "python3-numpy", "yaml": "python3-yaml"}


def command() -> list[str]:
    """The words behind the executable."""
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNIT)
    executable, *words = shlex.split(parser["Service"]["ExecStart"])
    assert Path(executable).name == "sac_control"
    return words


def test_unit_starts_a_policy_node_that_waits_to_be_armed_each_time(tmp_path: Path) -> None:
    policy, robot = tmp_path / "policy.safetensors", tmp_path / "robot.yaml"
    policy.write_bytes(make_file().to_bytes())
    robot.write_text("policy:\n  ros__parameters:\n    max_command: 100.0\n")
    places = {"/etc/sac_control/policy.safetensors": str(policy), "/etc/sac_control/robot.yaml": str(robot)}
    verb, options = parse([places.get(word, word) for word in command()])
    assert verb.name == "deploy"
    (node,) = plan_deployment(options)
    assert node.parameters["require_arm"] is True
    assert node.restart_parameters["require_arm"] is True
    lines = [line for line in UNIT.read_text().splitlines() if not line.startswith("#")]
    assert not [line for line in lines if re.match(r"Exec(?!Start=)", line) or "require_arm" in line]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_accepts_the_unit() -> None:
    checked = subprocess.run(["systemd-analyze", "verify", UNIT], capture_output=True, text=True, timeout=60)
    complaints = [line for line in checked.stderr.splitlines() if "sac_control.service" in line]
    assert [line for line in complaints if "is not executable" not in line] == []  # it is not installed here


def test_image_has_what_a_policy_node_needs_and_neither_torch_nor_a_simulator() -> None:
    text = CONTAINER.read_text()
    robot = text[text.rindex("FROM ") :]
    for package in CONTROL:
        assert APT.get(package, package) in robot
    for package in ("torch", "pybullet", "mujoco", "gymnasium", "matplotlib"):
        assert package not in robot
    entry = [line for line in robot.splitlines() if line.startswith("CMD ")]
    assert parse(re.findall(r'"([^"]*)"', entry[0]))[0].name == "deploy"
