"""Removes one protection after the other, in a copy of the package, and sees that a test then fails.

A test of a protection proves nothing unless it fails without it. `make faults FORM=short` removes one in five, `make
faults` all of them; `make test` sees that each is where its row says.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from negative_controls import Controls, learner, policy, restarts, robot, safety, states, traffic, trust, wires

ROOT = Path(__file__).parent.parent
SHORT = tuple(table.SHORT for table in (safety, states, policy, robot, learner, trust, traffic, restarts, wires))
LONG = (learner.LONG, traffic.LONG, restarts.LONG, wires.LONG)
EVERY = 5


@dataclass(frozen=True)
class Control:
    """A protection that is taken away."""

    file: str  # in the package
    protection: str  # text that is there once
    instead: str
    name: str  # of the test that must fail, as ``pytest -k`` takes it
    tests: tuple[str, ...]  # files in which that test is

    def __str__(self) -> str:
        return f"{self.file}, {self.name}"


def controls(tables: tuple[Controls, ...]) -> list[Control]:
    return [Control(*row, tests) for table in tables for tests, rows in table.items() for row in rows]


CHOSEN = controls(SHORT + LONG) if os.environ.get("SAC_CONTROL_FAULTS") == "full" else controls(SHORT)[::EVERY]


def copied(tmp_path: Path) -> Path:
    for folder in ("sac_control", "test", "config"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "build"))
    return tmp_path


def outcome_of(copy: Path, name: str, files: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    others = ("PYTEST_", "COV_", "SAC_CONTROL_")  # the short form of a test is enough to see it fail
    environment = {key: value for key, value in os.environ.items() if not key.startswith(others)}
    environment["SAC_CONTROL_TEST_PATIENCE"] = "20"  # [s] for what will not come
    environment["PYTHONPATH"] = os.pathsep.join([str(copy), environment.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-k", name, *files],
        cwd=copy / "test",
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )


@pytest.mark.long
@pytest.mark.parametrize("control", CHOSEN, ids=str)
def test_without_its_protection_a_test_fails(tmp_path: Path, control: Control) -> None:
    copy = copied(tmp_path)
    path = copy / "sac_control" / control.file
    text = path.read_text()
    assert text.count(control.protection) == 1, f"{control.file} has no such protection any more: {control.protection}"
    path.write_text(text.replace(control.protection, control.instead))
    done = outcome_of(copy, control.name, control.tests)
    assert done.returncode == 1, f"no test fails without {control.protection}:\n{done.stdout[-2000:]}"
    assert "error" not in done.stdout.splitlines()[-1], done.stdout[-2000:]


@pytest.mark.long
def test_the_copy_itself_passes(tmp_path: Path) -> None:
    done = outcome_of(
        copied(tmp_path), "limiter_clamps or three_usable_states", ("test_controller.py", "test_safety.py")
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("control", controls(SHORT + LONG), ids=str)
def test_each_protection_is_where_the_table_says(control: Control) -> None:
    assert (ROOT / "sac_control" / control.file).read_text().count(control.protection) == 1
    assert all((ROOT / "test" / name).exists() for name in control.tests)
