"""The recorder node: keeps what is said on our topics in a bag, as it comes over the wire."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from sac_control.bags.bag_metadata import RecordedTopic
from sac_control.bags.bag_writer import BagWriter
from sac_control.bags.definitions import prefixes, type_hash
from sac_control.errors import ConfigError, RunError
from sac_control.health.diagnosis import ERROR
from sac_control.health.waiting import WaitWarning
from sac_control.identity import run_id_option
from sac_control.nodes import topics
from sac_control.nodes.event_loop import EventLoop
from sac_control.nodes.health import Health
from sac_control.nodes.parameters import NODE_OPTIONS, declare_parameters
from sac_control.nodes.process import STEADY_CLOCK, run
from sac_control.nodes.topics import Topic
from sac_control.option import Config, option

FLUSH_PERIOD = 0.2  # [s] after which chunks that are full are the system's
GATHER = 0.02  # [s] for which messages wait; their queues hold far more
METADATA_EVERY = 10  # flushes
DEPTH = 5000  # messages that may wait while the disk is slow
POLICY_PATIENCE = 10.0  # [s] for which a simulator that waits for the recorder may have to wait for a policy node, too
_QUIET, _LONGEST_END = 0.3, 2.0  # [s] without a message, when the others have been asked to end; and in all

RECORDED = (
    topics.JOINT_STATES,
    topics.OBSERVATION,
    topics.COMMANDS,
    topics.ACTION,
    topics.SHADOW_ACTION,
    topics.TRANSITIONS,
    topics.WEIGHTS,
    topics.POLICY_STATUS,
    topics.TRAINING_STATUS,
    topics.CREDIT,
    topics.DIAGNOSTICS,
)
_OF_SIMULATOR = (topics.JOINT_STATES, topics.TRANSITIONS)  # it waits until both are heard


@dataclass(frozen=True, kw_only=True)
class RecorderConfig(Config):
    """The recorder node."""

    directory: str = option("", "directory of the bag, which must not exist")
    run_id: str = run_id_option(
        "training or evaluation that is recorded; empty: a robot, whose driver may be best effort"
    )
    wait_warning: float = option(10.0, "warn after this long without a message [s]", low=0.5, high=600.0)


class RecorderNode(Node):
    """Records.

    Publishes:   /diagnostics
    Subscribes:  all topics of `RECORDED`, as bytes; the command topic of a robot alone
    Parameters:  see RecorderConfig

    Where a simulator was told to wait for it (simulator.await_recorder), the bag is complete from the first transition,
    and so are the actions: it begins to hear the simulator when it has heard the policy node, which knows by then who
    hears its actions, because readers are announced in the order in which they were made.
    When the disk takes no more, it says so, stops to record, and disturbs nobody.
    """

    def __init__(self) -> None:
        super().__init__("recorder", **NODE_OPTIONS)
        config = declare_parameters(self, RecorderConfig)
        if not config.directory:
            raise ConfigError("recorder.directory is empty: name the directory of a bag that does not exist yet")
        places = prefixes()
        # Who listens to a robot's command topic beside a training looks like a robot to it.
        recorded = [topic for topic in RECORDED if topic is not topics.COMMANDS or not config.run_id]
        kept = [
            RecordedTopic(
                name=self.resolve_topic_name(topic.name),
                type=(name := _type_name(topic)),
                depth=topic.publisher_qos.depth,
                is_reliable=topic.publisher_qos.reliability is ReliabilityPolicy.RELIABLE,
                is_latched=topic.publisher_qos.durability is DurabilityPolicy.TRANSIENT_LOCAL,
                type_hash=type_hash(name, places),
            )
            for topic in recorded
        ]
        self._bag: BagWriter | None = BagWriter(Path(config.directory), kept)
        self._complaint, self._flushes = "", 0
        self._waiting = WaitWarning("any of our topics", "peer", config.wait_warning, time.monotonic())
        self._is_robots = not config.run_id  # whose driver waits for nobody, and may be best effort
        self._policy_topic = recorded.index(topics.POLICY_STATUS)
        self._held_back = {} if self._is_robots else {recorded.index(topic): topic for topic in _OF_SIMULATOR}
        self._until = time.monotonic() + POLICY_PATIENCE
        for k, topic in enumerate(recorded):
            if k not in self._held_back:
                self._hear(k, topic)
        self.create_timer(FLUSH_PERIOD, self._on_flush, clock=STEADY_CLOCK)
        self.create_timer(Health.period, self._on_second, clock=STEADY_CLOCK)
        self._health = Health(self, self._waiting, self.get_logger().warning, {})
        self.get_logger().info(f"records into {config.directory}")

    is_done = False

    def work(self) -> bool:
        """Let messages gather: to wake up for each costs more than to keep it. The middleware says when each came."""
        time.sleep(GATHER)
        return False

    def fail(self, sentence: str) -> None:
        """Say on /diagnostics why the process ends."""
        self._health.fail(sentence)

    def shut_down(self) -> None:
        """Hear what the others say last, and end the file.

        Raises:
            RunError: the disk did not take all of it.
        """
        loop, end = EventLoop(self), time.monotonic() + _LONGEST_END
        quiet_until = time.monotonic() + _QUIET
        while (now := time.monotonic()) < min(end, quiet_until):
            count = self._count
            loop.spin_once(0.05)
            if self._count > count:
                quiet_until = now + _QUIET
        if self._bag is not None:
            self._bag.close()
        elif self._complaint:
            raise RunError(self._complaint)

    @property
    def _count(self) -> int:
        return sum(self._bag.extent.counts) if self._bag is not None else 0

    def _hear(self, k: int, topic: Topic) -> None:
        self.create_subscription(
            topic.type,
            topic.name,
            self._keeper(k),
            _subscription_qos(topic, reliable=not (self._is_robots and topic is topics.JOINT_STATES)),
            event_callbacks=SubscriptionEventCallbacks(use_default_callbacks=False),
            raw=True,
        )

    def _hear_simulator(self) -> None:
        held_back, self._held_back = self._held_back, {}
        for k, topic in held_back.items():
            self._hear(k, topic)

    def _keeper(self, topic: int) -> Callable[[bytes, Any], None]:
        def keep(data: bytes, info: Any) -> None:
            if self._bag is None:
                return
            heard = int(info["received_timestamp"]) or time.time_ns()
            try:
                self._bag.write(topic, data, heard, int(info["source_timestamp"]) or heard)
            except OSError as error:
                self._give_up(error)

        keep.takes_info = True  # type: ignore[attr-defined]  # see EventLoop
        return keep

    def _on_flush(self) -> None:
        if self._bag is None:
            return
        if self._held_back and (self._bag.extent.counts[self._policy_topic] or time.monotonic() > self._until):
            self._hear_simulator()
        self._flushes += 1
        try:
            self._bag.flush()
            if self._flushes % METADATA_EVERY == 0:
                self._bag.write_metadata()
        except (OSError, RunError) as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        assert self._bag is not None
        reason = error.strerror if isinstance(error, OSError) else error
        self._complaint = f"recording has ended, because the disk takes no more: {reason}"
        self.get_logger().error(self._complaint)
        self._bag.abandon()
        self._bag = None

    def _on_second(self) -> None:
        if self._count:
            self._waiting.heard(time.monotonic())
        figures: dict[str, object] = {"messages": self._count}
        self._health.tell(figures, {}, [(ERROR, self._complaint)], otherwise="records")


def _type_name(topic: Topic) -> str:
    package, _, _ = topic.type.__module__.partition(".")
    return f"{package}/msg/{topic.type.__name__}"


def _subscription_qos(topic: Topic, *, reliable: bool) -> QoSProfile:
    """A long queue; reliable and latched as the publisher is, so that nothing is missed."""
    offered = topic.publisher_qos
    is_reliable = reliable and offered.reliability is ReliabilityPolicy.RELIABLE
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=DEPTH,
        reliability=ReliabilityPolicy.RELIABLE if is_reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=offered.durability,
    )


def main() -> int:
    """Entry point of the executable `recorder`."""
    return run(RecorderNode)


if __name__ == "__main__":
    sys.exit(main())
