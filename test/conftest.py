"""What holds for all tests: a slow machine makes none of them fail. Timeouts are for tests that hang."""

import os
from collections.abc import Iterator

import pytest

# Before numpy and torch are loaded. Products as small as ours are slower on several threads, and very much slower where
# the threads of one test wait for each other on cores that somebody else is using.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from hypothesis import HealthCheck, settings

from withheld import Withheld

pytest_plugins = ["optional_packages"]

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
        "long: repetitions of what `make test` has once already; only `make faults` runs it",
        "xdist_group(name): tests of one name run one after another (pytest-xdist, where it is installed)",
    ):
        config.addinivalue_line("markers", marker)


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks for groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that inject faults, so that `make faults` finds all of them, and those that measure time.

    One that measures time takes account of what the machine withholds, and is nevertheless told most beside the least:
    no two of them run at once.
    """
    for item in items:
        if "faults" in item.path.stem or item.path.stem == "test_negative_controls":
            item.add_marker(pytest.mark.faults)
        if "machine" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("time"))
