"""Numbers as tables of Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from sac_control.types import Phase

MODES = ("inactive", "arming", "active", "hold", "latched fault")  # as PolicyAction.msg numbers them
REGIONS = ("unknown", "inside", "outside")
LEVELS = ("ok", "warning", "error", "stale")


def table(rows: Iterable[tuple[str, object]]) -> str:
    """Two columns; a row without a value is left out."""
    lines = [f"| {name} | {as_text(value)} |" for name, value in rows if value is not None and value != ""]
    return "\n".join(["| | |", "|---|---|", *lines]) if lines else ""


def as_text(value: object) -> str:
    """A number in few digits; text without what Markdown or HTML would read in it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "not known" if math.isnan(value) else f"{value:.4g}"
    return "".join(f"&#{ord(letter)};" if letter in "<>&|`*_[]{}\\!#" else letter for letter in str(value)).replace("\n", " ")


def of(names: tuple[str, ...], number: Any) -> str:
    """The name of a number of a message."""
    return names[number] if isinstance(number, int) and 0 <= number < len(names) else f"{number}"


def phase(number: Any) -> str:
    """The name of a training's phase."""
    try:
        return Phase(number).name.lower()
    except ValueError:
        return str(number)


def policy_table(policy: Mapping[str, Any], action: Mapping[str, Any]) -> str:
    """How the policy node is doing."""
    number = action.get("mode", policy.get("mode"))
    region = action.get("region", policy.get("region"))
    return table(
        [
            ("mode", None if number is None else of(MODES, number)),
            ("cause", policy.get("cause")),
            ("policy version", action.get("version", policy.get("policy_version"))),
            ("run", policy.get("run")),
            ("region of training", None if region is None else of(REGIONS, region)),
            ("hot swaps", policy.get("swaps")),
            ("newest offer", policy.get("offered_verdict")),
            ("states refused", policy.get("rejected_states") or None),
            ("weights refused", policy.get("rejected_weights") or None),
        ]
    )


def diagnostics_table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """What each node says of its health."""
    return table((name, f"{of(LEVELS, each['level'])}: {each['message']}") for name, each in sorted(found.items()))
