"""A deployed policy and a simulator in real time that stands in for its robot, and a person who arms and stops."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from std_msgs.msg import Float64MultiArray
from std_srvs.srv import Trigger

from robots import PATIENCE, PATIENT
from ros_world import RosWorld
from sac_control.nodes import topics
from sac_control.policy.safety import Mode

# What a busy machine needs; the region is what the policy has seen, and stays.
UNHURRIED = [f"policy.{name}={str(value).lower()}" for name, value in PATIENT.items()]
SLOWLY = ["-p", "real_time_factor:=0.5", "-p", "command_timeout:=0.2"]


class Deployment:
    """A policy and a stand-in for its robot.

    Args:
        folder: working directory of both.
        simulator: words behind ``python -m sac_control.nodes.simulator``.
        deploy: words behind ``sac_control``.
        controller: name of the topic's controller that commands come on.
    """

    def __init__(
        self, folder: Path, *, simulator: Sequence[str], deploy: Sequence[str], controller: str = "effort_controller"
    ) -> None:
        self._folder, self._words = folder, ([*simulator], [*deploy])
        self._controller = controller
        self._processes: list[subprocess.Popen[bytes]] = []
        self.commands: list[float] = []
        self.positions: list[dict[str, float]] = []  # of each state since it was armed, by joint

    def __enter__(self) -> Deployment:
        self._ros = ros = RosWorld().__enter__()
        self.statuses = ros.hear(topics.POLICY_STATUS)
        ros.probe.create_subscription(Float64MultiArray, f"{self._controller}/commands", self._on_command, 10)
        ros.hear(topics.JOINT_STATES, self._on_state)
        environment = dict(os.environ, ROS_DOMAIN_ID=str(ros.probe.context.get_domain_id()))
        patience = [word for setting in UNHURRIED for word in ("--set", setting)]
        simulator, deploy = self._words
        for name, words in (
            ("simulator", ["-m", "sac_control.nodes.simulator", *simulator, *SLOWLY]),
            ("deploy", ["-m", "sac_control", *deploy, *patience]),
        ):
            with (self._folder / f"{name}.log").open("wb") as log:
                self._processes.append(
                    subprocess.Popen(
                        [sys.executable, *words], cwd=self._folder, env=environment, stdout=log, stderr=log
                    )
                )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(PATIENCE)
        self._ros.__exit__(kind, error, trace)

    def _on_command(self, msg: Any) -> None:
        self.commands.extend(msg.data)

    def _on_state(self, msg: Any) -> None:
        self.positions.append(dict(zip(msg.name, msg.position, strict=True)))

    def until(self, condition: Callable[[], object], complaint: str) -> None:
        self._ros.until(condition, f"{complaint}; see the logs in {self._folder}", PATIENCE)

    def until_mode(self, mode: Mode, cause: str = "") -> None:
        self.until(
            lambda: self.statuses and self.statuses[-1].mode == mode and cause in self.statuses[-1].cause,
            f"mode {mode.name} {cause!r} is not told",
        )

    def call(self, service: str) -> Any:
        """The response of a service."""
        client = self._ros.probe.create_client(Trigger, service)
        self.until(client.service_is_ready, f"no service {service}")
        future = client.call_async(Trigger.Request())
        self.until(future.done, f"no response from {service}")
        return future.result()

    def arm(self) -> None:
        """Ask until it is granted: what nobody holds lies outside of the region now and then."""
        self.until_mode(Mode.ARMING, "waits for policy/arm")
        self.until(lambda: self.call(topics.POLICY_ARM).success, "policy/arm is refused")
        self.until_mode(Mode.ACTIVE)
        self.positions.clear()

    def holds(self, periods: int, is_up: Callable[[dict[str, float]], bool]) -> None:
        """See that the policy controls, and that `is_up` holds of the positions for so many periods in a row."""
        self.until(lambda: self._states_up(is_up) >= periods, "it is not held")
        assert self.statuses[-1].mode == Mode.ACTIVE, self.statuses[-1].cause
        assert any(self.commands[-50:])

    def _states_up(self, is_up: Callable[[dict[str, float]], bool]) -> int:
        """How many of the newest states in a row are up."""
        fallen = [index for index, positions in enumerate(self.positions) if not is_up(positions)]
        return len(self.positions) - 1 - max(fallen, default=-1)

    def stop(self) -> None:
        """Call policy/stop and see that nothing but the safe command comes from then on, which is 0 here."""
        assert self.call(topics.POLICY_STOP).success
        self.until_mode(Mode.LATCHED_FAULT, "stopped by policy/stop")
        count = len(self.commands)
        self.until(lambda: len(self.commands) > count + 20, "the safe command is not sent")
        assert not any(self.commands[count + 1 :])
