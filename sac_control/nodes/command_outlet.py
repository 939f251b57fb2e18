"""Where commands leave a policy node: to a robot on a topic of their own, to a simulator within the answer."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

from rclpy.publisher import Publisher

from sac_control.health.aside import Aside
from sac_control.nodes import messages, topics
from sac_control.policy.controller import Controller
from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.safety import Mode
from sac_control.types import Action


class CommandOutlet:
    """Publishes commands and answers. A safe command that cannot be published is owed: it is tried again.

    Args:
        controller: whose commands they are. While something blocks it, no command leaves.
        config: says whether this is a dry run, and to which run the node belongs.
        commands: a robot's commands; None: no robot is driven.
        actions: policy/action.
        aside: runs what may fail.

    Attributes:
        is_owed: the safe command is due, and could not be published.
    """

    def __init__(
        self, controller: Controller, config: PolicyConfig, commands: Publisher | None, actions: Publisher, aside: Aside
    ) -> None:
        self._controller, self._config, self._aside = controller, config, aside
        self._commands, self._actions = commands, actions
        self._command_msg, self._action_msg = topics.COMMANDS.type(), topics.ACTION.type(run_id=config.run_id)
        self._marked = ""  # hash of the specification that action messages are marked with
        self._answered: Action | None = None  # the newest answer
        self.is_owed = False

    def command(self, action: Action) -> None:
        """Command what a new answer says."""
        commands = self._open_commands
        if commands is not None and topics.is_heard(commands):
            command = self._controller.robot_joints.command(action.command)
            commands.publish(messages.command_to_msg(command, self._command_msg))
            self.is_owed = False

    def answer(self, action: Action) -> None:
        """Publish an answer, for a simulator of our run and for those who watch."""
        controller = self._controller
        if controller.specification_hash != self._marked and controller.specification is not None:
            self._marked = controller.specification_hash
            messages.mark_action_msg(self._action_msg, controller.specification)
        self._answered = action
        self._actions.publish(messages.action_to_msg(action, controller.mode, self._action_msg))

    def make_safe(self) -> None:
        """Command what is safe; what cannot be published is owed: this never raises."""
        self.is_owed = not self._aside.run("the safe command", time.monotonic(), self._publish_safe_command, rest=0.0)

    def hold(self, cause: str) -> None:
        """Hold the safe command, so that nothing can move any more, and publish it; this never raises."""
        self._controller.hold(cause)
        self.make_safe()

    @property
    def _open_commands(self) -> Any | None:
        """The publisher of commands, where one may leave now."""
        return None if self._controller.blocked_by or self._config.dry_run else self._commands

    def _publish_safe_command(self) -> None:
        """To a robot as a command, to a simulator that does not wait as an answer; one in lockstep stands still."""
        controller, config = self._controller, self._config
        command = controller.safe_command()
        if not command.size or config.dry_run or controller.lacks_position:
            return
        if (commands := self._open_commands) is not None:
            commands.publish(messages.command_to_msg(controller.robot_joints.command(command), self._command_msg))
        elif config.run_id and not config.lockstep and self._answered is not None:
            self.answer(dataclasses.replace(self._answered, command=command))
        if controller.mode is Mode.INACTIVE:
            controller.forget_position()
