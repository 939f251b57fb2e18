"""Tests of what a Python or a ROS lacks are skipped there, and nowhere else: pytest hooks, taken up by conftest.py.

pybullet has no wheels for Python 3.12 and later, and torch is an extra there. A test that imports one of them, itself
or through the part of sac_control that is made for it, is skipped by that; a test that needs one without importing it
says so: ``@pytest.mark.needs("pybullet")``. On Python 3.10 and 3.11 both are installed: what is missing is an error.
``needs("publisher_gid")`` is for what ROS 2 Jazzy cannot know: who sent a message.
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Generator
from pathlib import Path
from xml.etree import ElementTree

import pytest

SOURCE = Path(__file__).resolve().parent.parent / "sac_control"
# Who may import it. Through any other part of ours it is an error: that part must work without.
PLACES = {
    "pybullet": ("worlds/pybullet_",),
    "torch": (
        "algorithms/sac/readable/",
        "algorithms/sac_v1/",
        "algorithms/trpo/",
        "algorithms/torch_presence.py",
    ),
}
KILTED = 9  # version of rclpy from which on a message comes with its publisher


def _absent() -> dict[str, str]:
    """What is lacking here, and the reason to skip its tests."""
    version = ".".join(map(str, sys.version_info[:2]))
    absent = {
        name: f"Python {version} without {name}"
        for name in PLACES
        if sys.version_info >= (3, 12) and importlib.util.find_spec(name) is None
    }
    rclpy = importlib.util.find_spec("rclpy")
    if rclpy is not None and rclpy.origin is not None:
        manifest = Path(rclpy.origin).parents[4] / "share/rclpy/package.xml"
        number = ElementTree.parse(manifest).findtext("version") or ""
        if int(number.split(".")[0]) < KILTED:
            absent["publisher_gid"] = f"rclpy {number} does not tell who sent a message"
    return absent


ABSENT = _absent()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(name): skipped where a Python or a ROS that may lack it lacks it")


def pytest_itemcollected(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        (name,) = marker.args
        assert name in (*PLACES, "publisher_gid")
        if name in ABSENT:
            item.add_marker(pytest.mark.skip(reason=ABSENT[name]))


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
    package = next((name for name in PLACES if (error.name or "").startswith(name)), None)  # pybullet_data, torch.nn
    if package not in ABSENT:
        return None
    files = [Path(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    ours = [file.relative_to(SOURCE).as_posix() for file in files if file.is_relative_to(SOURCE)]
    return ABSENT[package] if all(part.startswith(PLACES[package]) for part in ours) else None
