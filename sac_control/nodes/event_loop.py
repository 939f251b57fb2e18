"""Waits for the messages, timers and requests of one node and calls it back, in one thread. Knows no node's business.

rclpy's executor makes a wait set of all that a node has for every single callback, makes a task of the callback, and
then wakes itself up: more work than a control tick. This loop keeps its wait set, and looks at services now and then.
"""

from __future__ import annotations

import time
from typing import Any

from rclpy.impl.implementation_singleton import rclpy_implementation as _rclpy
from rclpy.node import Node

SERVICE_PERIOD = 0.01  # [s] for which a request may wait while messages keep coming; without messages it does not wait
DEEP = (
    100  # messages that a queue holds from which on it is emptied at once: a wait for each costs more than the message
)


class EventLoop:
    """Serves a node's subscriptions, timers and services; callbacks are ordinary functions, never coroutines.

    Not served: clients, guard conditions and quality-of-service events, which no node of this package has.

    Args:
        node: what is served; what it makes or destroys later is noticed within `SERVICE_PERIOD`, or after a request.
            A callback with the attribute `takes_info` gets, beside the message, what the middleware knows of it;
            that of a raw subscription gets bytes.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._subscriptions: list[Any] = []
        self._timers: list[Any] = []
        self._services: list[Any] = []
        self._services_due = 0.0  # [s] steady time from which they are looked at again
        self._make_wait_sets()

    def spin_once(self, timeout: float) -> bool:
        """Wait until something is ready, for `timeout` [s] or less, and serve all that is, each once.

        Messages come before timers: a watchdog that is due together with a state sees the state. Of a deep queue all
        messages are served, for up to `SERVICE_PERIOD`: one alone would let it overflow where the node has work to do
        in between.

        Returns:
            Whether anything was served.
        """
        remaining = self._services_due - time.monotonic()
        with_services = remaining <= 0.0 or not (self._subscriptions or self._timers)  # a wait for nothing is an error
        if with_services:
            self._look_around()
        wait_set = self._everything if with_services else self._often
        wait_set.clear_entities()  # a wait leaves in a wait set only what is ready
        for subscription in self._subscriptions:
            wait_set.add_subscription(subscription.handle)
        for timer in self._timers:
            wait_set.add_timer(timer.handle)
        if with_services:
            for service in self._services:
                wait_set.add_service(service.handle)
        wait_set.wait(int(1e9 * (timeout if with_services else min(timeout, remaining))))
        is_busy = self._serve_messages(wait_set) | self._serve_timers(wait_set)
        if with_services:
            self._services_due = time.monotonic() + SERVICE_PERIOD
            is_busy |= self._serve_requests(wait_set)
        return is_busy

    def _look_around(self) -> None:
        """Take note of what the node has; that seldom changes."""
        node = self._node
        found = list(node.subscriptions), list(node.timers), list(node.services)
        if found != (self._subscriptions, self._timers, self._services):
            self._subscriptions, self._timers, self._services = found
            self._make_wait_sets()

    def _make_wait_sets(self) -> None:
        counts, context = (len(self._subscriptions), 0, len(self._timers), 0), self._node.context.handle
        self._often = _rclpy.WaitSet(*counts, 0, 0, context)
        self._everything = _rclpy.WaitSet(*counts, len(self._services), 0, context)

    def _serve_messages(self, wait_set: _rclpy.WaitSet) -> bool:
        is_busy = False
        for k, subscription in enumerate(self._subscriptions):
            if wait_set.is_ready("subscription", k):
                is_busy |= self._serve_queue(subscription, subscription.qos_profile.depth >= DEEP)
        return is_busy

    @staticmethod
    def _serve_queue(subscription: Any, is_deep: bool) -> bool:
        until = time.monotonic() + SERVICE_PERIOD if is_deep else 0.0
        count = 0
        while taken := subscription.handle.take_message(subscription.msg_type, subscription.raw):
            if getattr(subscription.callback, "takes_info", False):
                subscription.callback(*taken)
            else:
                subscription.callback(taken[0])
            count += 1
            if time.monotonic() >= until:
                break
        return count > 0

    def _serve_timers(self, wait_set: _rclpy.WaitSet) -> bool:
        is_busy = False
        for k, timer in enumerate(self._timers):
            if wait_set.is_ready("timer", k):
                timer.handle.call_timer()
                timer.callback()
                is_busy = True
        return is_busy

    def _serve_requests(self, wait_set: _rclpy.WaitSet) -> bool:
        is_busy = False
        for k, service in enumerate(self._services):
            if wait_set.is_ready("service", k):
                request, header = service.handle.service_take_request(service.srv_type.Request)
                if header is not None:
                    service.send_response(service.callback(request, service.srv_type.Response()), header)
                    is_busy = True
        if is_busy:  # a request may have made or destroyed something: use_sim_time makes a subscription
            self._services_due = 0.0
        return is_busy
