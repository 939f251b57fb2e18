"""Real-time scheduling and locked memory: where the system allows them all threads have them, elsewhere it is said."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from policies import make_file
from robots import PolicyProcess, Robot
from ros_world import RosWorld
from sac_control.errors import ConfigError
from sac_control.policy.safety import Mode
from sac_control.system.realtime import lock_memory, use_realtime_priority

PRIORITY = 7


def is_allowed(code: str) -> bool:
    """Whether the system lets a process do this."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_every_thread_of_the_node_gets_the_priority_and_its_memory_is_locked(tmp_path: Path) -> None:
    if not is_allowed(
        f"import os, ctypes; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param({PRIORITY}));"
        "raise SystemExit(ctypes.CDLL(None).mlockall(3))"
    ):
        pytest.skip("the system allows neither real-time priorities nor locked memory")
    path = tmp_path / "policy.safetensors"
    path.write_bytes(make_file().to_bytes())
    with RosWorld() as ros:
        robot = Robot(ros)
        with PolicyProcess(
            ros, policy_file=path, realtime_priority=PRIORITY, lock_memory="true", shadow_policy_file=path
        ) as policy:
            robot.until_mode(Mode.ACTIVE)
            threads = [int(each.name) for each in Path(f"/proc/{policy.pid}/task").iterdir()]
            assert len(threads) > 3  # those of DDS
            assert {os.sched_getscheduler(thread) for thread in threads} == {os.SCHED_FIFO}
            assert {os.sched_getparam(thread).sched_priority for thread in threads} == {PRIORITY}
            status = Path(f"/proc/{policy.pid}/status").read_text()
            locked = next(line for line in status.splitlines() if line.startswith("VmLck"))
            assert int(locked.split()[1]) > 10_000  # [kB]
            (child,) = Path(f"/proc/{policy.pid}/task/{policy.pid}/children").read_text().split()
            assert os.sched_getscheduler(int(child)) == os.SCHED_OTHER  # the shadow policy comes last


def test_priority_that_the_system_refuses_is_an_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    with pytest.raises(ConfigError, match=r"realtime_priority is 7, but .* not permitted.*'rtprio 7' in /etc/security"):
        use_realtime_priority(PRIORITY)
    use_realtime_priority(0)


def test_memory_that_the_system_does_not_lock_is_an_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    class Libc:
        def mlockall(self, _: int) -> int:
            ctypes.set_errno(12)
            return -1

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Libc())
    with pytest.raises(ConfigError, match="lock_memory is set, but .* allocate memory.*memlock"):
        lock_memory()
