"""Runs a shadow policy beside the controller of a node, and publishes its hypothetical actions.

None of this may touch control: what goes wrong here switches the shadow off, and is no fault of the node.
"""

from __future__ import annotations

import time
from pathlib import Path

from rclpy.node import Node

from sac_control.nodes import messages, topics
from sac_control.policy.controller import Controller
from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.shadow_process import Shadow, check_shadow
from sac_control.types import FloatArray, JointState


class ShadowLink:
    """Forwards states to a shadow policy, and publishes its actions on policy/shadow_action.

    Args:
        node: whose publisher it is.
        controller: whose states, mode and limits the shadow policy gets.
        config: says to which run the node belongs.
    """

    def __init__(self, node: Node, controller: Controller, config: PolicyConfig) -> None:
        self._logger, self._controller = node.get_logger(), controller
        self._topic = topics.publisher(node, topics.SHADOW_ACTION)
        self._msg = topics.SHADOW_ACTION.type(run_id=config.run_id)
        self.is_running = False
        self.state = ""  # what became of it; empty: there is none
        self._shadow: Shadow | None = None
        self._is_checked = False  # against the policy in force

    @property
    def was_switched_off(self) -> bool:
        """Whether it was given up for a fault."""
        return bool(self.state) and not self.is_running

    def start(self, path: Path, config: PolicyConfig) -> None:
        """Begin, with the policy in `path`.

        Raises:
            PolicyFileError: the file cannot be used, or is for another robot.
        """
        file = PolicyFile.read(path)
        self._controller.admit_shadow(file)
        messages.mark_action_msg(self._msg, file.specification)
        self.end()
        self._shadow, self.is_running = Shadow(file, config), True
        self._is_checked = self._controller.swap.file is not None
        self.state = f"version {file.policy_version} of run {file.run!r}"
        self._logger.info(f"{path} runs in its shadow, and moves nothing")

    def take_limits(self, config: PolicyConfig) -> None:
        """Limit its hypothetical commands by these, too."""
        if self._shadow is not None:
            self._shadow.take_limits(config)

    def ask(self, state: JointState, command: FloatArray) -> None:
        """Hand on a state that was answered by `command`, (a,) float64; to be called when that has left."""
        shadow, controller = self._shadow, self._controller
        if shadow is None:
            return
        try:
            if not self._is_checked and controller.swap.file is not None:
                check_shadow(shadow.file.specification, controller.swap.file.specification)
                self._is_checked = True  # whatever is swapped in has the same specification
            shadow.ask(state, controller.mode, controller.limiter.authority(time.monotonic()), command)
        except Exception as error:  # noqa: BLE001 (not hidden: `tell` says it)
            shadow.give_up(repr(error))

    def tell(self) -> None:
        """Publish an answer, if there is one; say it where the shadow policy was given up."""
        shadow = self._shadow
        if shadow is None:
            return
        try:
            answer = shadow.take()
            if answer is not None:
                self._topic.publish(messages.action_to_msg(*answer, self._msg))
        except Exception as error:  # noqa: BLE001 (not hidden: told below)
            shadow.give_up(repr(error))
        if shadow.fault:
            self.is_running = False  # its process is cleared up by `end`, when there is time for that
            self.state = f"switched off: {shadow.fault}"
            self._logger.error(f"the shadow policy is {self.state}; control goes on")

    def end(self) -> None:
        """End its process."""
        if self._shadow is not None:
            self._shadow.close()
        self._shadow, self.is_running, self.state = None, False, ""
