"""Transitions and wall time until the pendulum is solved, by the defaults, in turn with the peers."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

from benchmarks import outcomes, words
from benchmarks.intervals import median, median_interval
from benchmarks.options import Options
from benchmarks.peer_environment import PeerEnvironment
from benchmarks.processes import ProcessError, clean_environment, run
from benchmarks.table import Goal, Line
from benchmarks.training import dump, train

NAME = "solve"
TITLE = "Solving the inverted pendulum"
IS_LONG = False

SETTINGS = ("learner.until=solved",)
PEERS = {"sb3": "SB3", "sbx": "SBX"}
TIMEOUT = 600.0  # [s] of one training of ours; it ends at learner.max_steps long before
PEER_THREADS = 2  # of torch's products, with which SB3 is faster than with one
SPEEDUP = 12.0  # times SB3's wall time, aimed at


def measure(options: Options) -> dict[str, Any]:
    """Ours, then each peer, seed by seed, so that all meet the same weather."""
    form = options.form
    peers = options.peers()
    result: dict[str, Any] = {
        "ours": [],
        "peers": {},
        "peer_steps": form.peer_steps,
        "peer_seconds": form.peer_seconds,
        "peer_versions": peers.versions,
        "peers_missing": peers.reason,
    }
    for place, seed in enumerate(options.seeds(form.seeds)):
        result["ours"].append(train(options.directory, seed, name=f"solve{seed}", timeout=TIMEOUT, settings=SETTINGS))
        options.say(f"ours {dump(result['ours'][-1])}")
        if peers.python is not None and place < form.peer_seeds:
            for library in PEERS:
                outcome = _train_peer(peers, library, seed, form.peer_steps, form.peer_seconds, options.directory)
                result["peers"].setdefault(library, []).append(outcome)
                options.say(f"{library} {dump(outcome)}")
        options.keep(result)
    return result


def _train_peer(
    peers: PeerEnvironment, library: str, seed: int, steps: int, seconds: float, directory: Path
) -> dict[str, Any]:
    command = peers.command("solve.py", "--library", library, "--seed", seed, "--max-steps", steps)
    command += ["--max-seconds", str(seconds), "--started", str(time.monotonic())]
    # Torch's default, a thread per core, stalls where another process uses one of them.
    environment = clean_environment(OMP_NUM_THREADS=str(PEER_THREADS))
    # Tests are not counted: each may take as long as 10,000 calls of the policy do.
    done = run(command, timeout=3.0 * seconds + 600.0, directory=directory, environment=environment)
    try:
        return {"seed": seed, **done.answer}
    except ProcessError as error:
        return {"seed": seed, "solved": False, "transitions": None, "seconds": None, "error": str(error)}


def lines(result: dict[str, Any]) -> list[Line]:
    """Transitions and wall time."""
    runs = result["ours"]
    transitions, seconds = outcomes.values(runs, "transitions"), outcomes.values(runs, "seconds")
    return [
        outcomes.line(
            "solve.transitions",
            "transitions to solved, defaults (with mirror images)",
            runs,
            transitions,
            (outcomes.goal_all_within(transitions, 1200), outcomes.goal_median(transitions, 700)),
            peers=_peers(result, "transitions"),
        ),
        outcomes.line(
            "solve.seconds",
            "wall time from process start to solved, through three ROS 2 processes",
            runs,
            seconds,
            (
                outcomes.goal_median(seconds, 12, 1, "s"),
                outcomes.goal_all_within(seconds, 30, "s"),
                _speedup_goal(result),
            ),
            digits=1,
            unit="s",
            peers=_peers(result, "seconds"),
        ),
    ]


def _peers(result: dict[str, Any], key: str) -> str:
    """Medians of the peers, as bounds where their runs were ended."""
    if result["peers_missing"]:
        return str(result["peers_missing"])
    texts = []
    for library, runs in result["peers"].items():
        unit, digits = ("s", 1) if key == "seconds" else ("", 0)
        middle, is_bound = _bounded_median(runs, key)
        texts.append(
            f"{PEERS[library]}: {'> ' if is_bound else ''}{words.number(middle, digits, unit)} "
            f"({outcomes.count_solved(runs)}{_faults(runs)})"
        )
    return "; ".join(texts) or "–"


def _faults(runs: list[dict[str, Any]]) -> str:
    faults = sum("error" in run for run in runs)
    return f", {faults} with a fault" if faults else ""


def _bounded_median(runs: list[dict[str, Any]], key: str) -> tuple[float, bool]:
    """The median of what the runs took, one that was ended counting with what it had spent; whether it is a bound."""
    spent = {"transitions": "steps", "seconds": "seconds_spent"}[key]
    least = median([float(run[key] if run["solved"] else run.get(spent, 0.0)) for run in runs])
    return least, least < median(outcomes.values(runs, key))


def speedups(result: dict[str, Any], library: str) -> tuple[list[float], bool]:
    """Wall time of a peer over ours, seed by seed, 0 where ours failed; whether their median is only a lower bound."""
    theirs = {run["seed"]: run for run in result["peers"].get(library, []) if "error" not in run}
    least, most = [], []
    for ours in result["ours"]:
        their = theirs.get(ours["seed"])
        if their is None:
            continue
        pace = 1.0 / ours["seconds"] if ours["solved"] else 0.0
        least.append(pace * (their["seconds"] if their["solved"] else their["seconds_spent"]))
        most.append(least[-1] if their["solved"] or not ours["solved"] else math.inf)
    return least, bool(least) and median(least) < median(most)


def _speedup_goal(result: dict[str, Any]) -> Goal:
    ratios, is_bound = speedups(result, "sb3")
    text = f"at least {SPEEDUP:g} times as fast as SB3"
    if not ratios:
        return Goal(text=text, met=None, reached="SB3 was not run")
    ratio = median(ratios)
    interval = words.interval(median_interval(ratios), 1)
    reached = f"{'at least ' if is_bound else ''}{ratio:.1f} times, {interval}"
    if ratio < SPEEDUP and is_bound:
        return Goal(text=text, met=None, reached=f"{reached}; SB3 was ended before it had solved")
    return Goal(text=text, met=ratio >= SPEEDUP, reached=reached)


def details(result: dict[str, Any]) -> list[str]:
    """How it was asked, and every run."""
    text = [
        "Solved means: every one of 10 deterministic episodes from unseen start states has the full return of 1000.",
        "Ours is tested every `learner.evaluation_every` transitions, from stratified start states, and must then pass",
        "`learner.confirmation_episodes` more, the extreme starts among them. The peers are tested every 500",
        "transitions, from random ones, and the time of these tests is not counted as theirs. Ours is three ROS 2",
        "processes, timed from the start of the command to the line that tells the perfect evaluation, with all that",
        "it loads, connects and writes until then, tests included.",
        "",
        "![Return over transitions](return_over_transitions.png)",
        "",
        "![Return over wall time](return_over_time.png)",
        "",
        *outcomes.listing(result["ours"]),
        "",
    ]
    if result["peers_missing"]:
        return [*text, f"The peers are missing: {result['peers_missing']}."]
    versions = ", ".join(f"{name} {version}" for name, version in result["peer_versions"].items())
    text += [
        f"Peers, with their own defaults and {PEER_THREADS} threads, ended after {result['peer_steps']:,} transitions "
        f"or {result['peer_seconds']:.0f} s: {versions}.",
        "",
        "| peer | seed | solved | transitions | seconds | last return | fault |",
        "|---|---|---|---|---|---|---|",
    ]
    for library, runs in result["peers"].items():
        for run_of_theirs in runs:
            text.append("| " + " | ".join(_cells(library, run_of_theirs)) + " |")
    return text


def _cells(library: str, run_of_theirs: dict[str, Any]) -> list[str]:
    sign = "" if run_of_theirs["solved"] else "> "
    steps, seconds = run_of_theirs.get("steps"), run_of_theirs.get("seconds_spent")
    if run_of_theirs["solved"]:
        steps, seconds = run_of_theirs["transitions"], run_of_theirs["seconds"]
    evaluations = run_of_theirs.get("evaluations") or [{}]
    last = evaluations[-1].get("mean_return")
    return [
        PEERS[library],
        str(run_of_theirs["seed"]),
        "yes" if run_of_theirs["solved"] else "no",
        "" if steps is None else f"{sign}{steps:,}",
        "" if seconds is None else f"{sign}{seconds:.1f}",
        "" if last is None else f"{last:.0f}",
        run_of_theirs.get("error", ""),
    ]
