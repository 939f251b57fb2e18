"""Contenders for updates per second, taking turns, so that all meet the same weather on a noisy machine."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from benchmarks.machine import ROOT
from benchmarks.processes import ProcessError, Worker

START_TIMEOUT = 180.0  # [s] compilation included
ROUND_TIMEOUT = 60.0  # [s] beyond the round itself


def our_learner(settings: Mapping[str, Any], precision: str = "highest") -> list[str]:
    """The command of workers/updates.py, but for its cores."""
    arguments = ["--settings", json.dumps(dict(settings)), "--matmul-precision", precision]
    return [sys.executable, "-m", "benchmarks.workers.updates", *arguments]


def products(library: str, hidden: int, batch: int, precision: str = "highest") -> list[str]:
    """The command of workers/products.py, but for its cores."""
    arguments = ["--library", library, "--hidden", str(hidden), "--batch", str(batch)]
    return [sys.executable, "-m", "benchmarks.workers.products", *arguments, "--matmul-precision", precision]


def hold(
    commands: Mapping[str, list[str]], *, cores: Sequence[int], threads: int, rounds: int, seconds: float
) -> dict[str, dict[str, Any]]:
    """Let contenders take turns; `{"rates": [updates per second of each round]}` or `{"error": …}` of each.

    They start side by side, each on as many of `cores` as it may have `threads`, because compiling takes some of them
    half a minute. When the last one is ready, all move to the same cores.

    Args:
        commands: of the contenders, by name; each takes ``--cores`` and then answers a time [s] with what it did.
        cores: numbers of the cores that may be used.
        threads: of each contender.
        rounds: in which each has its turn.
        seconds: length of a turn.
    """
    outcome: dict[str, dict[str, Any]] = {name: {"rates": []} for name in commands}
    workers: dict[str, Worker] = {}
    with ExitStack() as stack:
        for place, (name, command) in enumerate(commands.items()):
            first = place * threads
            start = sorted({cores[(first + k) % len(cores)] for k in range(threads)})
            try:
                worker = Worker([*command, "--cores", ",".join(map(str, start))], directory=ROOT)
            except OSError as error:
                outcome[name] = {"error": str(error)}
            else:
                workers[name] = stack.enter_context(worker)
        for name, worker in list(workers.items()):
            try:
                ready = worker.answer(START_TIMEOUT)
                outcome[name] |= {key: value for key, value in ready.items() if key != "ready"}
            except ProcessError as error:
                outcome[name] = {"error": str(error)}
                del workers[name]
        for worker in workers.values():
            worker.move(cores[:threads])
        for _ in range(rounds):
            for name, worker in list(workers.items()):
                try:
                    worker.send(str(seconds))
                    answer = worker.answer(seconds + ROUND_TIMEOUT)
                    outcome[name]["rates"].append(answer["updates"] / answer["seconds"])
                except ProcessError as error:
                    outcome[name] = {"error": str(error)}
                    del workers[name]
    return outcome


def ratios(outcome: Mapping[str, Mapping[str, Any]], name: str, other: str) -> list[float]:
    """Rate of `name` over that of `other`, round by round; empty where one of them has none."""
    mine, theirs = (outcome.get(key, {}).get("rates", []) for key in (name, other))
    return [a / b for a, b in zip(mine, theirs, strict=False)]
