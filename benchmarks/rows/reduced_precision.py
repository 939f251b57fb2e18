"""Updates per second with products of bfloat16, where the processor makes them in hardware."""

from __future__ import annotations

from typing import Any

from benchmarks import contest, words
from benchmarks.intervals import median, median_interval
from benchmarks.machine import BF16_FLAGS, bf16_flags
from benchmarks.options import Options
from benchmarks.table import Goal, Line

NAME = "reduced_precision"
TITLE = "Reduced precision"
IS_LONG = False

HIDDEN, BATCH = 256, 256
FACTOR = 5.0  # times SB3's rate, aimed at
SETTINGS = {"hidden_sizes": [HIDDEN, HIDDEN], "batch_size": BATCH, "backend": "torch"}


def measure(options: Options) -> dict[str, Any]:
    """The reference learner with full and with reduced precision, in turn with SB3; nothing without the hardware."""
    flags = bf16_flags()
    result: dict[str, Any] = {"flags": flags, "contenders": {}}
    if not flags:
        return result
    peers = options.peers()
    commands = {
        "ours": contest.our_learner(SETTINGS, "medium"),
        "full": contest.our_learner(SETTINGS),
    }
    if peers.python is not None:
        arguments = ("--library", "sb3", "--hidden", HIDDEN, "--batch", BATCH)
        commands["sb3"] = peers.command("updates.py", *arguments)
    result["contenders"] = contest.hold(
        commands,
        cores=options.cores,
        threads=1,
        rounds=options.form.rounds,
        seconds=options.form.round_seconds,
    )
    return result


def lines(result: dict[str, Any]) -> list[Line]:
    """The rate, or that this processor has no such products."""
    what = f"updates per second with products of bfloat16, {HIDDEN}×{HIDDEN}, batch {BATCH}, 1 thread"
    text = f"at least {FACTOR:g} times SB3"
    if not result["flags"]:
        goal = Goal(text=text, met=None, reached="this CPU has none")
        return [Line(key=NAME, what=what, median="this CPU has none", goals=(goal,))]
    contenders = result["contenders"]
    rates, ratios = contenders["ours"].get("rates", []), contest.ratios(contenders, "ours", "sb3")
    if not rates:
        goal = Goal(text=text, met=None, reached=contenders["ours"].get("error", "not measured"))
        return [Line(key=NAME, what=what, median="–", goals=(goal,))]
    met = median(ratios) >= FACTOR if ratios else None
    goal = Goal(text=text, met=met, reached=f"{median(ratios):.2f} times" if ratios else "SB3 was not measured")
    return [
        Line(
            key=NAME,
            what=what,
            median=words.number(median(rates)),
            interval=words.interval(median_interval(rates)),
            worst=words.number(min(rates)),
            runs=f"{len(rates)} rounds",
            goals=(goal,),
        )
    ]


def details(result: dict[str, Any]) -> list[str]:
    """What the processor has, and what reducing the precision brought."""
    if not result["flags"]:
        return [f"This CPU has no products of bfloat16 in hardware: of {', '.join(BF16_FLAGS)}, it has none."]
    text = [
        f"The processor has {', '.join(result['flags'])}. The reference learner (`learner.backend: torch`) with",
        "torch's float32 products at precision `medium`, and as they are by default.",
        "",
    ]
    for name, figures in result["contenders"].items():
        rates = figures.get("rates")
        label = {"ours": "reduced precision", "full": "full precision", "sb3": "stable-baselines3"}[name]
        text.append(f"- {label}: {words.number(median(rates)) if rates else figures.get('error', 'not measured')}")
    return text
