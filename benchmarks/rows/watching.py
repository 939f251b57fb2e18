"""How much longer a training takes that is watched, by a client that draws nothing."""

from __future__ import annotations

import importlib.util
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import words
from benchmarks.intervals import median, median_interval
from benchmarks.machine import ROOT
from benchmarks.options import NotAvailableError, Options
from benchmarks.processes import clean_environment
from benchmarks.table import Goal, Line
from benchmarks.training import train

NAME = "watching"
TITLE = "Watching a training"
IS_LONG = False

MOST = 2.0  # [%] by which watching may slow a training
STEPS = 750  # transitions of each training
SETTINGS = ("learner.until=steps", "learner.evaluation_every=0")  # evaluations differ in length and would be most of it
TIMEOUT = 300.0  # [s]


def measure(options: Options) -> dict[str, Any]:
    """Pairs of the same training, watched and not, which of them is first by turns."""
    if importlib.util.find_spec("viser") is None:
        raise NotAvailableError("viser, with which sac_control watch makes its page, is not installed")
    result: dict[str, Any] = {"steps": STEPS, "pairs": []}
    for number in range(options.form.watch_pairs):
        pair: dict[str, Any] = {}
        for kind in ("watched", "alone") if number % 2 else ("alone", "watched"):
            name = f"{kind}{number}"
            if kind == "alone":
                pair[kind] = _train(options, name)
            else:
                with _watched(options.directory):
                    pair[kind] = _train(options, name)
        if None not in pair.values():
            for what in ("seconds", "processor_seconds"):
                pair[f"more_{what}"] = 100.0 * (pair["watched"][what] / pair["alone"][what] - 1.0)
        options.say(f"pair {number}: {pair}")
        result["pairs"].append(pair)
        options.keep(result)
    return result


def lines(result: dict[str, Any]) -> list[Line]:
    """The slow-down."""
    text = f"median of the pairs at most {MOST:g} %"
    found = []
    for key, what, name in (
        (NAME, _WHAT, "more_seconds"),
        (f"{NAME}.processor", "more processor time of that training", "more_processor_seconds"),
    ):
        more = [pair[name] for pair in result["pairs"] if name in pair]
        if not more:
            goal = Goal(text=text, met=None, reached="not measured")
            found.append(Line(key=key, what=what, median="–", goals=(goal,)))
            continue
        found.append(
            Line(
                key=key,
                what=what,
                median=f"{median(more):.1f} %",
                interval=words.interval(median_interval(more), 1, "%"),
                worst=f"{max(more):.1f} %",
                runs=f"{len(more)} pairs",
                goals=(Goal(text=text, met=median(more) <= MOST),),
            )
        )
    return found


def details(result: dict[str, Any]) -> list[str]:
    """Every pair."""
    return [
        f"The same {result['steps']} transitions without evaluations, with `sac_control watch` and a client that takes",
        "all and draws nothing, and without: seconds that the training took, and processor time of its own processes,",
        "which other work on the machine hardly changes. A browser's own drawing is not in it.",
        "",
        "| alone [s] | watched [s] | slower [%] | alone, processor [s] | watched, processor [s] | more [%] |",
        "|---|---|---|---|---|---|",
        *(
            f"| {pair['alone']['seconds']:.2f} | {pair['watched']['seconds']:.2f} | {pair['more_seconds']:.1f} "
            f"| {pair['alone']['processor_seconds']:.2f} | {pair['watched']['processor_seconds']:.2f} "
            f"| {pair['more_processor_seconds']:.1f} |"
            for pair in result["pairs"]
            if "more_seconds" in pair
        ),
    ]


_WHAT = "slow-down of a training that is watched in the browser, its drawing apart"


def _train(options: Options, name: str) -> dict[str, float] | None:
    """Seconds that a training took, and processor time; None where it failed."""
    before = _processor_seconds()
    run = train(options.directory, options.first_seed, name=name, timeout=TIMEOUT, settings=SETTINGS, max_steps=STEPS)
    if "error" in run or run.get("wall_seconds") is None:
        return None
    return {"seconds": run["wall_seconds"], "processor_seconds": _processor_seconds() - before}


def _processor_seconds() -> float:
    """Of the children that have ended, and of theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@contextmanager
def _watched(directory: Path) -> Iterator[None]:
    """While the newest run in `directory` is watched."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**clean_environment(), "PYTHONPATH": str(ROOT)}
    watch = subprocess.Popen(
        [sys.executable, "-m", "sac_control", "watch", "--no-browser", "--port", str(port)],
        cwd=directory,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    client = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.workers.watch_client", str(port)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert client.stdout is not None
        if client.stdout.readline() != "connected\n":
            raise NotAvailableError("sac_control watch cannot be reached")
        yield
    finally:
        for process in (client, watch):
            process.kill()
            process.wait()
