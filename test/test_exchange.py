"""Lockstep over a network that loses, doubles and delays: the conversation goes on, and never ahead of its credit."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sac_control.health.waiting import WaitWarning
from sac_control.simulation.exchange import PROBE_PERIOD, Exchange
from sac_control.training.learner_config import learner_config
from sac_control.training.training import Training
from sac_control.types import Transition

ANSWER_TIMEOUT = 0.2
RUN_AHEAD = 3
TICK = 0.005  # [s] that every message takes
ANNOUNCE_PERIOD = 2.0  # [s] after which a learner repeats its credit
LEARNER = learner_config(
    hidden_sizes=(1,), batch_size=1, buffer_capacity=1000, warmup_steps=5, replay_ratio=0.25, run_ahead=RUN_AHEAD
)


@pytest.fixture
def exchange() -> Exchange:
    return Exchange(ANSWER_TIMEOUT, flow_control=True)


def step(exchange: Exchange, stamp: int, now: float) -> None:
    """One whole control step."""
    exchange.state_sent(stamp, now)
    assert exchange.accept(stamp)
    exchange.transition_sent(now)


# one at a time


def test_first_transition_needs_no_credit_and_the_second_does(exchange: Exchange) -> None:
    assert exchange.has_credit
    step(exchange, 0, 0.0)
    assert not exchange.has_credit
    exchange.grant(2)
    assert exchange.has_credit


def test_credit_from_before_the_first_transition_is_for_somebody_else(exchange: Exchange) -> None:
    exchange.grant(1000)
    step(exchange, 0, 0.0)
    assert not exchange.has_credit


def test_credit_may_be_taken_back(exchange: Exchange) -> None:
    step(exchange, 0, 0.0)
    exchange.grant(10)
    exchange.grant(1)
    assert not exchange.has_credit


def test_without_flow_control_credit_is_never_wanted() -> None:
    exchange = Exchange(ANSWER_TIMEOUT, flow_control=False)
    for stamp in range(100):
        step(exchange, stamp, 0.0)
    assert exchange.has_credit
    assert not exchange.must_probe(1000.0)


def test_answer_is_accepted_once_and_only_for_the_state_that_waits(exchange: Exchange) -> None:
    assert not exchange.accept(5)
    exchange.state_sent(7, 0.0)
    assert exchange.awaits_answer
    assert not exchange.accept(6)
    assert exchange.awaits_answer
    assert exchange.accept(7)
    assert not exchange.awaits_answer
    assert not exchange.accept(7)
    assert exchange.stray_actions == 3


def test_state_is_sent_again_each_time_the_answer_is_overdue(exchange: Exchange) -> None:
    assert not exchange.must_resend_state(100.0)
    exchange.state_sent(1, now=10.0)
    assert not exchange.must_resend_state(10.19)
    assert exchange.must_resend_state(10.21)
    assert not exchange.must_resend_state(10.4)
    assert exchange.must_resend_state(10.42)
    assert exchange.resent_states == 2
    exchange.accept(1)
    assert not exchange.must_resend_state(20.0)


def test_last_transition_is_sent_again_each_time_credit_is_overdue(exchange: Exchange) -> None:
    step(exchange, 0, 10.0)
    assert not exchange.must_probe(10.0 + 0.99 * PROBE_PERIOD)
    assert exchange.must_probe(10.0 + PROBE_PERIOD)
    assert not exchange.must_probe(10.0 + 1.99 * PROBE_PERIOD)
    assert exchange.must_probe(10.0 + 2.01 * PROBE_PERIOD)
    assert exchange.probes == 2
    exchange.grant(2)
    assert not exchange.must_probe(1000.0)


def test_nothing_is_probed_while_an_answer_is_awaited(exchange: Exchange) -> None:
    step(exchange, 0, 0.0)
    exchange.grant(2)
    exchange.state_sent(1, 0.0)
    exchange.grant(1)
    assert not exchange.must_probe(100.0)


def test_abandoned_state_waits_for_nothing(exchange: Exchange) -> None:
    exchange.state_sent(1, 0.0)
    exchange.abandon()
    assert not exchange.awaits_answer
    assert not exchange.must_resend_state(100.0)
    assert not exchange.accept(1)


def test_silence_is_told_once_when_it_has_lasted_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", "42")
    waiting = WaitWarning("/arm/joint_states", "simulator", patience=10.0, now=100.0)
    assert waiting.sentence(109.9) is None
    sentence = waiting.sentence(110.0)
    assert sentence is not None
    assert "no message on /arm/joint_states for 10 s: is the simulator node running" in sentence
    assert "ROS_DOMAIN_ID=42" in sentence
    assert waiting.sentence(200.0) is None


def test_nothing_is_told_once_the_topic_was_heard() -> None:
    waiting = WaitWarning("/joint_states", "simulator", patience=10.0, now=100.0)
    waiting.heard(105.0)
    assert waiting.sentence(1000.0) is None


def test_silence_is_counted_from_what_was_heard_last() -> None:
    waiting = WaitWarning("/joint_states", "simulator", patience=10.0, now=100.0)
    assert waiting.silence(103.0) == 3.0
    waiting.heard(105.0)
    assert waiting.silence(110.0) == 5.0
    assert [waiting.is_long(now) for now in (114.9, 115.0)] == [False, True]


# over a bad network


class Network:
    """Delivers messages, each according to its fate: number of copies, and ticks until the first arrives.

    When the fates are used up, every message arrives once and at once.
    """

    def __init__(self, fates: list[tuple[int, int]]) -> None:
        self._fates = deque(fates)
        self._under_way: list[tuple[int, Callable[[Any], None], Any]] = []  # (tick of arrival, receiver, content)
        self._tick = 0

    @property
    def is_good(self) -> bool:
        """Whether nothing more will go wrong."""
        return not self._fates

    def send(self, receiver: Callable[[Any], None], content: Any) -> None:
        copies, delay = self._fates.popleft() if self._fates else (1, 0)
        for copy in range(copies):
            self._under_way.append((self._tick + delay + copy, receiver, content))

    def deliver(self) -> None:
        """Let arrive what is due; what that causes to be sent arrives at the next tick."""
        self._tick += 1
        due = [message for message in self._under_way if message[0] < self._tick]
        self._under_way = [message for message in self._under_way if message[0] >= self._tick]
        for _, receiver, content in due:
            receiver(content)


class Simulator:
    """What the simulator node does in lockstep, without physics."""

    def __init__(self, source: int, world: World) -> None:
        self._world, self._source = world, source
        self.exchange = Exchange(ANSWER_TIMEOUT, flow_control=True)
        self._sequence = 0
        self._last: Transition | None = None
        self._granted = 1

    def advance(self) -> None:
        if self.exchange.has_credit:
            self._send_state()
            self.exchange.state_sent(self._sequence, self._world.now)

    def on_action(self, stamp: int) -> None:
        if not self.exchange.accept(stamp):
            return
        assert stamp == self._sequence, "an answer was applied to another state than it was made for"
        assert self._sequence == 0 or self._sequence < self._granted, "sent beyond its credit"
        self._last = transition(self._source, self._sequence)
        self._world.send_transition(self._last)
        self._sequence += 1
        self.exchange.transition_sent(self._world.now)
        self.advance()

    def on_credit(self, credit: int) -> None:
        if self._sequence:
            self._granted = credit
        self.exchange.grant(credit)
        if not self.exchange.awaits_answer:
            self.advance()

    def on_timer(self) -> None:
        if self.exchange.must_resend_state(self._world.now):
            self._send_state()
        elif self._last is not None and self.exchange.must_probe(self._world.now):
            self._world.send_transition(self._last)

    def _send_state(self) -> None:
        self._world.send_state(self._sequence)


class World:
    """A simulator, a policy that answers at once, a learner with a real training, and a network between them."""

    def __init__(self, fates: list[tuple[int, int]]) -> None:
        self.now = 0.0
        self.network = Network(fates)
        self._sources = 0
        self.start_simulator()
        self.start_learner()

    def start_simulator(self) -> None:
        self._sources += 1
        self.simulator = Simulator(self._sources, self)
        self.simulator.advance()

    def start_learner(self) -> None:
        self.training = Training(LEARNER, observation_size=1, action_size=1)
        self._credit = -1
        self._announced_at = self.now

    def send_state(self, stamp: int) -> None:
        self.network.send(self._answer, stamp)

    def send_transition(self, one: Transition) -> None:
        self.network.send(self._learn, one)

    def _answer(self, stamp: int) -> None:
        simulator = self.simulator
        self.network.send(lambda content: simulator.on_action(content), stamp)

    def _learn(self, one: Transition) -> None:
        self.training.ingest(one)
        self.training.update(self.training.updates_owed)
        assert self.training.updates_owed == 0
        self._publish_credit()

    def _publish_credit(self) -> None:
        if self.training.credit != self._credit:
            self._credit = self.training.credit
            self.network.send(self._on_credit, self._credit)

    def _on_credit(self, credit: int) -> None:
        self.simulator.on_credit(credit)

    def tick(self) -> None:
        self.network.deliver()
        self.simulator.on_timer()
        if self.now - self._announced_at > ANNOUNCE_PERIOD:
            self._announced_at, self._credit = self.now, -1
            self._publish_credit()
        self.now += TICK

    def run_until(self, condition: Callable[[], bool], seconds: float) -> None:
        """Let time pass until `condition` holds."""
        end = self.now + seconds
        while not condition():
            assert self.now < end, f"nothing goes on after {seconds} s"
            self.tick()


def transition(source: int, sequence: int) -> Transition:
    value = np.array([0.5], np.float32)
    return Transition(
        source=source,
        sequence=sequence,
        episode=0,
        step=sequence,
        stamp=sequence,
        policy_version=1,
        observation=value,
        action=value,
        reward=1.0,
        next_observation=value,
        terminated=False,
        truncated=False,
    )


ONCE = st.just((1, 0))
FATES = st.lists(st.one_of(ONCE, ONCE, st.tuples(st.integers(0, 2), st.integers(0, 120))), max_size=60)


def goes_on(world: World) -> None:
    """Over a good network, the learner soon has more transitions than it had."""
    world.run_until(lambda: world.network.is_good, seconds=120.0)
    before = world.training.transitions
    world.run_until(lambda: world.training.transitions >= before + 20, seconds=10.0)


@settings(deadline=None, max_examples=40)
@given(FATES)
def test_conversation_survives_whatever_the_network_does(fates: list[tuple[int, int]]) -> None:
    goes_on(World(fates))


@settings(deadline=None, max_examples=20)
@given(FATES, st.integers(0, 400))
def test_conversation_survives_a_restart_of_the_learner(fates: list[tuple[int, int]], ticks: int) -> None:
    world = World(fates)
    for _ in range(ticks):
        world.tick()
    world.start_learner()
    goes_on(world)


@settings(deadline=None, max_examples=20)
@given(FATES, st.integers(0, 400))
def test_conversation_survives_a_restart_of_the_simulator(fates: list[tuple[int, int]], ticks: int) -> None:
    world = World(fates)
    for _ in range(ticks):
        world.tick()
    world.start_simulator()
    goes_on(world)


def test_over_a_good_network_nothing_is_sent_twice() -> None:
    world = World([])
    world.run_until(lambda: world.training.transitions >= 100, seconds=10.0)
    exchange = world.simulator.exchange
    assert (exchange.resent_states, exchange.probes, exchange.stray_actions) == (0, 0, 0)
    assert world.training.counters().duplicates == 0


@pytest.mark.parametrize("lost", range(12))
def test_any_single_lost_message_is_made_up_for_by_the_next_announcement(lost: int) -> None:
    world = World([(1, 0)] * lost + [(0, 0)])
    world.run_until(lambda: world.training.transitions >= 10, seconds=ANNOUNCE_PERIOD + 0.5)


@settings(deadline=None, max_examples=20)
@given(FATES)
def test_learner_is_never_more_than_run_ahead_behind(fates: list[tuple[int, int]]) -> None:
    """Transitions under way and updates owed together stay within the credit that was given."""
    world = World(fates)
    sent: list[int] = []
    send = world.send_transition

    def counted(one: Transition) -> None:
        sent.append(one.sequence)
        send(one)
        accepted = world.training.counters()
        assert max(sent) < accepted.transitions + accepted.missing + RUN_AHEAD + 1

    world.send_transition = counted  # type: ignore[method-assign]
    goes_on(world)
