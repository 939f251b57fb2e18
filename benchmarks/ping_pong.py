"""A bare rclpy ping-pong, the measure of what the middleware itself costs: JointState there, Float64MultiArray back.

Bare means as lean as rclpy's own means allow: no parameter services, no logging topic, no event handlers, one callback,
rclpy's SingleThreadedExecutor. Run as a program, this is the process that answers.
"""

from __future__ import annotations

import array
import math
import signal
import sys
import time
from typing import Any

import rclpy
from rclpy.context import Context
from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions

from sac_control.nodes import topics
from sac_control.nodes.topics import Topic

JOINTS = ["slider_to_cart", "cart_to_pendulum"]
QUIET_PUBLISHER = PublisherEventCallbacks(use_default_callbacks=False)
QUIET_SUBSCRIPTION = SubscriptionEventCallbacks(use_default_callbacks=False)


def bare_node(name: str, context: Context) -> Node:
    """A node without anything that ping-pong does not need."""
    no_services = Parameter("start_type_description_service", value=False)
    return Node(
        name, context=context, start_parameter_services=False, enable_rosout=False, parameter_overrides=[no_services]
    )


def publisher(node: Node, topic: Topic) -> Any:
    """A publisher of `topic` and nothing beside."""
    return node.create_publisher(topic.type, topic.name, topic.publisher_qos, event_callbacks=QUIET_PUBLISHER)


def subscription(node: Node, topic: Topic, callback: Any) -> Any:
    """A subscription to `topic` and nothing beside."""
    return node.create_subscription(
        topic.type, topic.name, callback, topic.subscription_qos, event_callbacks=QUIET_SUBSCRIPTION
    )


class Pinger:
    """Sends joint states to whoever answers with commands in a domain, and takes the time of each answer.

    Whoever answers must never say exactly 0: that is what a policy commands when states stop, or before they have armed
    it, and no answer.
    """

    def __init__(self, domain: int) -> None:
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain, signal_handler_options=SignalHandlerOptions.NO)
        self.node = bare_node("pinger", self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._states = publisher(self.node, topics.JOINT_STATES)
        subscription(self.node, topics.COMMANDS, self._on_command)
        self._recorders: list[Node] = []
        self._msg = topics.JOINT_STATES.type(name=JOINTS)
        self._stamp = 0  # [ms]
        self._is_waiting = False
        self._sent = self._arrived = 0.0  # [s]

    def record(self, topic: Topic, count: int) -> list[Any]:
        """A list that receives the last `count` messages of `topic` when `play_back` is called, which costs no ping."""
        recorder = bare_node("recorder", self._context)
        recorded: list[Any] = []
        qos = QoSProfile(depth=count)
        recorder.create_subscription(topic.type, topic.name, recorded.append, qos, event_callbacks=QUIET_SUBSCRIPTION)
        self._recorders.append(recorder)
        return recorded

    def play_back(self) -> None:
        """Fill the lists that `record` returned; from now on they grow as messages come."""
        for recorder in self._recorders:
            self._executor.add_node(recorder)

    def wait_until(self, condition: Any, timeout: float = 30.0) -> None:
        """Spin until `condition` holds."""
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError("the process under measurement does not answer")
            self._executor.spin_once(timeout_sec=0.02)

    def wait_for_peer(self) -> None:
        """Until states are answered."""
        self.wait_until(lambda: self._states.get_subscription_count() > 0)
        self.wait_until(lambda: math.isfinite(self.ping()))

    def ping(self, timeout: float = 0.05) -> float:
        """Send a state; time until the answer came [s], infinite where none came within `timeout`."""
        self._stamp += 1
        stamp, position = self._msg.header.stamp, 0.01 * math.sin(0.01 * self._stamp)
        stamp.sec, stamp.nanosec = divmod(self._stamp * 1_000_000, 1_000_000_000)
        self._msg.velocity = array.array("d", (position, 0.02))
        self._msg.position = array.array("d", (position, 0.02 + 0.1 * position))  # no encoder stands still to the bit
        self._is_waiting = True
        self._sent = time.perf_counter()
        self._states.publish(self._msg)
        deadline = self._sent + timeout
        while self._is_waiting:
            remaining = deadline - time.perf_counter()
            if remaining <= 0.0:
                self._is_waiting = False
                self._executor.spin_once(timeout_sec=timeout)  # an answer that comes late is not that to the next state
                return math.inf
            self._executor.spin_once(timeout_sec=remaining)
        return self._arrived - self._sent

    def ping_for(self, seconds: float) -> list[float]:
        """Times [s] of answers, one question after the other."""
        times, deadline = [], time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            times.append(self.ping())
        return times

    def close(self) -> None:
        """Leave the domain."""
        self._executor.shutdown()
        for node in (self.node, *self._recorders):
            node.destroy_node()
        rclpy.shutdown(context=self._context)

    def _on_command(self, msg: Any) -> None:
        if self._is_waiting and msg.data[0] != 0.0:
            self._arrived = time.perf_counter()
            self._is_waiting = False


def answer() -> None:
    """Answer states until a signal ends the process."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    context = Context()
    rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
    node = bare_node("answerer", context)
    commands = publisher(node, topics.COMMANDS)

    def on_joint_states(msg: Any) -> None:
        commands.publish(topics.COMMANDS.type(data=array.array("d", (msg.velocity[0],))))

    subscription(node, topics.JOINT_STATES, on_joint_states)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    while True:
        executor.spin_once(timeout_sec=0.5)


if __name__ == "__main__":
    answer()
