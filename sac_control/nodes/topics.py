"""Every topic and service name with its type and quality of service: the table of docs/design.md as code.

Names are relative, so that ``namespace:=`` works; every quality of service can be overridden by the standard parameters
``qos_overrides.<topic>.<publisher|subscription>.<policy>``.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import diagnostic_msgs.msg
import rosgraph_msgs.msg
import sensor_msgs.msg
import std_msgs.msg
from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.impl.implementation_singleton import rclpy_implementation as _rclpy
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription

import sac_control.msg


def _qos(depth: int, *, reliable: bool = True, latched: bool = False) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


@dataclass(frozen=True)
class Topic:
    """A name, a message type, and the quality of service on either side."""

    name: str
    type: Any
    publisher_qos: QoSProfile
    subscription_qos: QoSProfile


def _topic(name: str, type_: Any, publisher: QoSProfile, subscription: QoSProfile | None = None) -> Topic:
    return Topic(name, type_, publisher, subscription or publisher)


# A reliable publisher matches every subscriber, rqt_plot and rosbag2 among them; a controller wants only the newest.
JOINT_STATES = _topic("joint_states", sensor_msgs.msg.JointState, _qos(10), _qos(1, reliable=False))
# Others may publish joints of theirs there, such as a gripper, and one queue holds the messages of all.
ROBOT_JOINT_STATES = dataclasses.replace(JOINT_STATES, subscription_qos=_qos(10, reliable=False))
OBSERVATION = dataclasses.replace(JOINT_STATES, name="observation", type=sac_control.msg.Observation)
# Never latched: a restarted actuator must not replay an old force.
COMMANDS = _topic("effort_controller/commands", std_msgs.msg.Float64MultiArray, _qos(1))
ACTION = _topic("policy/action", sac_control.msg.PolicyAction, _qos(10))
SHADOW_ACTION = _topic("policy/shadow_action", sac_control.msg.PolicyAction, _qos(10))
TRANSITIONS = _topic("transitions", sac_control.msg.Transition, _qos(5000))
WEIGHTS = _topic("policy_weights", sac_control.msg.PolicyWeights, _qos(1, latched=True))
POLICY_STATUS = _topic("policy/status", sac_control.msg.PolicyStatus, _qos(1, latched=True))
TRAINING_STATUS = _topic("learner/status", sac_control.msg.TrainingStatus, _qos(10))
CREDIT = _topic("learner/credit", sac_control.msg.Credit, _qos(1, latched=True))
CLOCK = _topic("/clock", rosgraph_msgs.msg.Clock, _qos(1, reliable=False))
DIAGNOSTICS = _topic("/diagnostics", diagnostic_msgs.msg.DiagnosticArray, _qos(10))


def joint(name: str) -> Topic:
    """The topic `name` of one joint; see simulation/joint_topics.py for the names."""
    return _topic(name, sac_control.msg.Joint, _qos(10))


SIMULATOR_RESET = "simulator/reset"
SIMULATOR_PAUSE = "simulator/pause"
LEARNER_SAVE = "learner/save"
POLICY_STOP = "policy/stop"
POLICY_ARM = "policy/arm"
POLICY_ROLLBACK = "policy/rollback"


def publisher(node: Node, topic: Topic) -> Publisher:
    """A publisher of `topic`; on a lifecycle node, too, it publishes in every state of the node."""
    return Node.create_publisher(
        node,
        topic.type,
        topic.name,
        copy.copy(topic.publisher_qos),  # rclpy writes overrides into it
        event_callbacks=PublisherEventCallbacks(use_default_callbacks=False),
        qos_overriding_options=QoSOverridingOptions.with_default_policies(),
    )


def try_to_publish(publisher: Publisher, message: Any) -> bool:
    """Publish `message`; false where the middleware does not take it.

    It does not where it blocked for 0.1 s, as on an overloaded computer that resends what slow subscribers have missed
    (Fast DDS gives up after the writer's max_blocking_time).
    """
    try:
        publisher.publish(message)
    except _rclpy.RCLError:
        return False
    return True


def is_heard(publisher: Publisher) -> bool:
    """Whether anybody gets what `publisher` sends now; where nothing is latched, the rest need not be sent at all."""
    return bool(publisher.get_subscription_count())


def subscription(node: Node, topic: Topic, callback: Callable[[Any], None]) -> Subscription:
    """A subscription to `topic`."""
    return node.create_subscription(
        topic.type,
        topic.name,
        callback,
        copy.copy(topic.subscription_qos),
        event_callbacks=SubscriptionEventCallbacks(use_default_callbacks=False),
        qos_overriding_options=QoSOverridingOptions.with_default_policies(),
    )
