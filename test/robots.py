"""A robot for tests of the policy node: joint states at a steady rate, commands heard with their time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus

from policies import SPECIFICATION
from ros_world import OF_ONE_RUN, PATIENCE, RosWorld
from sac_control.cli.runner import node_environment
from sac_control.nodes import messages, topics
from sac_control.types import JointState

PERIOD = SPECIFICATION.control_period  # [s]
# Parameters of a policy node that does not mind if the machine stands still: for promises that are not about time.
# Where silence is to be noticed, put a "state_timeout" of BRIEF behind it.
PATIENT: dict[str, object] = {
    "state_timeout": 5.0,
    "allow_long_timeout": True,
    **dict.fromkeys(("period_warning", "period_error", "jitter_warning", "jitter_error"), 100.0),
}
BRIEF = 2.0  # [s] longer than a machine stands still


class Robot:
    """Sends joint states stamped with system time, for as long as somebody waits for something.

    Make it before the policy node, so that it hears all that the node says.
    """

    def __init__(self, ros: RosWorld) -> None:
        self._ros = ros
        self.commands: list[tuple[float, float]] = []  # steady time of arrival [s], effort [N]
        self.sent: dict[int, float] = {}  # steady time [s] at which the state with a stamp [ns] was sent
        self.old: set[int] = set()  # stamps [ns] of states that were late
        self.left: list[int] = []  # system time [ns] at which each command left the node's process
        commands = topics.COMMANDS
        ros.probe.create_subscription(commands.type, commands.name, self._on_command, commands.publisher_qos)
        self.actions = ros.hear(topics.ACTION)
        self.statuses = ros.hear(topics.POLICY_STATUS)
        self.diagnostics = ros.hear(topics.DIAGNOSTICS)
        self._states = topics.publisher(ros.probe, topics.JOINT_STATES)
        self._newest: Any = None
        self._due = 0.0
        self.period = PERIOD  # [s]
        self.is_silent = False
        self.send_next: Callable[[], None] = self.send  # what is done every period
        self.value = 0.1  # [m and rad] position of both joints

    def _on_command(self, msg: Any, info: Any) -> None:
        self.commands.append((time.monotonic(), float(msg.data[0])))
        self.left.append(info["source_timestamp"])

    _on_command.takes_info = True  # type: ignore[attr-defined]  # see EventLoop

    def send(self, age: float = 0.0) -> None:
        """One more state, or one that was `age` [s] on its way."""
        self.send_as(time.time_ns() - round(1e9 * age), SPECIFICATION.joints, is_old=bool(age))

    def send_as(self, stamp: int, names: tuple[str, ...], *, is_old: bool = False) -> None:
        """One more state, with a `stamp` [ns] and joints as it should not have."""
        position = np.array([self.value, 0.5 * self.value]) + 1e-12 * (len(self.sent) % 2)  # no encoder stands still
        position = position[[SPECIFICATION.joints.index(name) for name in names]]
        joint_state = JointState(stamp=stamp, names=names, position=position, velocity=2.0 * position)
        self.sent[stamp] = time.monotonic()
        if is_old:
            self.old.add(stamp)
        self.publish(joint_state)

    def publish(self, joint_state: JointState) -> None:
        """Any state; a second publisher would be another robot."""
        self._newest = messages.state_to_msg(joint_state)
        self._states.publish(self._newest)

    def send_again(self) -> None:
        """The newest state once more."""
        self._states.publish(self._newest)

    def until(self, condition: Callable[[], object], complaint: str) -> None:
        """Go on until `condition` holds."""

        def is_over() -> bool:
            now = time.monotonic()
            if now >= self._due and not self.is_silent:
                self._due = max(self._due + self.period, now)  # the mean period is kept
                self.send_next()
            return bool(condition())

        self._ros.until(is_over, complaint, PATIENCE)

    def go_on_for(self, seconds: float) -> None:
        """Let time pass."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end, "time does not pass")

    def until_moved(self) -> None:
        """Wait for a force."""
        count = len(self.commands)
        self.until(lambda: any(effort for _, effort in self.commands[count:]), "nothing is commanded")

    def until_zero(self) -> None:
        """Wait for zero to be commanded."""
        count = len(self.commands)
        self.until(lambda: len(self.commands) > count and not self.commands[-1][1], "zero is not commanded")

    def until_mode(self, mode: int, word: str = "") -> None:
        """Wait for a status that names `mode`, and `word` in its cause."""
        self.until(
            lambda: self.statuses and self.statuses[-1].mode == mode and word in self.statuses[-1].cause,
            f"mode {mode} with {word!r} is not told",
        )

    def errors(self) -> list[Any]:
        """Diagnostics of level ERROR so far."""
        return [s for msg in self.diagnostics for s in msg.status if s.level == DiagnosticStatus.ERROR]


class PolicyProcess:
    """The policy node in a process of its own, in the domain of `ros`."""

    def __init__(self, ros: RosWorld, **parameters: object) -> None:
        given = {**OF_ONE_RUN["policy"], **parameters}
        arguments = [word for name, value in given.items() for word in ("-p", f"{name}:={value}")]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sac_control.nodes.policy", "--ros-args", *arguments],
            env=node_environment(os.environ, domain=ros.probe.context.get_domain_id(), log_directory=None),
        )

    def __enter__(self) -> PolicyProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def send(self, number: signal.Signals) -> float:
        """Send a signal; the steady time [s] at which it has taken effect."""
        self._process.send_signal(number)
        if number == signal.SIGKILL:
            self._process.wait()
        stopped = number == signal.SIGSTOP
        while stopped and _state_of(self._process.pid) != "T":
            pass
        return time.monotonic()


def _state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
