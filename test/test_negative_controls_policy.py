"""As test_negative_controls.py: protections of limits set at run time, of the shadow policy, of what is deployed."""

from __future__ import annotations

from pathlib import Path

import pytest

from test_negative_controls import fails_without

LIMITS = ("test_live_limits.py",)
PARAMETERS = ("test_live_parameters.py",)
SHADOW = ("test_shadow_faults.py",)
CONTROLLER = ("test_controller.py",)
REQUIREMENTS = ("test_requirements.py",)
# file, what protects, what takes its place, the test that must fail and its file
CONTROLS = [
    ("policy/controller.py", "            return remaining\n", "            return remaining + 0.001\n", "to_the_point",
     CONTROLLER),
    ("policy/controller.py", "            effort = limiter.release()\n        self._stamp",
     "            effort = self._limited(effort_raw, limiter, state.stamp, now)\n        self._stamp",
     "until_three_states_have_armed", CONTROLLER),
    ("policy/live_limits.py", "    if not is_active:\n", "    if True:\n", "looser_only_while", LIMITS),
    ("policy/controller.py", "self._limiter.set(self._limits(), config.max_effort_rate)", "pass",
     "limits_efforts_from_the_next", LIMITS),
    ("policy/live_limits.py", "    _check_ceiling(new, own_limits)\n", "", "no_limit_goes_beyond", LIMITS),
    ("policy/live_limits.py", "        if name not in LIVE:\n", "        if False:\n", "every_other_setting", LIMITS),
    ("policy/envelope.py", "term == own_term and low <= own_low and", "term == own_term and", "looser_only_while",
     LIMITS),
    ("policy/shadow.py", "elif not np.isfinite(action).all():", "elif False:", "its_process_switches_it_off and finite",
     SHADOW),
    ("policy/shadow.py", "if now - self._asked[1] > patience:", "if False:", "never_starts", SHADOW),
    ("policy/requirements.py", "if config.control_period and", "if False and", "another_robot", REQUIREMENTS),
    ("policy/requirements.py", "if joints and", "if False and", "another_robot", REQUIREMENTS),
    ("policy/requirements.py", "if config.max_effort and", "if False and", "another_robot", REQUIREMENTS),
    ("nodes/parameters.py", "read_only=name not in live", "read_only=False", "SimulatorNode", PARAMETERS),
    ("nodes/policy.py", "take_live_parameters(self, self._controller.checked_limits, self._take_limits)", "pass",
     "each_live_limit", PARAMETERS),
    ("nodes/shadow.py", "            check_shadow(file.specification, in_force.specification)", "            pass",
     "ends_the_start and period", SHADOW),
    ("nodes/shadow.py", "        except Exception as error:  # noqa: BLE001 (not hidden: told below)\n"
     "            shadow.give_up(repr(error))\n        if shadow",
     "        except OSError:\n            pass\n        if shadow", "this_side and take", SHADOW),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _short_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is enough to notice that a protection is missing."""
    monkeypatch.delenv("SAC_CONTROL_FAULTS", raising=False)


NAMES = ("file", "protection", "instead", "name", "files")


@pytest.mark.parametrize(NAMES, CONTROLS, ids=lambda value: None)
def test_without_its_protection_a_test_fails(
    tmp_path: Path, file: str, protection: str, instead: str, name: str, files: tuple[str, ...]
) -> None:
    fails_without(tmp_path, file, protection, instead, name, files)
