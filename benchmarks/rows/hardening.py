"""What a default training comes to on plants that it never met, in an engine that it was not trained in."""

from __future__ import annotations

import math
from typing import Any

from benchmarks import outcomes, words
from benchmarks.exams import PLANTS, count_hardened, examine, kept, missed, told
from benchmarks.intervals import median, median_interval
from benchmarks.options import Options
from benchmarks.table import Goal, Line
from benchmarks.training import train

NAME = "hardening"
TITLE = "Hardening: another engine, other plants"
IS_LONG = False

FIRST_SEED = 2_700  # no setting was chosen on these
HOME, AWAY = "pybullet", "mujoco"  # where a default training is made, and where it was not
TIMEOUT = 600.0  # [s] of one training
MIDDLE, LEAST = 20, 19  # plants kept that are aimed at: the median, and every seed
HOUR_RANGE = 0.3  # [m] of the cart after the first minute of an hour
POSITION, EFFORT = "slider_to_cart", "slider_to_cart"


def measure(options: Options) -> dict[str, Any]:
    """Train, then examine in both engines, seed by seed."""
    result: dict[str, Any] = {"runs": []}
    for seed in options.seeds(options.form.hardening_seeds):
        seed += FIRST_SEED
        name = f"hardening{seed}"
        outcome = train(options.directory, seed, name=name, timeout=TIMEOUT)
        outcome["exam"] = examine(options.directory, name, with_hour=True) if outcome["solved"] else None
        options.say(told(outcome, (AWAY, HOME)))
        result["runs"].append(outcome)
        options.keep(result)
    return result


def lines(result: dict[str, Any]) -> list[Line]:
    """Plants kept, time until hardened, an hour, and chatter."""
    runs = result["runs"]
    away, home = ([kept(each, engine) for each in runs] for engine in (AWAY, HOME))
    seconds = [each["hardened_seconds"] if each.get("hardened") else math.inf for each in runs]
    steps = [each["hardened_at_step"] if each.get("hardened") else math.inf for each in runs]
    hardened = count_hardened(runs)
    chatter = [_motion(each, AWAY, "command_change") for each in runs]
    hours = [_hours(each) for each in runs]
    goals = (
        Goal(text=f"every seed at least {LEAST}", met=min(away) >= LEAST, reached=f"lowest {min(away)}"),
        Goal(text=f"median {MIDDLE}", met=median(away) >= MIDDLE, reached=f"{median(away):g}"),
    )
    within = sum(each is not None and each <= HOUR_RANGE for each in hours)
    return [
        _line("hardening.away", f"plants of {PLANTS} kept in all 20 episodes, in {AWAY}", away, hardened, goals),
        _line("hardening.home", f"the same in {HOME}, where it was trained", home, hardened, ()),
        Line(
            key="hardening.seconds",
            what="wall time from process start to hardened, gate included",
            median=words.number(median(seconds), 1, "s"),
            interval=words.interval(median_interval(seconds), 1),
            worst=words.number(max(seconds), 1, "s"),
            runs=hardened,
            goals=(outcomes.goal_median(seconds, 15, 1, "s"), outcomes.goal_all_within(seconds, 45, "s")),
        ),
        _line("hardening.transitions", "transitions until hardened", steps, hardened, (), highest_is_worst=True),
        Line(
            key="hardening.hour",
            what=f"an hour of robot time, both engines, four starts: |x| at most {HOUR_RANGE:g} m after a minute",
            median="–",
            runs=f"{within} of {len(runs)}",
            goals=(Goal(text="all", met=within == len(runs), reached=f"{within} of {len(runs)}"),),
        ),
        _line(
            "hardening.chatter",
            f"RMS of the change of the command from period to period, in {AWAY} [N]",
            chatter,
            hardened,
            (),
            highest_is_worst=True,
            digits=2,
        ),
    ]


def _line(
    key: str,
    what: str,
    values: list[float] | list[int],
    runs: str,
    goals: tuple[Goal, ...],
    *,
    highest_is_worst: bool = False,
    digits: int = 0,
) -> Line:
    return Line(
        key=key,
        what=what,
        median=words.number(median([float(each) for each in values]), digits),
        interval=words.interval(median_interval([float(each) for each in values]), digits),
        worst=words.number(max(values) if highest_is_worst else min(values), digits),
        runs=runs,
        goals=goals,
    )


def _motion(outcome: dict[str, Any], engine: str, what: str) -> float:
    """A root mean square of an exam; infinite where no episode lasted."""
    exam = outcome["exam"] or {}
    found = [each[what] for each in exam.get("motion", ()) if each["engine"] == engine and each["episodes"]]
    return float(found[0][EFFORT]) if found else math.inf


def _hours(outcome: dict[str, Any]) -> float | None:
    """Largest position of the cart in all hours [m]; None where one was not kept."""
    hours = (outcome["exam"] or {}).get("hours", ())
    if not hours or not all(each["is_kept"] for each in hours):
        return None
    return float(max(each["largest"][POSITION] for each in hours))


def details(result: dict[str, Any]) -> list[str]:
    """How it was asked, and every run."""
    text = [
        f"`sac_control train --seed SEED`, with the defaults, in {HOME}, and `sac_control exam RUN --hour`. Seeds from",
        f"{FIRST_SEED} on were not used to choose anything. A plant counts as kept if all of its 20 episodes are; what",
        "the plants are, docs/robustness.md says.",
        "",
        f"| seed | solved at | hardened at | seconds | plants in {AWAY} | in {HOME} | not kept in {AWAY} |"
        " largest push [N s] | RMS of position [m] | of command [N] | chatter [N] | largest position in an hour [m] |"
        " fault |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    return text + [f"| {' | '.join(_cells(each))} |" for each in result["runs"]]


def _cells(outcome: dict[str, Any]) -> list[str]:
    exam = outcome["exam"] or {}
    pushes = [each["largest"] for each in exam.get("pushes", ()) if (each["engine"], each["joint"]) == (AWAY, POSITION)]
    figures = [_motion(outcome, AWAY, what) for what in ("position", "command", "command_change")]
    hour, seconds = _hours(outcome), outcome.get("hardened_seconds")
    return [
        str(outcome["seed"]),
        str(outcome["transitions"] or "never"),
        str(outcome.get("hardened_at_step") or "never"),
        "" if seconds is None else f"{seconds:.1f}",
        str(kept(outcome, AWAY)),
        str(kept(outcome, HOME)),
        missed(outcome, AWAY),
        f"{pushes[0]:.1f}" if pushes else "",
        *(f"{each:.3g}" if math.isfinite(each) else "" for each in figures),
        "fell" if hour is None else f"{hour:.2f}",
        outcome.get("error", "") or exam.get("error", ""),
    ]
