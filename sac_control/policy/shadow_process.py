"""A second policy that says its hypothetical actions, and moves nothing. It computes in a process of its own.

Whatever happens to it there, an exception, an endless loop or a crash of the interpreter, control does not wait for it:
it is asked when the command has left, at most one question is under way, and neither end of the pipes ever blocks.
Knows no ROS.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from sac_control.errors import PolicyFileError, StateError
from sac_control.observation import StateObserver
from sac_control.policy.joint_limits import command_limits, command_rates
from sac_control.policy.limits import Limiter
from sac_control.policy.policy import Policy
from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.requirements import TOLERANCE
from sac_control.policy.row_observer import RowObserver
from sac_control.policy.safe_command import SafeCommand
from sac_control.policy.safety import Mode
from sac_control.types import Action, Float32Array, FloatArray, JointState, Specification

PATIENCE = 0.5  # [s] for an answer; whoever takes longer is switched off
START_PATIENCE = 30.0  # [s] for the first one, before which a process has to start


class Shadow:
    """Asks the process, and gives it up at the first fault.

    Args:
        file: the policy.
        config: limits that its commands would have had; those of the policy node.
        clock: steady clock [s].
        command: what is started; it gets the number of a file descriptor with the policy file as its last argument.
    """

    def __init__(
        self,
        file: PolicyFile,
        config: PolicyConfig,
        clock: Callable[[], float] = time.monotonic,
        command: tuple[str, ...] = (sys.executable, "-m", "sac_control.policy.shadow_process"),
    ) -> None:
        self.file, self._clock = file, clock
        self.fault = ""  # why it was given up; empty: it was not
        self.answers = 0
        self.skipped = 0  # states that came while it was at an earlier one
        specification = file.specification
        self._rows = RowObserver.where_needed(specification, is_simulated=not config.drives_robot)
        self._observer = StateObserver(specification.observation if self._rows is None else (), specification.joints)
        self._commanded: FloatArray | None = None  # for the state before
        self._observation: Float32Array = np.zeros(len(specification.observation), np.float32)
        self._scale: FloatArray = np.array(specification.command_limit)
        self._safe = SafeCommand.of(specification)
        self._limiter = Limiter(self._scale, safe=self._safe)
        self.take_limits(config)
        self._asked: tuple[int, float, Mode, float] | None = None  # stamp [ns], time [s], mode, authority
        self._process = _started(command, file.to_bytes())

    def take_limits(self, config: PolicyConfig) -> None:
        """Limit commands by these from now on.

        Raises:
            ConfigError: they name joints that it does not drive.
        """
        specification = self.file.specification
        self._limiter.set(command_limits(config, specification), command_rates(config, specification))

    def ask(self, state: JointState, mode: Mode, authority: float, command: FloatArray | None = None) -> None:
        """Have an action for `state` computed, unless the one before is still under way.

        Args:
            state: a state that was answered.
            mode: in which it was; where that is not ACTIVE, the safe command is told, as that of the one in force.
            authority: share of the command limits that it had.
            command: (a,) float64, of the policy in force; None: it was not told.
        """
        if self.fault:
            return
        before, self._commanded = self._commanded, command
        self._safe.measure(state)
        now = self._clock()
        try:
            if self._rows is not None:  # which misses none
                self._rows.observe(state, before, self._observation)
            if self._asked is not None:
                self.skipped += 1
                self._give_up_when_late(now)
                return
            if self._rows is None:
                self._observer.observe(state, self._observation)
            elif self._rows.filling:
                return
            os.write(self._question, self._observation.tobytes())
        except (OSError, StateError) as error:
            self.give_up(f"could not be asked: {error}")
        else:
            self._asked = state.stamp, now, mode, authority

    def take(self) -> tuple[Action, Mode] | None:
        """Its hypothetical action, and the mode it was asked in, once it has answered; None before."""
        if self._asked is None or self.fault:
            return None
        size = 4 * len(self._scale)
        try:
            data = os.read(self._answer, size + 1)
        except BlockingIOError:
            self._give_up_when_late(self._clock())
            return None
        stamp, _, mode, authority = self._asked
        action = np.frombuffer(data, np.float32) if len(data) == size else None
        if action is None:
            self.give_up("its process ended" if not data else "gave an answer of another size")
        elif not np.isfinite(action).all():
            self.give_up("gave an action that is not finite")
        else:
            self._asked = None
            self.answers += 1
            return self._told(stamp, action, authority, is_active=mode is Mode.ACTIVE), mode
        return None

    def give_up(self, fault: str) -> None:
        """Ask it no more, and end its process; that is not waited for, because control would wait, too."""
        self.fault = self.fault or fault
        self._process.kill()

    def close(self) -> None:
        """End its process."""
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()

    @property
    def _question(self) -> int:
        assert self._process.stdin is not None
        return self._process.stdin.fileno()

    @property
    def _answer(self) -> int:
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def _give_up_when_late(self, now: float) -> None:
        assert self._asked is not None
        patience = PATIENCE if self.answers else START_PATIENCE
        if now - self._asked[1] > patience:
            self.give_up(f"gave no answer for {patience:g} s")

    def _told(self, stamp: int, action: Float32Array, authority: float, *, is_active: bool) -> Action:
        command_raw = self._scale * action
        period = self.file.specification.control_period
        command = self._limiter.limit(command_raw, period, authority) if is_active else None
        if command is None:
            command = self._limiter.release()
        return Action(
            stamp=stamp,
            policy_version=self.file.policy_version,
            action=action,
            command_raw=command_raw,
            command=command,
        )


def check_shadow(own: Specification, in_force: Specification) -> None:
    """See that a shadow policy is for the same robot as the policy in force.

    Raises:
        PolicyFileError: task, joints, interfaces or control period are others.
    """
    if own.task != in_force.task:
        raise PolicyFileError(f"shadow policy is for task {own.task!r}, in force is one for {in_force.task!r}")
    if own.actuated_joints != in_force.actuated_joints or not set(own.joints) <= set(in_force.joints):
        raise PolicyFileError(
            f"shadow policy has joints {list(own.joints)} and drives {list(own.actuated_joints)}, in force is one "
            f"with {list(in_force.joints)} that drives {list(in_force.actuated_joints)}"
        )
    if own.interface != in_force.interface:
        raise PolicyFileError(
            f"shadow policy commands by {', '.join(own.interface)}, in force is one that commands by "
            f"{', '.join(in_force.interface)}"
        )
    if abs(own.control_period - in_force.control_period) > TOLERANCE * in_force.control_period:
        raise PolicyFileError(
            f"shadow policy has a control period of {own.control_period:g} s, in force is one with "
            f"{in_force.control_period:g} s"
        )


def _started(command: tuple[str, ...], data: bytes) -> subprocess.Popen[bytes]:
    """The process; `data` waits for it in memory, so that it need not be fed."""
    memory = os.memfd_create("shadow policy")
    try:
        os.write(memory, data)
        os.lseek(memory, 0, os.SEEK_SET)
        process = subprocess.Popen(
            [*command, str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            pass_fds=[memory],
            start_new_session=True,  # Ctrl-C is for the node, which ends it
        )
    finally:
        os.close(memory)
    for stream in (process.stdin, process.stdout):
        assert stream is not None
        os.set_blocking(stream.fileno(), False)
    return process


def main() -> int:
    """The process: observations come in on standard input, actions go out on standard output, until it is closed."""
    with contextlib.suppress(OSError):  # whatever the node's own priority is
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    with os.fdopen(int(sys.argv[-1]), "rb") as memory:
        policy = Policy(PolicyFile.from_bytes(memory.read()).actor)
    size = 4 * policy.observation_size
    with os.fdopen(sys.stdin.fileno(), "rb", closefd=False) as questions:
        while len(data := questions.read(size)) == size:
            os.write(sys.stdout.fileno(), policy.act(np.frombuffer(data, np.float32)).tobytes())
    return 0


if __name__ == "__main__":
    sys.exit(main())
