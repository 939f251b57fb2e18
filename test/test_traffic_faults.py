"""A network that drops, doubles, reorders and delays between real nodes, each in a process of its own.

``SAC_CONTROL_FAULTS=full`` lets each fault last ten times as long; the figures are printed (``pytest -s``).
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sac_control.msg import PolicyAction
from std_srvs.srv import SetBool

from killable_learner import ROW_SIZE, row_of
from node_processes import NodeProcess
from policies import RUN_ID, SPECIFICATION, make_file
from relay import PREFIX, Faults, Relay
from robots import PATIENCE
from ros_world import RosWorld
from sac_control.nodes import messages, topics
from sac_control.policy.safety import MAX_STREAK
from sac_control.store.replay_file import ReplayFile
from withheld import Withheld

IS_FULL = os.environ.get("SAC_CONTROL_FAULTS") == "full"
TRANSITIONS = 20_000 if IS_FULL else 2_000
LOSSY = Faults(drop=0.3, double=0.2, swap=0.2)
LATE = Faults(drop=0.3, double=0.2, swap=0.2, delay=0.2)
CALM = 3600 if IS_FULL else 720  # calm periods of which a share says something: of 360 it varies by 9 % (two sigma)
PERIOD, TIMEOUT = SPECIFICATION.control_period, 0.05  # [s]
WHILE = 0.25  # [s] what the machine withholds has an effect for so long: a silence, and arming after it


@pytest.fixture
def policy_path(tmp_path: Path) -> Path:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(make_file(hidden=16).to_bytes())
    return path


def until(ros: RosWorld, condition: Any, complaint: str) -> None:
    ros.until(condition, complaint, 3 * PATIENCE)  # for a path through several processes


def value_of(diagnostics: list[Any], node: str, key: str) -> str:
    """What the newest diagnostics of a node say of `key`."""
    for msg in reversed(diagnostics):
        for status in msg.status:
            if status.name == node:
                return str({value.key: value.value for value in status.values}[key])
    return ""


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3 if IS_FULL else 1))
def test_buffer_holds_exactly_the_transitions_that_came_through(tmp_path: Path, seed: int) -> None:
    run = tmp_path / "run"
    settings: dict[str, object] = {
        "run_directory": str(run), "evaluation_every": 0, "warmup_steps": 50, "replay_ratio": 0.2, "batch_size": 16,
        "hidden_sizes": [8], "run_ahead": 200, "max_steps": 10**9,
    }  # fmt: skip
    with RosWorld() as ros:
        statuses, diagnostics = ros.hear(topics.TRAINING_STATUS), ros.hear(topics.DIAGNOSTICS)
        relay: Relay = ros.add(lambda: Relay(seed, LATE, topics.TRANSITIONS))
        with contextlib.ExitStack() as nodes:
            learner = nodes.enter_context(NodeProcess(ros, "learner", None, **settings))
            until(ros, lambda: relay.is_heard, "the learner does not listen")
            to_relay = {"transitions": PREFIX + "transitions"}
            nodes.enter_context(NodeProcess(ros, "policy", run_id=RUN_ID, lockstep=True))
            nodes.enter_context(NodeProcess(ros, "simulator", to_relay, run_id=RUN_ID, max_episode_steps=50, seed=seed))
            passed_on, came = relay.passed_on["transitions"], relay.came["transitions"]
            until(ros, lambda: len(passed_on) > TRANSITIONS, "training does not go on")
            pause(ros)

            def is_over() -> bool:
                made = int(value_of(diagnostics, "/simulator", "transitions") or -1)
                return relay.is_empty and len({each.message.sequence for each in came}) == made

            until(ros, is_over, "what the simulator made does not come to the relay")
            counts = sorted_out(relay)
            until(ros, lambda: arrived(statuses[-1]) == len(passed_on), f"{counts}, {statuses[-1]}")
            status = statuses[-1]
            assert status.updates > 0
            assert (status.env_steps, status.rejected_transitions) == (counts["stored"], 0)
            assert status.missing_transitions == counts["missing"]
            assert status.duplicate_transitions == counts["duplicates"]
            learner.stop()
    first_passed = {each.message.sequence: each.message for each in reversed(passed_on)}
    saved = ReplayFile(run / "replay", ROW_SIZE).read_from(0)
    assert saved.records["sequence"].tolist() == list(dict.fromkeys(each.message.sequence for each in passed_on)), (
        "each once, in the order in which they came"
    )
    for row, record in zip(saved.rows, saved.records, strict=True):
        sent = messages.transition_from_msg(first_passed[int(record["sequence"])])
        assert row.tobytes() == row_of(sent).tobytes()
        assert (record["episode"], record["step"], record["stamp"]) == (sent.episode, sent.step, sent.stamp)
    sys.stdout.write(f"\nseed {seed}: {len(came)} transitions, {counts}, {status.updates} updates\n")


def pause(ros: RosWorld) -> None:
    """Stop simulated time; ask again where the answer is lost, as it may be while nodes get to know each other."""
    client = ros.probe.create_client(SetBool, topics.SIMULATOR_PAUSE)
    until(ros, client.service_is_ready, "no service")
    answers, asked_at = [], -math.inf

    def is_answered() -> bool:
        nonlocal asked_at
        if time.monotonic() - asked_at > 2.0:
            asked_at = time.monotonic()
            answers.append(client.call_async(SetBool.Request(data=True)))
        return any(answer.done() for answer in answers)

    until(ros, is_answered, "the simulator does not answer")


def arrived(status: Any) -> int:
    """Messages of which the learner has made something."""
    return int(status.env_steps + status.duplicate_transitions + status.rejected_transitions)


def sorted_out(relay: Relay) -> dict[str, int]:
    """What a learner must have made of the transitions that the relay passed on."""
    passed_on = [each.message.sequence for each in relay.passed_on["transitions"]]
    came = [each.message.sequence for each in relay.came["transitions"]]
    heard_of = set(range(min(passed_on), max(passed_on) + 1))
    lost = (set(came) & heard_of) - set(passed_on)
    return {
        "stored": len(set(passed_on)),
        "missing": len(lost),
        "duplicates": len(passed_on) - len(set(passed_on)),
        "late": sum(b < a for a, b in itertools.pairwise(passed_on)),
    }


@dataclass(frozen=True, kw_only=True)
class Control:
    """What was heard of simulator and policy in realtime; each with the steady time at which it was [s]."""

    states: list[tuple[float, int]]  # stamp, passed on to the policy
    answers: list[tuple[float, int, int]]  # stamp and mode, from the policy
    commanded: list[tuple[float, float]]  # effort [N], from the policy
    commands: list[tuple[float, float]]  # effort [N], passed on to the simulator
    forces: list[tuple[float, float]]  # effort [N], as applied by the simulator


def controlled(faults: Faults, policy_path: Path, seed: int, machine: Withheld) -> Control:
    """Let policy and simulator control in realtime, with all that they say to each other relayed.

    Goes on until `CALM` periods were calm, four times as long where the machine is not.
    """
    forces, is_calm = list[tuple[float, float]](), list[bool]()
    limit = SPECIFICATION.command_limit[0]

    def take(msg: Any) -> None:
        forces.append((time.monotonic(), limit * float(msg.action[0])))
        is_calm.append(is_calm_at(forces[-1][0], machine))

    # Whoever checks ages and rates moves nothing by states so late: without that, their order must do.
    credulous: dict[str, object] = {"check_stamps": False, "period_error": 100.0} if faults is LATE else {}
    with RosWorld() as ros:
        ros.hear(topics.TRANSITIONS, take)
        relay: Relay = ros.add(lambda: Relay(seed, faults, topics.JOINT_STATES, topics.COMMANDS, topics.ACTION))
        of_policy = {topic.name: PREFIX + topic.name for topic in (topics.COMMANDS, topics.ACTION)}
        of_simulator = {topics.JOINT_STATES.name: PREFIX + topics.JOINT_STATES.name}
        with (
            NodeProcess(ros, "policy", of_policy, policy_file=str(policy_path), **credulous),
            NodeProcess(ros, "simulator", of_simulator, mode="realtime", seed=seed, command_timeout=TIMEOUT),
        ):
            until(ros, lambda: any(effort for _, effort in forces), "nothing is commanded")
            end = len(forces) + 4 * CALM
            until(ros, lambda: is_calm.count(True) >= CALM or len(forces) >= end, "time does not pass")
    came, passed_on = relay.came, relay.passed_on
    return Control(
        states=[(each.at, stamp_of(each.message)) for each in passed_on["joint_states"]],
        answers=[(each.at, stamp_of(each.message), each.message.mode) for each in came["policy/action"]],
        commanded=[(each.at, each.message.data[0]) for each in came["effort_controller/commands"]],
        commands=[(each.at, each.message.data[0]) for each in passed_on["effort_controller/commands"]],
        forces=forces,
    )


def is_calm_at(at: float, machine: Withheld) -> bool:
    """Whether the machine had withheld next to nothing before a steady time [s]."""
    return machine.given(at - WHILE, at) > 0.9 * WHILE


def stamp_of(msg: Any) -> int:
    return messages.stamp_from_msg(msg.header.stamp)


@pytest.mark.long
@pytest.mark.parametrize("faults", [LOSSY, LATE], ids=["lossy", "late"])
def test_control_goes_on_or_falls_to_zero(policy_path: Path, machine: Withheld, faults: Faults) -> None:
    control = controlled(faults, policy_path, 1, machine)
    commanded_at = [(time_of_command(at, effort, control.commands), at) for at, effort in control.forces if effort]
    ages = [machine.given(*span) for span in commanded_at]
    silences = [
        machine.given(at, next((late for late, effort in control.commanded if late > at and not effort), math.inf))
        for (at, _), (end, _) in itertools.pairwise(control.states)
        if end - at > TIMEOUT + 2 * PERIOD and at > control.commanded[0][0]
    ]
    returns = [b[0] - a[0] for a, b in itertools.pairwise(control.answers) if b[1] < a[1]]
    calm = [effort for at, effort in control.forces if is_calm_at(at, machine)]
    moved = sum(map(bool, calm)) / max(len(calm), 1)
    can_tell = len(calm) > 0.9 * CALM  # on a machine that is hardly ever calm, nothing can be said of how much moves
    sys.stdout.write(
        f"\n{faults}: {len(control.forces)} periods, {moved:.0%} of {len(calm)} calm ones moved; age of their "
        f"commands: median {statistics.median(ages):.3f}, worst {max(ages):.3f} s; {len(silences)} silences, zero "
        f"after: median {statistics.median(silences or [0]):.3f}, worst {max(silences, default=0):.3f} s; "
        f"{len(returns)} answers to an older state, after: median {statistics.median(returns or [0]):.3f} s\n"
    )
    assert all(then > -math.inf for then, _ in commanded_at), "a force that nobody commanded"
    assert sum(age > TIMEOUT + PERIOD for age in ages) <= max(3, 0.05 * len(ages)), "forces older than the timeout"
    # The lower one of two in the middle: in the short form there may be just two, and one of them the middleware's.
    assert statistics.median_low(silences or [0.0]) <= TIMEOUT + PERIOD
    assert statistics.median(returns or [TIMEOUT]) >= 0.8 * TIMEOUT, "an old state is believed only after a silence"
    assert moved > 0.4 or faults is LATE or not can_tell, "control does not go on"
    assert moved < 0.4 or faults is LOSSY, "what was up to 200 ms under way must not move much"
    rows = [list(row) for _, row in itertools.groupby(control.answers, is_active_answer)][:-1]
    waits = [len({stamp for _, stamp, _ in row}) for row in rows if not is_active_answer(row[0])]
    assert waits
    assert min(waits) >= MAX_STREAK - 1, "armed without a row of usable states"


def is_active_answer(answer: tuple[float, int, int]) -> bool:
    return answer[2] == PolicyAction.MODE_ACTIVE


def time_of_command(at: float, force: float, commands: list[tuple[float, float]]) -> float:
    """Steady time [s] of the newest command of this force before `at`; minus infinity where there was none."""
    return max((then for then, effort in commands if then <= at and abs(effort - force) < 1e-4), default=-math.inf)
