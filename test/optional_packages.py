"""Tests of what an interpreter lacks are skipped there, and nowhere else: pytest hooks, taken up by conftest.py.

pybullet has no wheels for Python 3.12 and later, and torch is an extra there. A test that imports one of them, itself or
through the part of sac_control that is made for it, is skipped by that; a test that needs one without importing it says
so: ``@pytest.mark.needs("pybullet")``. On Python 3.10 and 3.11 both are installed: what is missing is an error.
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Generator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parent.parent / "sac_control"
# Who may import it. Through any other part of ours it is an error: that part must work without.
PLACES = {"pybullet": ("worlds/pybullet_",), "torch": ("sac/reference/", "sac/choice.py")}
ABSENT = [name for name in PLACES if sys.version_info >= (3, 12) and importlib.util.find_spec(name) is None]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(package): skipped where a Python that may lack the package lacks it")


def pytest_itemcollected(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        (package,) = marker.args
        assert package in PLACES
        if package in ABSENT:
            item.add_marker(pytest.mark.skip(reason=_reason(package)))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    call = getattr(report, "call", None)
    reason = _reason_to_skip(call.excinfo.value) if call is not None and call.excinfo is not None else None
    if reason:
        report.outcome, report.longrepr = "skipped", (str(collector.path), 0, reason)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    reason = _reason_to_skip(call.excinfo.value) if call.excinfo is not None else None
    if reason:
        report.outcome, report.longrepr = "skipped", (str(item.path), 0, reason)
    return report


def _reason_to_skip(error: BaseException | None) -> str | None:
    while error is not None and not isinstance(error, ModuleNotFoundError):
        error = error.__cause__  # as pytest wraps it where a file of tests cannot be imported
    if error is None:
        return None
    package = next((name for name in ABSENT if (error.name or "").startswith(name)), None)  # pybullet_data, torch.nn
    if package is None:
        return None
    files = [Path(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    ours = [file.relative_to(SOURCE).as_posix() for file in files if file.is_relative_to(SOURCE)]
    return _reason(package) if all(part.startswith(PLACES[package]) for part in ours) else None


def _reason(package: str) -> str:
    return f"Python {sys.version_info.major}.{sys.version_info.minor} without {package}"
