"""Removes one protection after the other, in a copy of the package, and sees that a test then fails.

A test of a protection proves nothing unless it fails without it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# file, what protects, what takes its place, the test that must fail
CONTROLS = [
    ("policy/limits.py", "np.minimum(np.maximum(effort, self._lowest), self._limit)  #", "effort  #", "limiter_clamps"),
    ("policy/limits.py", "if not all(map(math.isfinite, values)):", "if False:", "limiter_clamps"),
    ("policy/limits.py", "return min(max(value, last - step), last + step)", "return value", "no_force_leaves"),
    ("policy/limits.py", "    value = min(max(value, -limit), limit)\n", "", "authority_grows"),
    ("policy/controller.py", "if effort is limiter.zero:", "if False:", "becomes_zero_and_latches"),
    ("policy/controller.py", "if self._envelope is not None else", "if False else", "outside_of_the_envelope"),
    ("policy/controller.py", "freshness.check_finite(state, self._joints)", "pass", "does_not_look"),
    ("policy/controller.py", "if self._config.check_stamps and", "if False and", "system_time_older"),
    ("policy/controller.py", "self.safety.latch(cause)\n        self._withdraw()", "self.safety.latch(cause)",
     "stop_takes_the_force"),
    ("policy/freshness.py", "(stamp < last and is_fresh)", "False", "older_stamp_is_not_answered"),
    ("policy/hot_swap.py", "if version <= (newest := self._newest.get(run, -1)):", "if newest := 0:", "rollback_puts"),
    ("policy/safety.py", "(self._is_lockstep or not is_stale)", "True", "freeze_disarms"),
    ("policy/safety.py", "self._streak >= MAX_STREAK and", "", "three_usable_states"),
    ("policy/safety.py", " and now - self._streak_began >= 0.5 * self.timeout", "", "all_at_once"),
    ("policy/safety.py", "self.mode is not Mode.INACTIVE and self.is_stale(now)", "False", "silence_holds_zero"),
    ("policy/safety.py", "        self._streak = 0\n\n    def wait", "        pass\n\n    def wait", "breaks_the_row"),
    ("policy/safety.py", "self._is_arm_requested or not self._require_arm", "True", "states_alone_move_nothing"),
    ("policy/safety.py", "is_released and not self._latch", "is_released", "latch_outlives"),
    ("policy/safety.py", "if self.is_stale(now) and not self._is_lockstep:", "if False:", "nobody_arms"),
    ("config.py", "and not self.allow_long_timeout", "and False", "long_or_vanishing"),
]  # fmt: skip
# The same on real nodes, where it is the node that protects.
NODE_CONTROLS = [
    ("nodes/policy.py", "        self._command_zero()\n        place", "        place", "raises_commands_zero_first"),
    ("nodes/policy.py", "if controller.is_late():", "if False:", "took_longer_than_the_timeout"),
    ("nodes/policy.py", "if zero.size and not self._config.dry_run:", "if zero.size:", "dry_run"),
    ("nodes/policy.py", "if self._controller.must_command_zero():", "if False:", "no_messages_and_keep"),
    ("nodes/simulator.py", " or _now() - self._command_time > self._config.command_timeout:", ":",
     "zeroes_the_force_when"),
]  # fmt: skip
TESTS = {
    "policy": ("test_controller.py", "test_safety.py", "test_config.py"),
    "nodes": ("test_policy_faults.py", "test_node_simulator.py"),
}


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


def fails_without(tmp_path: Path, file: str, protection: str, instead: str, name: str, files: tuple[str, ...]) -> None:
    copy = copied(tmp_path)
    path = copy / "sac_control" / file
    text = path.read_text()
    assert text.count(protection) == 1, f"{file} has no such protection any more: {protection}"
    path.write_text(text.replace(protection, instead))
    done = outcome_of(copy, name, files)
    assert done.returncode == 1, f"no test fails without {protection}:\n{done.stdout[-2000:]}"
    assert "error" not in done.stdout.splitlines()[-1], done.stdout[-2000:]


@pytest.mark.parametrize(("file", "protection", "instead", "name"), CONTROLS, ids=lambda value: None)
def test_without_its_protection_a_test_fails(
    tmp_path: Path, file: str, protection: str, instead: str, name: str
) -> None:
    fails_without(tmp_path, file, protection, instead, name, TESTS["policy"])


@pytest.mark.parametrize(("file", "protection", "instead", "name"), NODE_CONTROLS, ids=lambda value: None)
def test_without_its_protection_a_test_of_a_node_fails(
    tmp_path: Path, file: str, protection: str, instead: str, name: str
) -> None:
    fails_without(tmp_path, file, protection, instead, name, TESTS["nodes"])


def test_the_copy_itself_passes(tmp_path: Path) -> None:
    done = outcome_of(copied(tmp_path), "limiter_clamps or three_usable_states", TESTS["policy"])
    assert done.returncode == 0, done.stdout
