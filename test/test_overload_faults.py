"""Far more messages than anybody can take: memory is bounded, control goes on, and every drop is accounted for.

``SAC_CONTROL_FAULTS=full`` floods for 60 s; the figures are printed (``pytest -s``).
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sac_control.msg import PolicyAction

from flooder import SOURCES, STRANGERS
from killable_learner import ROW_SIZE
from node_processes import NodeProcess, ScriptProcess
from policies import RUN_ID, SPECIFICATION, make_file
from robots import PATIENCE
from ros_world import RosWorld
from sac_control.nodes import messages, topics
from sac_control.store.replay_file import ReplayFile
from test_traffic_faults import pause
from withheld import Withheld

SECONDS = 60 if os.environ.get("SAC_CONTROL_FAULTS") == "full" else 8
RATE = 10_000  # [1/s] that are aimed at; the figures tell what was reached
CAPACITY = 5_000  # of the replay buffer, which is full before the flood is half over
PERIOD = SPECIFICATION.control_period  # [s]
# [MB] of the learner: the queue of the middleware, whose 5000 transitions take 3.16 kB each (a heap of 15.8 MB when it
# is full, whatever was in it before), and the buffer's rows.
MOST_GROWTH = 17.0
MOST_GROWTH_WHEN_FULL = 2.0  # [MB] in the second half of the flood; of the policy, throughout


@pytest.fixture
def policy_path(tmp_path: Path) -> Path:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(make_file(hidden=16).to_bytes())
    return path


class Observer:
    """Hears what the nodes say of themselves."""

    def __init__(self, ros: RosWorld) -> None:
        self._ros = ros
        self.training = ros.hear(topics.TRAINING_STATUS)
        self.policy = ros.hear(topics.POLICY_STATUS)
        self.diagnostics = ros.hear(topics.DIAGNOSTICS)

    def until(self, condition: Callable[[], object], complaint: str) -> None:
        self._ros.until(condition, complaint, 3 * PATIENCE)  # the processor is busy, as is meant

    def values(self, node: str) -> list[tuple[float, dict[str, str]]]:
        """Time [s] and values of each diagnostic status of `node`."""
        return [
            (1e-9 * messages.stamp_from_msg(msg.header.stamp), {value.key: value.value for value in status.values})
            for msg in self.diagnostics
            for status in msg.status
            if status.name == node
        ]

    def accounted(self) -> int:
        """Transitions of which the learner has said what became of them."""
        status = self.training[-1]
        taken = status.env_steps + status.rejected_transitions
        return int(taken + status.duplicate_transitions + status.missing_transitions)

    def control_rates(self, began: float, machine: Withheld) -> list[float]:
        """How often the policy ticked and the simulator stepped from one second to the next, relative to nominal.

        What the machine withheld does not count as time.
        """
        ticks = [(1e-9 * messages.stamp_from_msg(msg.header.stamp), int(msg.ticks)) for msg in self.policy]
        steps = [(at, int(values["transitions"])) for at, values in self.values("/simulator")]
        found, ahead = [], time.time() - time.monotonic()
        for counts in (ticks, steps):
            recent = [(at - ahead, count) for at, count in counts if at >= began]
            found += [
                (n - m) / machine.given_to_each(a, b) * PERIOD for (a, m), (b, n) in pairwise(recent) if b - a > 0.5
            ]
        return found


@pytest.mark.long
def test_flood_of_transitions_fills_no_memory_stops_no_control_and_is_accounted_for_to_the_last_one(
    tmp_path: Path, policy_path: Path, machine: Withheld
) -> None:
    run = tmp_path / "run"
    settings: dict[str, object] = {
        "run_directory": str(run), "evaluation_every": 0, "batch_size": 16, "hidden_sizes": [8], "max_steps": 10**9,
        "buffer_capacity": CAPACITY, "replay_ratio": 0.5,
    }  # fmt: skip
    with RosWorld() as ros:
        observer = Observer(ros)
        with (
            NodeProcess(ros, "learner", None, **settings) as learner,
            NodeProcess(ros, "policy", None, run_id=RUN_ID, accept_weights="", policy_file=str(policy_path)),
            NodeProcess(ros, "simulator", None, run_id=RUN_ID, mode="realtime"),
            ScriptProcess(ros, "flooder.py", "transitions", RATE, SECONDS) as flooder,
        ):
            observer.until(lambda: flooder.said and observer.training, "the flood does not begin")
            observer.until(lambda: observer.training[-1].rejected_transitions == STRANGERS, "strangers are not refused")
            observer.until(lambda: observer.training[-1].env_steps > SOURCES + 60, "control does not begin")
            assert observer.training[-1].missing_transitions == 0
            memory, began, computed = [learner.memory], time.time(), learner.processor_time
            flooder.go_on()

            def is_over() -> bool:
                if time.time() > began + 0.25 * len(memory):
                    memory.append(learner.memory)
                return len(flooder.said) == 2

            observer.until(is_over, "the flood does not end")
            seconds, computed = time.time() - began, learner.processor_time - computed
            rates, taken = observer.control_rates(began, machine), observer.training[-1]
            pause(ros)
            flooder.go_on()
            observer.until(lambda: len(flooder.said) == 3, "the flood does not end")
            paused = time.time()
            observer.until(lambda: observer.values("/simulator")[-1][0] > paused, "the simulator is silent")
            steps = int(observer.values("/simulator")[-1][1]["transitions"])
            observer.until(lambda: observer.training[-1].duplicate_transitions == SOURCES, "the end does not arrive")
            ros.spin_for(0.5)
            status, accounted = observer.training[-1], observer.accounted()
            learner.stop()
    records = ReplayFile(run / "replay", ROW_SIZE).read_from(0).records
    of_simulator = records["sequence"][records["source"] > SOURCES]
    sent = flooder.said[2]["sent"] + steps - int(of_simulator.min())
    processed = taken.env_steps + taken.rejected_transitions - SOURCES - STRANGERS
    sys.stdout.write(
        f"\n{flooder.said[1]['sent'] / seconds:.0f} sent per second for {seconds:.0f} s, in all {sent}; the learner "
        f"took {processed / seconds:.0f} per second, {1e6 * computed / processed:.0f} us each; {status.env_steps} "
        f"accepted, {status.rejected_transitions} rejected, {status.duplicate_transitions} duplicates, "
        f"{status.missing_transitions} missing; {status.updates} updates; control rate: median "
        f"{statistics.median(rates):.3f}, least {min(rates):.3f}; memory {memory[0]:.1f} MB, most {max(memory):.1f}, "
        f"at half {memory[len(memory) // 2]:.1f}, at the end {memory[-1]:.1f}\n"
    )
    assert accounted == sent
    assert status.rejected_transitions <= flooder.said[2]["malformed"] + STRANGERS
    assert status.env_steps == len(records)
    assert len(np.unique(records[["source", "sequence"]])) == len(records), "none twice"
    assert max(memory) - memory[0] < MOST_GROWTH
    assert memory[-1] - memory[len(memory) // 2] < MOST_GROWTH_WHEN_FULL
    assert statistics.median(rates) >= 0.95


@pytest.mark.long
def test_flood_of_states_is_answered_by_the_newest_one_and_fills_no_memory(
    policy_path: Path, machine: Withheld
) -> None:
    ages = list[float]()  # [s] from the sending of a state until its answer is here

    def note(msg: Any) -> None:
        if msg.mode == PolicyAction.MODE_ACTIVE:
            ages.append(time.time() - 1e-9 * messages.stamp_from_msg(msg.header.stamp))

    with RosWorld() as ros:
        observer = Observer(ros)
        ros.hear(topics.ACTION, note)
        with (
            NodeProcess(
                ros,
                "policy",
                {"policy_weights": "unheard"},
                policy_file=str(policy_path),
                period_error=100.0,  # which it would not arm at
                frozen_periods=0,
            ) as policy,
            ScriptProcess(ros, "flooder.py", "states", RATE, SECONDS) as flooder,
        ):
            observer.until(lambda: len(ages) > 100, "the flood is not answered")
            ages.clear()
            memory, began = [policy.memory], time.time()

            def is_over() -> bool:
                if time.time() > began + 0.25 * len(memory):
                    memory.append(policy.memory)
                return len(flooder.said) == 1

            observer.until(is_over, "the flood does not end")
            rates = observer.control_rates(began, machine)
    sys.stdout.write(
        f"\n{flooder.said[0]['sent'] / SECONDS:.0f} states sent per second; {statistics.median(rates) / PERIOD:.0f} "
        f"answered per second, least {min(rates) / PERIOD:.0f}; age of the state: median "
        f"{1e3 * statistics.median(ages):.1f} ms, 99 of 100 {1e3 * np.quantile(ages, 0.99):.1f} ms, worst "
        f"{1e3 * max(ages):.1f} ms; memory {memory[0]:.1f} MB, most {max(memory):.1f}\n"
    )
    assert statistics.median(rates) >= 0.95
    assert statistics.median(ages) < PERIOD
    assert max(memory) - memory[0] < MOST_GROWTH_WHEN_FULL
