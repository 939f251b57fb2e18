"""How much is measured, and what a row is given to measure with."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.peer_environment import PeerEnvironment


@dataclass(frozen=True, kw_only=True)
class Form:
    """How long each row may take. Seeds count from `Options.first_seed`."""

    name: str
    seeds: int  # of the trainings that solve the task
    peer_seeds: int  # of these, how many the peers train, too
    peer_steps: int  # transitions after which a peer's training ends
    peer_seconds: float  # [s] after which it ends
    hardening_seeds: int  # of the trainings that are examined
    realtime_seeds: int
    realtime_seconds: float  # [s] robot time after which a training ends
    stability_seeds: int
    stability_steps: int  # transitions watched after the first solve
    task_seeds: int  # of the other tasks
    task_steps: int  # of each, at most; the goal may allow fewer
    rounds: int  # in which contenders for speed take turns
    round_seconds: float  # [s]
    latency_seconds: float  # [s] of each part of the latency row; 50 make 1,000 swaps
    watch_pairs: int  # of stretches of a training, watched and not
    record_pairs: int  # of trainings, with a bag and without
    variant_seeds: int
    variant_steps: int  # transitions after which a variant's training ends


FULL = Form(
    name="full",
    seeds=10,
    peer_seeds=3,
    peer_steps=20_000,
    peer_seconds=160.0,
    hardening_seeds=12,
    realtime_seeds=10,
    realtime_seconds=180.0,
    stability_seeds=20,
    stability_steps=20_000,
    task_seeds=5,
    task_steps=100_000,
    rounds=9,
    round_seconds=2.0,
    latency_seconds=50.0,
    watch_pairs=100,
    record_pairs=12,
    variant_seeds=5,
    variant_steps=4_000,
)
QUICK = Form(  # below 10 minutes
    name="quick",
    seeds=3,
    peer_seeds=1,
    peer_steps=20_000,
    peer_seconds=40.0,
    hardening_seeds=2,
    realtime_seeds=2,
    realtime_seconds=60.0,
    stability_seeds=2,
    stability_steps=3_000,
    task_seeds=1,
    task_steps=15_000,
    rounds=6,
    round_seconds=0.4,
    latency_seconds=8.0,
    watch_pairs=10,
    record_pairs=4,
    variant_seeds=2,
    variant_steps=2_500,
)
SMOKE = Form(  # does every row run at all? The figures mean nothing.
    name="smoke",
    seeds=1,
    peer_seeds=1,
    peer_steps=1_000,
    peer_seconds=20.0,
    hardening_seeds=1,
    realtime_seeds=1,
    realtime_seconds=10.0,
    stability_seeds=1,
    stability_steps=600,
    task_seeds=1,
    task_steps=1_000,
    rounds=2,
    round_seconds=0.1,
    latency_seconds=2.0,
    watch_pairs=1,
    record_pairs=1,
    variant_seeds=1,
    variant_steps=500,
)


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a row is given."""

    form: Form
    first_seed: int  # seeds count from here
    seed_limit: int | None  # no more seeds than this, whatever the form says
    directory: Path  # for runs; removed afterwards
    peers: Callable[[], PeerEnvironment]  # installs them when first called
    keep: Callable[[dict[str, Any]], None]  # takes what a row has so far, in case that it is interrupted
    say: Callable[[str], None]  # takes sentences for people

    def seeds(self, count: int) -> range:
        """The first `count` seeds, or fewer where the user wants fewer."""
        if self.seed_limit is not None:
            count = min(count, self.seed_limit)
        return range(self.first_seed, self.first_seed + count)

    @property
    def cores(self) -> list[int]:
        """Numbers of the cores that may be used, the last one first: the first ones answer the interrupts."""
        return sorted(os.sched_getaffinity(0), reverse=True)


class NotAvailableError(RuntimeError):
    """What a row needs is not there; the message says what, in words for the report."""
