"""The loop that serves a node: nothing waits for ever because something else keeps coming."""

from __future__ import annotations

from typing import Any

from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from std_srvs.srv import Trigger

from ros_world import RosWorld
from sac_control.nodes import topics
from sac_control.nodes.event_loop import EventLoop
from sac_control.nodes.process import STEADY_CLOCK

BACKLOG = 200  # messages that always wait


class SaturatedNode(Node):
    """Sends itself another message for each that it hears, and has a timer and a service beside."""

    def __init__(self) -> None:
        super().__init__("saturated")
        self.heard, self.alarms, self.requests = 0, 0, 0
        self._transitions = topics.publisher(self, topics.TRANSITIONS)
        topics.subscription(self, topics.TRANSITIONS, self._on_transition)
        self.create_timer(0.01, self._on_timer, clock=STEADY_CLOCK)
        self.create_service(Trigger, "ask", self._on_ask)

    def begin(self) -> None:
        for _ in range(BACKLOG):
            self._transitions.publish(topics.TRANSITIONS.type())

    def work(self) -> bool:
        return False

    def shut_down(self) -> None:
        pass

    def _on_transition(self, msg: Any) -> None:
        self.heard += 1
        self._transitions.publish(msg)

    def _on_timer(self) -> None:
        self.alarms += 1

    def _on_ask(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self.requests += 1
        response.success = True
        return response


def saturated(ros: RosWorld) -> SaturatedNode:
    node: SaturatedNode = ros.add(SaturatedNode)
    ros.until(lambda: node.count_subscribers(topics.TRANSITIONS.name) == 1, "does not hear itself")
    node.begin()
    ros.until(lambda: node.heard > 0, "hears nothing")
    return node


def test_request_is_answered_while_messages_never_stop() -> None:
    with RosWorld() as ros:
        node = saturated(ros)
        for count in range(1, 4):
            heard = node.heard
            assert ros.call(Trigger, "ask", Trigger.Request()).success
            assert node.requests == count
            assert node.heard > heard


def test_timer_fires_while_messages_never_stop() -> None:
    with RosWorld() as ros:
        node = saturated(ros)
        alarms, heard = node.alarms, node.heard
        ros.until(lambda: node.alarms >= alarms + 5, "the timer starves")
        assert node.heard > heard


def test_subscription_that_is_made_by_a_request_is_served() -> None:
    with RosWorld() as ros:
        node = ros.add(SaturatedNode)
        parameter = Parameter(
            name="use_sim_time", value=ParameterValue(type=ParameterType.PARAMETER_BOOL, bool_value=True)
        )
        request = SetParameters.Request(parameters=[parameter])
        assert ros.call(SetParameters, "saturated/set_parameters", request).results[0].successful
        clock = ros.publisher(topics.CLOCK)

        def follows() -> bool:
            message = Clock()
            message.clock.sec = 77
            clock.publish(message)
            return bool(node.get_clock().now().nanoseconds == 77_000_000_000)

        ros.until(follows, "simulated time is not heard")


def test_loop_tells_whether_anything_was_served() -> None:
    with RosWorld() as ros:
        node = SaturatedNode()
        loop = EventLoop(node)
        try:
            alarms = node.alarms

            def has_rung_thrice() -> bool:
                before = node.alarms
                was_busy = loop.spin_once(0.05)
                assert was_busy == (node.alarms > before)
                return node.alarms >= alarms + 3

            ros.until(has_rung_thrice, "the timer is not served")
        finally:
            node.destroy_node()


class BusyNode(SaturatedNode):
    """As above, but says nothing of its own."""

    def _on_transition(self, msg: Any) -> None:
        self.heard += 1


def test_deep_queue_is_emptied_at_once_so_that_it_does_not_overflow_beside_other_work() -> None:
    with RosWorld() as ros:
        node = BusyNode()
        loop = EventLoop(node)
        try:
            ros.until(lambda: node.count_subscribers(topics.TRANSITIONS.name) == 1, "does not hear itself")
            node.begin()
            turns = 0

            def has_heard_all() -> bool:
                nonlocal turns
                turns += loop.spin_once(0.05)
                return node.heard == BACKLOG

            ros.until(has_heard_all, "messages are lost")
            assert turns < BACKLOG / 2
        finally:
            node.destroy_node()
