"""Updates per second of the learner alone, in turn with the peers' and with the matrix products of one update."""

from __future__ import annotations

from typing import Any

from benchmarks import contest, words
from benchmarks.intervals import median, median_interval
from benchmarks.options import Options
from benchmarks.table import Goal, Line

NAME = "updates"
TITLE = "Updates per second"
IS_LONG = False

SIZES = ((64, 128, 1), (256, 256, 1), (256, 256, 2))  # units of each of two layers, batch, threads
GOALS = {64: {"sb3": 6.0, "sbx": 1.3}, 256: {"sb3": 2.5, "sbx": 1.3}}  # times the peer's rate, aimed at
NAMES = {
    "ours": "ours",
    "reference": "ours, readable reference (`learner.backend: torch`)",
    "sb3": "stable-baselines3",
    "sbx": "SBX",
    "products numpy": "products of one update, numpy",
    "products torch": "products of one update, torch",
}


def measure(options: Options) -> dict[str, Any]:
    """Each size in turn; within it, round by round, each contender."""
    peers, cores = options.peers(), options.cores
    result: dict[str, Any] = {"sizes": [], "peers_missing": peers.reason, "peer_versions": peers.versions}
    for hidden, batch, threads in SIZES:
        if threads > len(cores):
            options.say(f"{hidden}x{hidden} on {threads} threads: left out, there are {len(cores)} cores")
            continue
        settings = {"hidden_sizes": [hidden, hidden], "batch_size": batch}
        commands = {
            "ours": contest.our_learner(settings),
            "reference": contest.our_learner({**settings, "backend": "torch"}),
        }
        if peers.python is not None:
            for library in ("sb3", "sbx"):
                arguments = ("--hidden", hidden, "--batch", batch)
                commands[library] = peers.command("updates.py", "--library", library, *arguments)
        for library in ("numpy", "torch"):
            commands[f"products {library}"] = contest.products(library, hidden, batch)
        contenders = contest.hold(
            commands,
            cores=cores,
            threads=threads,
            rounds=options.form.rounds,
            seconds=options.form.round_seconds,
        )
        result["sizes"].append({"hidden": hidden, "batch": batch, "threads": threads, "contenders": contenders})
        options.say(f"{size_name(result['sizes'][-1])}: {_rates(contenders)}")
        options.keep(result)
    return result


def size_name(size: dict[str, Any]) -> str:
    """`256×256, batch 256, 2 threads`."""
    threads = "1 thread" if size["threads"] == 1 else f"{size['threads']} threads"
    return f"{size['hidden']}×{size['hidden']}, batch {size['batch']}, {threads}"


def _rates(contenders: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_rate(figures)}" for name, figures in contenders.items())


def _rate(figures: dict[str, Any]) -> str:
    return words.number(median(figures["rates"])) if figures.get("rates") else figures.get("error", "none")


def limit(contenders: dict[str, Any]) -> float | None:
    """Updates per second if there were nothing but products, by the faster library; None where none was measured."""
    rates = [contenders[f"products {name}"].get("rates") for name in ("numpy", "torch")]
    return max((median(r) for r in rates if r), default=None)


def lines(result: dict[str, Any]) -> list[Line]:
    """One line for each size."""
    table = []
    for size in result["sizes"]:
        contenders = size["contenders"]
        ours, most = contenders["ours"].get("rates", []), limit(contenders)
        peers = "; ".join(f"{n.upper()}: {_rate(contenders[n])}" for n in ("sb3", "sbx") if n in contenders)
        share = f" ({words.percent(median(ours) / most)} of the limit, {most:,.0f})" if ours and most else ""
        table.append(
            Line(
                key=f"updates.{size['hidden']}.{size['threads']}",
                what=f"updates per second, {size_name(size)}",
                peers=peers or result["peers_missing"],
                median=f"{_rate(contenders['ours'])}{share}",
                interval=words.interval(median_interval(ours)) if ours else "–",
                worst=words.number(min(ours)) if ours else "–",
                runs=f"{len(ours)} rounds",
                goals=tuple(_goal(contenders, peer, factor) for peer, factor in GOALS[size["hidden"]].items()),
            )
        )
    return table


def _goal(contenders: dict[str, Any], peer: str, factor: float) -> Goal:
    text = f"at least {factor:g} times {peer.upper()}"
    ratios = contest.ratios(contenders, "ours", peer)
    if not ratios:
        return Goal(text=text, met=None, reached="one of them was not measured")
    reached = f"{median(ratios):.2f} times, {words.interval(median_interval(ratios), 2)}"
    return Goal(text=text, met=median(ratios) >= factor, reached=reached)


def details(result: dict[str, Any]) -> list[str]:
    """All contenders of each size."""
    text = [
        "Each contender is a process of its own on the same cores, as many as threads. They take turns; ratios are",
        "those of each round. All are asked for 16 updates per call, on 2,000 random transitions of 5 and 1 numbers.",
        "The limit is the rate at which this machine makes the matrix products of one update and nothing else, by the",
        "faster of numpy and torch; who makes products faster than both can be above it. Intervals are order",
        "statistics over the rounds.",
    ]
    for size in result["sizes"]:
        contenders = size["contenders"]
        flops = next((c["flops"] for c in contenders.values() if "flops" in c), None)
        count = f" One update has {flops / 1e6:,.1f} MFLOP of products." if flops else ""
        text += ["", f"**{size_name(size)}.**{count}", ""]
        text += ["| contender | median | interval | slowest round | of the limit |", "|---|---|---|---|---|"]
        most = limit(contenders)
        for name, figures in contenders.items():
            rates = figures.get("rates")
            if not rates:
                text.append(f"| {NAMES[name]} | not measured: {figures.get('error', 'no round')} | | | |")
                continue
            share = words.percent(median(rates) / most) if most else ""
            interval = words.interval(median_interval(rates))
            text.append(f"| {NAMES[name]} | {_rate(figures)} | {interval} | {words.number(min(rates))} | {share} |")
    return text
