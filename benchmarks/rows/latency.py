"""The control tick through the middleware beside a bare ping-pong of the same messages; inference, swaps, 1 kHz."""

from __future__ import annotations

import sys
from typing import Any

from benchmarks import words
from benchmarks.intervals import median_interval
from benchmarks.machine import ROOT
from benchmarks.options import NotAvailableError, Options
from benchmarks.processes import ProcessError, clean_environment, run
from benchmarks.table import Goal, Line

NAME = "latency"
TITLE = "Latency"
IS_LONG = False

RATIOS = {"p50": 1.25, "p99": 1.5}  # of the tick to the bare ping-pong, at most
INFERENCE_P99 = 30.0  # [µs]
SWAPS = 1000  # that must go without a missed tick
ADDED_P99 = 1000.0  # [µs] that a swap may add


def measure(options: Options) -> dict[str, Any]:
    """Everything that benchmarks/latency.py measures, for the time that the form gives each part."""
    seconds = options.form.latency_seconds
    command = [sys.executable, "-m", "benchmarks.workers.latency", "--seconds", str(seconds)]
    environment = clean_environment(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")  # as the nodes of a training have it
    done = run(command, timeout=20.0 * seconds + 300.0, directory=ROOT, environment=environment)
    try:
        return done.answer
    except ProcessError as error:
        raise NotAvailableError(str(error)) from error


def lines(result: dict[str, Any]) -> list[Line]:
    """Tick, lockstep, inference, swaps, 1 kHz."""
    return [
        _tick(result["round_trip"]),
        _lockstep(result),
        *(_inference(sizes, figures) for sizes, figures in result["inference"].items()),
        _swaps(result["swaps"]),
        _kilohertz(result["kilohertz"]),
    ]


def _tick(figures: dict[str, Any]) -> Line:
    bare, ours = figures["bare"], figures["ours"]
    goals = []
    for name, most in RATIOS.items():
        ratio = figures[f"ratio_{name}"]
        text = f"{name} within {most:g} times the bare ping-pong"
        met = ratio is not None and ratio <= most
        goals.append(Goal(text=text, met=met, reached=_times(ratio)))
    return Line(
        key="latency.tick",
        what="policy tick: state published to command received",
        peers=f"bare ping-pong: {_quantiles(bare)}",
        median=_quantiles(ours),
        worst=words.micro(ours["max"]),
        runs=f"{ours['count']:,} ticks, {ours['unanswered']} unanswered",
        goals=tuple(goals),
    )


def _lockstep(result: dict[str, Any]) -> Line:
    lockstep, bare = result["lockstep"], result["round_trip"]["bare"]
    turns = lockstep["turns"]
    return Line(
        key="latency.lockstep",
        what="lockstep steps per second of simulator and policy, physics included",
        peers=f"bare ping-pong: {bare['round_trips_per_second']:,.0f} round trips",
        median=f"{lockstep['steps_per_second']:,.0f} ({words.percent(lockstep['share_of_bare'])} of the bare)",
        interval=words.interval(median_interval(turns)),
        worst=words.number(min(turns)),
        runs=f"{len(turns)} turns",
    )


def _inference(sizes: str, figures: dict[str, Any]) -> Line:
    goal = Goal(
        text=f"p99 at most {INFERENCE_P99:g} µs",
        met=figures["p99"] <= INFERENCE_P99,
        reached=words.micro(figures["p99"]),
    )
    return Line(
        key=f"latency.inference.{sizes}",
        what=f"inference alone, {sizes.replace('x', '×')}",
        median=_quantiles(figures),
        worst=words.micro(figures["max"]),
        runs=f"{figures['count']:,} calls",
        goals=(goal,),
    )


def _swaps(figures: dict[str, Any]) -> Line:
    count, missed, added = figures["count"], figures["missed_ticks"], figures["added"]
    was_short = figures["offered"] < SWAPS
    all_taken = count == figures["offered"] and not missed
    reached = f"{count:,} of {figures['offered']:,} swaps, {missed} missed"
    return Line(
        key="latency.swaps",
        what="hot swaps while controlling at 1 kHz: latency added to the worst tick",
        peers="none publishes one",
        median=f"p50 {words.micro(added['p50'])}, p99 {words.micro(added['p99'])}",
        worst=f"{words.micro(figures['worst_tick_with_swap']['max'])} (tick)",
        runs=f"{figures['ticks']:,} ticks, {figures['rejected']} weights refused",
        goals=(
            Goal(
                text=f"{SWAPS:,} swaps, no missed tick",
                met=None if was_short and all_taken else all_taken,
                reached=reached,
            ),
            Goal(
                text="p99 added below 1 ms",
                met=added["p99"] is not None and added["p99"] < ADDED_P99,
                reached=words.micro(added["p99"]),
            ),
        ),
    )


def _kilohertz(figures: dict[str, Any]) -> Line:
    return Line(
        key="latency.kilohertz",
        what="realtime at 1 kHz: missed periods",
        median=f"{figures['missed']:,} missed",
        runs=f"{figures['periods']:,} periods in {figures['seconds']:.0f} s",
        goals=(
            Goal(
                text="no missed period",
                met=figures["missed"] == 0,
                reached=f"{figures['late']:,} late, {figures['unanswered']:,} unanswered",
            ),
        ),
    )


def details(result: dict[str, Any]) -> list[str]:
    """How it was measured."""
    ratios = result["round_trip"]
    return [
        "The bare ping-pong is the smallest answering node that rclpy allows, with the same messages and qualities of",
        "service. It and ours take turns of a second; the ratios are medians over the turns",
        f"({_times(ratios['ratio_p50'])} at p50, {_times(ratios['ratio_p99'])} at p99). What a swap adds is the",
        "longest tick of the ten after new weights were offered, less the longest of ten between two offers. A period",
        "at 1 kHz is missed where the simulator was late or had no answer in time.",
        "",
        "![Latencies](latency.png)",
    ]


def _quantiles(figures: dict[str, Any]) -> str:
    return f"p50 {words.micro(figures['p50'])}, p99 {words.micro(figures['p99'])}"


def _times(ratio: float | None) -> str:
    return "no answer" if ratio is None else f"{ratio:.2f} times"
