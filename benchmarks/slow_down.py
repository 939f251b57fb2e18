"""How much slower a training is with something beside it: pairs of rates, their line in the table and their section."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks import words
from benchmarks.intervals import median, median_interval
from benchmarks.options import Options
from benchmarks.table import Line

ALONE = "alone"
MANY = 40  # pairs from which on they are not listed one by one
Pair = dict[str, float]


def measure_pairs(
    options: Options, result: dict[str, Any], *, count: int, kind: str, rate: Callable[[str, int], float]
) -> None:
    """Fill ``result["pairs"]``: in each, a rate of `kind` and one alone, by turns first.

    Args:
        options: of the row.
        result: what the row has, kept after each pair.
        count: pairs.
        kind: name of what is beside the training.
        rate: transitions per second, of a kind and the number of the pair.
    """
    result["pairs"] = []
    for number in range(count):
        pair: Pair = {each: rate(each, number) for each in ((kind, ALONE) if number % 2 else (ALONE, kind))}
        pair["slower"] = 100.0 * (pair[ALONE] / pair[kind] - 1.0)
        options.say(f"pair {number}: {pair}")
        result["pairs"].append(pair)
        options.keep(result)


def middle(pairs: Sequence[Pair]) -> float:
    """The median slow-down [%]."""
    return median([pair["slower"] for pair in pairs])


def line(name: str, what: str, pairs: Sequence[Pair], **more: Any) -> Line:
    """The line of the table: the slow-down [%]; `more` is of the line's other fields."""
    if not pairs:
        return Line(key=name, what=what, median="–", **more)
    slower = [pair["slower"] for pair in pairs]
    return Line(
        key=name,
        what=what,
        median=f"{middle(pairs):.1f} %",
        interval=words.interval(median_interval(slower), 1, "%"),
        worst=f"{max(slower):.1f} %",
        runs=f"{len(pairs)} pairs",
        **more,
    )


def listing(kind: str, pairs: Sequence[Pair]) -> list[str]:
    """Every pair, in lines of Markdown; of very many, how they spread."""
    if len(pairs) > MANY:
        slower = sorted(pair["slower"] for pair in pairs)
        tenths = [round(0.1 * tenth * (len(slower) - 1)) for tenth in range(11)]
        return [
            "| share of the pairs [%] | " + " | ".join(str(10 * tenth) for tenth in range(11)) + " |",
            "|---" * 12 + "|",
            "| slower by at most [%] | " + " | ".join(f"{slower[place]:.1f}" for place in tenths) + " |",
        ]
    return [
        f"| alone [1/s] | {kind} [1/s] | slower [%] |",
        "|---|---|---|",
        *(f"| {pair[ALONE]:.1f} | {pair[kind]:.1f} | {pair['slower']:.1f} |" for pair in pairs),
    ]
