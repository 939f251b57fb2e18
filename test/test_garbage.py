"""Garbage is collected between callbacks, seldom, and never by itself."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from policies import SPECIFICATION, make_file
from sac_control.nodes import messages, topics
from sac_control.policy.controller import Controller
from sac_control.policy.policy_config import PolicyConfig
from sac_control.system.garbage import BUSY_PERIOD, IDLE_PERIOD, GarbageCollection
from sac_control.types import JointState


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def collections() -> list[float]:
    return []


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def garbage(clock: Clock, collections: list[float]) -> GarbageCollection:
    return GarbageCollection(clock, lambda: collections.append(clock.now))


def test_idle_time_is_used_once_per_period(garbage: GarbageCollection, clock: Clock, collections: list[float]) -> None:
    garbage.collect_when_due(is_idle=True)
    clock.now += 0.9 * IDLE_PERIOD
    garbage.collect_when_due(is_idle=True)
    assert collections == []
    clock.now += 0.2 * IDLE_PERIOD
    garbage.collect_when_due(is_idle=True)
    garbage.collect_when_due(is_idle=True)
    assert collections == [1000.0 + 1.1 * IDLE_PERIOD]


def test_where_there_is_no_idle_time_garbage_does_not_pile_up_for_ever(
    garbage: GarbageCollection, clock: Clock, collections: list[float]
) -> None:
    for _ in range(100):
        clock.now += BUSY_PERIOD / 10
        garbage.collect_when_due(is_idle=False)
    assert 9 <= len(collections) <= 10


@pytest.fixture
def without_automatic_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_automatic_collection")
def test_ticks_leave_nothing_that_only_a_collection_could_free() -> None:
    # As on a robot, but for the age and the rate of states, which come all at once.
    controller = Controller(PolicyConfig(check_stamps=False, period_error=100.0))
    controller.install(make_file())
    controller.activate()
    command, answer, question = topics.COMMANDS.type(), topics.ACTION.type(), topics.JOINT_STATES.type()
    for stamp in range(100):
        state = JointState(
            stamp=stamp, names=SPECIFICATION.joints, position=np.array([0.1, 0.2]), velocity=np.array([0.3, 0.4])
        )
        action = controller.answer(messages.state_from_msg(messages.state_to_msg(state, question)))
        assert action is not None
        messages.command_to_msg(action.command, command)
        messages.action_to_msg(action, controller.mode, answer)
    assert gc.collect() == 0


def test_beginning_turns_automatic_collection_off_and_forgets_what_start_up_made() -> None:
    code = (
        "import gc; from sac_control.system.garbage import GarbageCollection;"
        "GarbageCollection().begin(); print(gc.isenabled(), gc.get_freeze_count() > 1000)"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.split() == ["False", "True"]
