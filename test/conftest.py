"""What holds for all tests: a slow machine makes none of them fail. Timeouts are for tests that hang."""

import gc
import os
from collections.abc import Iterator
from typing import Any

import pytest

# Before numpy and torch are loaded. Products as small as ours are slower on several threads, and very much slower where
# the threads of one test wait for each other on cores that somebody else is using.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from hypothesis import HealthCheck, settings

from withheld import Withheld

pytest_plugins = ["optional_packages", "plans"]

settings.register_profile("any_machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any_machine")


@pytest.fixture
def machine() -> Iterator[Withheld]:
    """Tells what the machine withholds while a test runs."""
    with Withheld() as withheld:
        yield withheld


def pytest_configure(config: pytest.Config) -> None:
    for marker in (
        "faults: injects a fault, or removes a protection; by the name of the file",
        "long: repeats, watches for a long time, or judges other tests; only `make faults` runs it",
    ):
        config.addinivalue_line("markers", marker)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that inject faults, by the names of their files, so that `make faults` finds all of them."""
    for item in items:
        if "faults" in item.path.stem or item.path.stem == "test_negative_controls":
            item.add_marker(pytest.mark.faults)


# Files of which no two tests run at once: by what they would disturb each other.
ONE_BY_ONE = {
    "test_faults_clock.py": "time",  # what measures time, or loads the processors on purpose
    "test_faults_learner.py": "time",
    "test_faults_repeatable.py": "time",
    "test_faults_soak.py": "time",
    "test_faults_trust.py": "time",
    "test_node_simulator.py": "time",
    "test_overload_faults.py": "time",
    "test_policy_faults.py": "time",
    "test_traffic_faults.py": "time",
    "test_package.py": "colcon",  # the second build takes the messages of the first
    "test_domain.py": "domains",
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Tests one by one to whichever worker is free, those of a group to the same one.

    `--dist loadgroup` does that by markers, which pytest-xdist 3.8 puts where pytest 9.2 does not look any more.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return ONE_BY_ONE.get(nodeid.partition("::")[0].rpartition("/")[2], nodeid)

    return ByGroup(config, log)


def pytest_collection_finish() -> None:
    """Look through what was imported once and for all: each ROS world begins by collecting what the last one left."""
    gc.collect()
    gc.freeze()
