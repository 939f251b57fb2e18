"""A ROS domain of its own for one test: real nodes in this process, a probe node, and waiting on conditions."""

from __future__ import annotations

import gc
import json
import os
import tempfile
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from policies import RUN_ID
from sac_control.cli.domain import DomainLease
from sac_control.nodes import middleware, topics
from sac_control.nodes.event_loop import EventLoop
from sac_control.nodes.topics import Topic

os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
PATIENCE = float(os.environ.get("SAC_CONTROL_TEST_PATIENCE", "300"))  # [s] for what comes at once or never

# The nodes of a test belong together, as far as weights and transitions go.
OF_ONE_RUN: dict[str, dict[str, object]] = {
    "policy": {"accept_weights": RUN_ID},
    "learner": {"run_id": RUN_ID},
    "evaluator": {"run_id": RUN_ID},
}


class RosWorld:
    """Nodes that hear each other and nobody else.

    Args:
        namespace: of all nodes; "" or "/name".
        parameters: ROS parameters by node name, as a command line would give them, beside those of `OF_ONE_RUN`.
    """

    def __init__(self, namespace: str = "", **parameters: dict[str, object]) -> None:
        self._namespace = namespace
        self._parameters = {
            f"/**/{node}": {"ros__parameters": {**OF_ONE_RUN.get(node, {}), **parameters.get(node, {})}}
            for node in dict.fromkeys((*OF_ONE_RUN, *parameters))
        }
        self._nodes: list[Any] = []
        self._loops: list[EventLoop] = []
        self._peers: list[Node] = []
        self._peer_loops: list[EventLoop] = []

    def __enter__(self) -> RosWorld:
        gc.collect()  # a lifecycle node of an earlier test is seen by others until its state machine goes
        self._lease = DomainLease()
        arguments = ["--ros-args", *(["-r", f"__ns:={self._namespace}"] if self._namespace else [])]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:  # -p node:name:=value reaches no namespace
            json.dump(self._parameters, file)
            file.flush()
            middleware.init([*arguments, "--params-file", file.name], domain_id=self._lease.domain)
        self._executor = SingleThreadedExecutor()
        self.probe = Node("probe")
        self._probe_loop = EventLoop(self.probe)
        self._executor.add_node(self.probe)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for node in self._nodes:
            node.shut_down()
        self._executor.shutdown()
        for node in [*self._nodes, *self._peers, self.probe]:
            node.destroy_node()
        rclpy.try_shutdown()

    def add(self, make_node: Callable[[], Any]) -> Any:
        """Make a node of the package; it is served as in a process of its own."""
        node = make_node()
        self._nodes.append(node)
        self._loops.append(EventLoop(node))
        return node

    def peer(self, name: str) -> Node:
        """A node beside the probe, for what goes by the name of a node."""
        peer = Node(name)
        self._peers.append(peer)
        self._peer_loops.append(EventLoop(peer))
        self._executor.add_node(peer)
        return peer

    def hear(self, topic: Topic, take: Callable[[Any], None] | None = None) -> list[Any]:
        """A list that grows by each message of `topic`; `take` is called with each, too."""
        heard: list[Any] = []

        def on_message(message: Any) -> None:
            heard.append(message)
            if take is not None:
                take(message)

        self.probe.create_subscription(topic.type, topic.name, on_message, topic.publisher_qos)  # misses nothing
        return heard

    def publisher(self, topic: Topic) -> Any:
        """A publisher of `topic`, matched with whoever subscribes already."""
        publisher = topics.publisher(self.probe, topic)
        self.until(lambda: publisher.get_subscription_count() > 0, f"nobody subscribes to {topic.name}")
        return publisher

    def publisher_of_latched(self, topic: Topic) -> Any:
        """A publisher of a latched `topic`, whom whoever subscribes later hears, too."""
        return topics.publisher(self.probe, topic)

    def call(self, service: Any, name: str, request: Any) -> Any:
        """The response of a service."""
        client = self.probe.create_client(service, name)
        self.until(client.service_is_ready, f"no service {name}")
        future = client.call_async(request)
        self.until(future.done, f"no response from {name}")
        return future.result()

    def until(self, condition: Callable[[], object], complaint: str, timeout: float = PATIENCE) -> None:
        """Spin until `condition` holds; fail with `complaint` after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(complaint)
            self._spin_once()

    def spin_for(self, seconds: float) -> None:
        """Let time pass, to see that something does not happen."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._spin_once()

    def _spin_once(self) -> None:
        is_busy = False
        for node, loop in zip(self._nodes, self._loops, strict=True):
            is_busy |= node.work() | loop.spin_once(0.0)
        for loop in self._peer_loops:
            is_busy |= loop.spin_once(0.0)
        if any(True for node in (self.probe, *self._peers) for _ in node.clients):
            self._executor.spin_once(0.0)  # which takes responses, for more work than all the rest
        self._probe_loop.spin_once(0.0 if is_busy else 0.002)
