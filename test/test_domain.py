"""What a domain lease promises: no two commands of this machine are in the same ROS domain."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sac_control.cli import domain
from sac_control.cli.domain import DOMAINS, DomainLease
from sac_control.errors import SacControlError

OWN = range(90, 101)  # whoever runs beside these tests has other locks, and begins at 1

# Takes a lease, prints its domain, and keeps it until its input ends.
COMMAND = f"""
import sys
from sac_control.cli import domain
domain.DOMAINS = {OWN}
lease = domain.DomainLease()
print(lease.domain, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def runtime_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for locks that no other test or command uses, and domains likewise."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(domain, "DOMAINS", OWN)
    return tmp_path


@pytest.fixture
def other() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Another process with a lease, and its domain."""
    command = [sys.executable, "-c", COMMAND]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
        process.kill()


def test_domain_is_one_that_ros_takes_and_not_everybodys() -> None:
    assert DomainLease().domain in OWN
    assert set(OWN) < set(DOMAINS)
    assert 0 not in DOMAINS
    assert max(DOMAINS) <= 101  # beyond, ports collide with those that Linux hands out


def test_two_leases_are_in_two_domains() -> None:
    leases = [DomainLease() for _ in range(5)]
    assert len({lease.domain for lease in leases}) == 5


def test_another_process_is_in_another_domain(other: tuple[subprocess.Popen[str], int]) -> None:
    assert DomainLease().domain != other[1]


def test_domain_of_a_killed_process_is_free_again(
    other: tuple[subprocess.Popen[str], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    process, number = other
    monkeypatch.setattr(domain, "DOMAINS", range(number, number + 1))
    with pytest.raises(SacControlError, match=f"all ROS domains from {number} to {number} are in use: choose one"):
        DomainLease()
    process.kill()
    process.wait()
    assert DomainLease().domain == number


@pytest.mark.parametrize("index", [0, 1, 9])
def test_domain_in_which_somebody_listens_is_left_alone(monkeypatch: pytest.MonkeyPatch, index: int) -> None:
    number = DomainLease().domain
    monkeypatch.setattr(domain, "DOMAINS", range(number, number + 1))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as participant:
        participant.bind(("", 7400 + 250 * number + 10 + 2 * index))  # as the participants of a domain do
        with pytest.raises(SacControlError, match="are in use"):
            DomainLease()
    assert DomainLease().domain == number


@pytest.mark.parametrize("directory", ["missing", "", "relative"])
def test_lease_needs_no_runtime_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, directory: str) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "missing") if directory == "missing" else directory)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert DomainLease().domain in OWN
    assert (tmp_path / f"sac_control-{os.getuid()}").is_dir()


def test_locks_are_for_their_owner_alone(runtime_directory: Path) -> None:
    DomainLease()
    assert (runtime_directory / f"sac_control-{os.getuid()}").stat().st_mode & 0o777 == 0o700


def test_place_for_locks_that_cannot_be_written_is_an_error_that_says_what_to_do(runtime_directory: Path) -> None:
    (runtime_directory / f"sac_control-{os.getuid()}").touch()
    with pytest.raises(SacControlError, match=f"cannot reserve a ROS domain in {runtime_directory}.*--domain-id"):
        DomainLease()
