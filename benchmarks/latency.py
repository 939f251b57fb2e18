"""What a control tick costs through the middleware, beside a bare ping-pong of the same messages in the same minutes.

The processes are the real ones. Only the round trips need a counterpart, a `Pinger` in the simulator's place. Nothing
is pinned to a processor. What is compared takes turns of a second, because machines are noisy.
"""

from __future__ import annotations

import gc
import hashlib
import itertools
import math
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from std_srvs.srv import SetBool

from benchmarks.ping_pong import Pinger, publisher
from sac_control.cli.domain import DomainLease
from sac_control.nodes import messages, topics
from sac_control.policy.policy import Policy
from sac_control.policy.policy_file import PolicyFile
from sac_control.tasks.catalogue import make_task
from sac_control.types import ActorParameters, Float32Array, Weights

SPECIFICATION = make_task("inverted_pendulum").specification
RUN_ID = "0123456789abcdef" * 2
# A policy node as on a robot, but that takes states at whatever rate, with stamps of no clock: those of a `Pinger`.
ROBOT: dict[str, object] = {
    "period_error": 100.0,
    "check_stamps": False,
    "state_timeout": 5.0,
    "allow_long_timeout": True,
    "accept_without_region": True,
}
TURN = 1.0  # [s] that one side is measured before the other
SWAPS_PER_SECOND = 20
TICKS_PER_SWAP = 50  # at 1 kHz
WINDOW = 10  # ticks after an offer that are compared with as many halfway to the next offer
KILOHERTZ_FACTOR = 1000.0 * SPECIFICATION.control_period  # real_time_factor at which a period lasts 1 ms
_HISTOGRAM_EDGES: Float32Array = np.geomspace(50.0, 50_000.0, 121).astype(np.float32)  # [µs]


def measure(seconds: float) -> dict[str, Any]:
    """Measure everything.

    Args:
        seconds: duration of each measurement; swaps are made 20 times per second, so 1,000 of them take 50.

    Returns:
        round_trip: bare and ours, state published to command received; ratio_p50 and ratio_p99 of ours to bare.
        lockstep: steps_per_second of simulator and policy without a learner, share of the bare round_trips_per_second.
        inference: by layer sizes.
        swaps: count, rejected, missed_ticks, added latency, and the longest piece of a check as the policy node told.
        kilohertz: periods and missed ones of simulator and policy in realtime at 1 kHz.
        All times in µs.
    """
    with tempfile.TemporaryDirectory(prefix="sac_control-latency-") as name:
        path = Path(name) / "policy.safetensors"
        path.write_bytes(_make_file(0, (64, 64)).to_bytes())
        return {
            **_measure_round_trips(path, seconds),
            "inference": {"64x64": _measure_inference((64, 64)), "256x256": _measure_inference((256, 256))},
            "swaps": _measure_swaps(path, round(SWAPS_PER_SECOND * seconds)),
            "kilohertz": _measure_kilohertz(path, seconds),
        }


# round trips and lockstep


def _measure_round_trips(path: Path, seconds: float) -> dict[str, Any]:
    with ExitStack() as stack:
        bare_domain, our_domain, lockstep_domain = (stack.enter_context(_Domain()) for _ in range(3))
        bare_domain.start("benchmarks.ping_pong")
        our_domain.start("sac_control.nodes.policy", policy_file=path, **ROBOT)
        lockstep_domain.start("sac_control.nodes.policy", policy_file=path, lockstep=True)
        lockstep_domain.start("sac_control.nodes.simulator", flow_control=False)
        bare, ours = bare_domain.pinger(), our_domain.pinger()
        simulator = _SimulatorWatch(lockstep_domain.pinger())
        while simulator.steps_per_second() == 0.0:
            pass  # discovery is not over
        simulator.pause(True)
        for pinger in (bare, ours):
            pinger.wait_for_peer()
            pinger.ping_for(TURN)  # warm
        bare_turns, our_turns, lockstep_turns = [], [], []
        for _ in range(max(1, round(seconds / TURN))):
            bare_turns.append(bare.ping_for(TURN))
            our_turns.append(ours.ping_for(TURN))
            simulator.pause(False)
            lockstep_turns.append(simulator.steps_per_second())
            simulator.pause(True)
    result = {"bare": _round_trip(bare_turns), "ours": _round_trip(our_turns)}
    pairs = [(_quantiles(our), _quantiles(base)) for our, base in zip(our_turns, bare_turns, strict=True)]
    ratios = {
        f"ratio_{name}": _median_ratio([(our[name], base[name]) for our, base in pairs]) for name in ("p50", "p99")
    }
    shares = [rate * TURN / len(base) for rate, base in zip(lockstep_turns, bare_turns, strict=True)]
    lockstep = {
        "steps_per_second": statistics.median(lockstep_turns),
        "turns": lockstep_turns,
        "share_of_bare": statistics.median(shares),
    }
    return {"round_trip": {**result, **ratios}, "lockstep": lockstep}


def _median_ratio(pairs: Sequence[tuple[float | None, float | None]]) -> float | None:
    """Median of ours to bare; None where too much went unanswered to tell."""
    ratios = [
        math.inf if our is None else our / base for our, base in pairs if not (our is None and base is None) and base
    ]
    return _finite(statistics.median(ratios)) if ratios else None


def _round_trip(turns: Sequence[Sequence[float]]) -> dict[str, Any]:
    times = [value for turn in turns for value in turn]
    answered = [value for value in times if math.isfinite(value)]
    counts, _ = np.histogram(1e6 * np.array(answered), _HISTOGRAM_EDGES)
    return {
        **_quantiles(times),
        "round_trips_per_second": statistics.median(len(turn) / TURN for turn in turns),
        "unanswered": len(times) - len(answered),
        "histogram": {"edges": _HISTOGRAM_EDGES.tolist(), "counts": counts.tolist()},
    }


class _SimulatorWatch:
    """Pauses a simulator and reads its diagnostics."""

    def __init__(self, pinger: Pinger) -> None:
        self._pinger = pinger
        self._client = pinger.node.create_client(SetBool, topics.SIMULATOR_PAUSE)
        self._values: dict[str, str] = {}
        self._time = 0.0  # [s] at which the values were taken
        self._since = 0.0  # [s] from which on they are of interest
        self._heard = 0  # since then
        diagnostics = topics.DIAGNOSTICS
        pinger.node.create_subscription(
            diagnostics.type, diagnostics.name, self._on_diagnostics, diagnostics.subscription_qos
        )

    def pause(self, is_paused: bool) -> None:
        self._pinger.wait_until(self._client.service_is_ready)
        future = self._client.call_async(SetBool.Request(data=is_paused))
        self._pinger.wait_until(future.done)

    def next_values(self, count: int = 1) -> tuple[float, dict[str, str]]:
        """When [s] the `count`-th diagnostics from now on were published, and what they say.

        Those that were published earlier may still wait to be taken: nobody did while other contenders had their turn.
        """
        self._since, self._heard = time.time(), 0
        self._pinger.wait_until(lambda: self._heard >= count, timeout=30.0 + 2.0 * count)
        return self._time, self._values

    def steps_per_second(self) -> float:
        """Rate between two of the simulator's diagnostics, which come once per second."""
        (start, before), (end, after) = self.next_values(), self.next_values()
        return (int(after["transitions"]) - int(before["transitions"])) / (end - start)

    def _on_diagnostics(self, msg: Any) -> None:
        status = msg.status[0]
        published_at = messages.stamp_from_msg(msg.header.stamp) / 1e9
        if status.name.endswith("simulator") and published_at >= self._since:
            self._values = {value.key: value.value for value in status.values}
            self._time = published_at
            self._heard += 1


# inference


def _measure_inference(hidden_sizes: tuple[int, ...], count: int = 20_000) -> dict[str, float | None]:
    policy = Policy(_make_file(0, hidden_sizes).actor)
    observations = np.random.default_rng(0).standard_normal((100, policy.observation_size)).astype(np.float32)
    times = []
    gc.disable()  # as in the policy node
    try:
        for observation in itertools.islice(itertools.cycle(observations), count):
            start = time.perf_counter()
            policy.act(observation)
            times.append(time.perf_counter() - start)
    finally:
        gc.enable()
    return _quantiles(times)


# swaps


def _measure_swaps(path: Path, count: int) -> dict[str, Any]:
    """States at 1 kHz; new weights are offered right after an answer, so the next states fall into their check."""
    offers = [messages.weights_to_msg(_make_weights(version), 0) for version in range(1, count + 1)]
    times: list[float] = []
    with _Domain() as domain:
        domain.start("sac_control.nodes.policy", policy_file=path, accept_weights=RUN_ID, **ROBOT)
        pinger = domain.pinger()
        statuses = pinger.record(topics.POLICY_STATUS, 2 * count + 100)
        weights = publisher(pinger.node, topics.WEIGHTS)
        pinger.wait_for_peer()
        pinger.wait_until(lambda: weights.get_subscription_count() > 0)
        pinger.ping_for(TURN)  # warm
        due = time.perf_counter()
        for tick in range(TICKS_PER_SWAP * count):
            if tick % TICKS_PER_SWAP == 0:
                weights.publish(offers[tick // TICKS_PER_SWAP])
            due = max(due + 1e-3, time.perf_counter())
            time.sleep(max(0.0, due - time.perf_counter()))
            times.append(pinger.ping())
        pinger.play_back()
        pinger.wait_until(lambda: statuses and statuses[-1].offered_version == count)
    by_swap = np.array(times).reshape(count, TICKS_PER_SWAP)
    half = TICKS_PER_SWAP // 2
    with_swap, without = by_swap[:, :WINDOW].max(axis=1), by_swap[:, half : half + WINDOW].max(axis=1)
    longest, usual = _quantiles(with_swap.tolist()), _quantiles(without.tolist())
    gaps = {msg.offered_version: msg.swap_gap for msg in statuses if msg.offered_version}
    return {
        "count": statuses[-1].swaps,
        "offered": count,
        "rejected": statuses[-1].rejected_weights,
        "ticks": len(times),
        "missed_ticks": int(np.isinf(by_swap).sum()),
        "worst_tick_with_swap": longest,
        "worst_tick_without": usual,
        "added": {name: _difference(longest[name], usual[name]) for name in ("p50", "p99")},
        "longest_piece": _quantiles(list(gaps.values())),
    }


def _difference(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


# 1 kHz


def _measure_kilohertz(path: Path, seconds: float) -> dict[str, Any]:
    with _Domain() as domain:
        domain.start("sac_control.nodes.policy", policy_file=path, accept_without_region=True)
        domain.start("sac_control.nodes.simulator", mode="realtime", real_time_factor=KILOHERTZ_FACTOR)
        simulator = _SimulatorWatch(domain.pinger())
        start, before = simulator.next_values(3)  # the first seconds are those of discovery
        end, after = simulator.next_values(max(1, round(seconds)))
    names = ("transitions", "late_periods", "unanswered_periods", "overruns")
    periods, late, unanswered, given_up = (int(after[name]) - int(before[name]) for name in names)
    return {
        "periods": periods,
        "seconds": end - start,
        "missed": late + unanswered,
        "late": late,
        "unanswered": unanswered,
        "given_up": given_up,
    }


# processes and policies


class _Domain:
    """A ROS domain of its own with the processes in it."""

    def __init__(self) -> None:
        self._lease = DomainLease()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._pingers: list[Pinger] = []

    def __enter__(self) -> _Domain:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pinger in self._pingers:
            pinger.close()
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(timeout=10.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(self, module: str, **parameters: object) -> None:
        command = [sys.executable, "-m", module, "--ros-args", "--log-level", "warn"]
        for name, value in parameters.items():
            command += ["-p", f"{name}:={str(value).lower() if isinstance(value, bool) else value}"]
        environment = os.environ | {
            "ROS_DOMAIN_ID": str(self._lease.domain),
            "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        }
        self._processes.append(
            subprocess.Popen(
                command,
                env=environment,
                cwd=Path(__file__).resolve().parent.parent,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        )

    def pinger(self) -> Pinger:
        os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        self._pingers.append(Pinger(self._lease.domain))
        return self._pingers[-1]


def _make_file(version: int, hidden_sizes: tuple[int, ...]) -> PolicyFile:
    rng = np.random.default_rng(version)
    sizes = [len(SPECIFICATION.observation), *hidden_sizes, 2 * len(SPECIFICATION.actuated_joints)]

    def array(*shape: int) -> Float32Array:
        return (rng.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32)

    actor = ActorParameters(
        layers=tuple((array(inputs, outputs), array(outputs)) for inputs, outputs in itertools.pairwise(sizes)),
        observation_mean=np.zeros(sizes[0], np.float32),
        observation_std=np.ones(sizes[0], np.float32),
        log_std_bounds=(-20.0, 2.0),
    )
    return PolicyFile(
        specification=SPECIFICATION, actor=actor, run_id=RUN_ID, run="latency", policy_version=version, env_steps=0
    )


def _make_weights(version: int) -> Weights:
    data = _make_file(version, (64, 64)).to_bytes()
    return Weights(
        run_id=RUN_ID, run="latency", version=version, env_steps=0, sha256=hashlib.sha256(data).digest(), data=data
    )


def _quantiles(times: Sequence[float]) -> dict[str, float | None]:
    """Of times in seconds, in µs; None for those that fall among the unanswered, which are infinite."""
    p50, p90, p99 = np.quantile(times, [0.5, 0.9, 0.99], method="higher")
    figures = {"p50": p50, "p90": p90, "p99": p99, "max": max(times)}
    return {**{name: _finite(1e6 * value) for name, value in figures.items()}, "count": len(times)}


def _finite(value: float) -> float | None:
    """JSON has no word for what is not finite."""
    return float(value) if math.isfinite(value) else None
