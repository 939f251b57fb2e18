"""Who listens to learner/status from outside: what is to be seen waits for them, and stays for as long as they do."""

from __future__ import annotations

import time
from collections.abc import Callable

from lifecycle_msgs.msg import Transition as LifecycleTransition
from lifecycle_msgs.srv import ChangeState
from rclpy.node import Node
from std_srvs.srv import SetBool

from sac_control.nodes import topics


class Audience:
    """Those who listen to learner/status: a tool that plots, such as rqt_plot.

    Nodes of the training's own namespace are none: what records there should not keep it up. At the root all are.

    Args:
        node: the learner.
        timeout: time [s] for which somebody is waited for; 0: nobody is, and nothing is kept up.
        say: prints a sentence for people.
    """

    def __init__(self, node: Node, timeout: float, say: Callable[[str], None]) -> None:
        self._node, self._timeout, self._say = node, timeout, say
        self._topic = node.resolve_topic_name(topics.TRAINING_STATUS.name)
        self._began = time.monotonic()
        self.is_awaited = timeout > 0.0  # whether the first transition waits
        self.is_there = False  # whether somebody listened when that was looked at last
        if self.is_awaited:
            self._change_state = node.create_client(ChangeState, "policy/change_state")
            self._pause = node.create_client(SetBool, topics.SIMULATOR_PAUSE)
            say(f"the first transition waits until somebody listens to {self._topic}, for at most {timeout:g} s")

    def look(self) -> None:
        """See who listens, and whether they were waited for long enough."""
        if not self._timeout:
            return
        self.is_there = any(map(self._is_outsider, self._node.get_subscriptions_info_by_topic(self._topic)))
        waited = time.monotonic() - self._began
        if not self.is_awaited or not (self.is_there or waited > self._timeout):
            return
        self.is_awaited = False
        if self.is_there:
            self._say(f"{self._topic} is listened to after {waited:.1f} s: begins")
        else:
            self._say(f"nobody listens to {self._topic} after {self._timeout:g} s: begins all the same")

    def keep_company(self) -> None:
        """Let everything stand still for those who still look on: the policy node inactive, the simulator paused."""
        self._change_state.call_async(
            ChangeState.Request(transition=LifecycleTransition(id=LifecycleTransition.TRANSITION_DEACTIVATE))
        )
        self._pause.call_async(SetBool.Request(data=True))
        self._say(f"stays until nobody listens to {self._topic} any more: close the window, or press Ctrl-C")

    def _is_outsider(self, endpoint: object) -> bool:
        name, namespace = endpoint.node_name, endpoint.node_namespace  # type: ignore[attr-defined]
        is_known = not name.startswith("_NODE_NAME_UNKNOWN_")  # discovery has not told yet
        return is_known and (namespace != self._node.get_namespace() or namespace == "/")
