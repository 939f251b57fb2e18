"""What holds for all tests: a slow machine makes none of them fail. Timeouts are for tests that hang."""

import os
from collections import Counter
from collections.abc import Iterator

import pytest

# Before numpy and torch are loaded. Products as small as ours are slower on several threads, and very much slower where
# the threads of one test wait for each other on cores that somebody else is using.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from hypothesis import HealthCheck, settings

from withheld import Withheld

settings.register_profile("any_machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any_machine")


IS_FULL = os.environ.get("SAC_CONTROL_FAULTS") == "full"
EVERY = 5  # of the negative controls in a file: one of so many is run in the short form


@pytest.fixture
def machine() -> Iterator[Withheld]:
    """Tells what the machine withholds while a test runs."""
    with Withheld() as withheld:
        yield withheld


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "faults: injects a fault, or removes a protection; see below")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that inject faults, by the names of their files, so that `make faults` finds all of them."""
    rows: Counter[str] = Counter()
    for item in items:
        is_control = item.path.stem.startswith("test_negative_controls")
        if is_control or "faults" in item.path.stem:
            item.add_marker(pytest.mark.faults)
        if is_control and not IS_FULL and hasattr(item, "callspec"):
            function = f"{item.path.stem} {getattr(item, 'originalname', '')}"
            if rows[function] % EVERY:
                item.add_marker(pytest.mark.skip(reason=f"one of {EVERY} in the short form: make faults"))
            rows[function] += 1
