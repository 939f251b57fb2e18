"""Whether the policy stays good while training goes on after the first solve."""

from __future__ import annotations

from typing import Any

from benchmarks import words
from benchmarks.intervals import share_interval
from benchmarks.options import Options
from benchmarks.processes import busy_loops
from benchmarks.table import Goal, Line
from benchmarks.training import dump, train
from sac_control.tasks.builtin import inverted_pendulum

NAME = "stability"
TITLE = "Stability after the first solve"
IS_LONG = False

FIRST_SEED = 2_600  # no setting was chosen on these
SETTINGS = ("learner.until=steps",)
LOOPS = 2  # busy ones, beside every second training
UNTIL_SOLVED = 2_000  # transitions that a run is given to solve the task first
SECONDS_PER_STEP = 0.05  # [s] far more than a transition takes
SHARE, MINIMUM = 0.97, 990.0  # aimed at
SOLVED_RETURN = inverted_pendulum().solved_return  # the most there is: a mean is as high only if each episode is


def measure(options: Options) -> dict[str, Any]:
    """The defaults, trained on after they were solved, seed by seed, every second one on a busy computer."""
    watched = options.form.stability_steps
    steps = UNTIL_SOLVED + watched
    result: dict[str, Any] = {"watched_steps": watched, "max_steps": steps, "runs": []}
    for place, seed in enumerate(options.seeds(options.form.stability_seeds)):
        loops = LOOPS * (place % 2)
        with busy_loops(loops):
            run = train(
                options.directory,
                FIRST_SEED + seed,
                name=f"stability{FIRST_SEED + seed}",
                timeout=120.0 + SECONDS_PER_STEP * steps,
                settings=SETTINGS,
                max_steps=steps,
            )
        run |= {"busy_loops": loops, "after": after_first_solve(run["evaluations"], watched)}
        options.say(dump(run))
        result["runs"].append(run)
        options.keep(result)
    return result


def after_first_solve(evaluations: list[dict[str, Any]], watched: int) -> dict[str, Any] | None:
    """What the evaluations in the `watched` transitions after the first solution say; None where none was."""
    first = next((e["step"] for e in evaluations if e["solved_episodes"] == e["episodes"]), None)
    if first is None:
        return None
    later = [e for e in evaluations if first < e["step"] <= first + watched]
    return {
        "first_solve": first,
        "covered_steps": later[-1]["step"] - first if later else 0,
        "evaluations": len(later),
        "perfect": sum(e["mean_return"] >= SOLVED_RETURN for e in later),
        "min_mean_return": min((e["mean_return"] for e in later), default=None),
        "min_return": min((e["min_return"] for e in later), default=None),
        "last_mean_return": later[-1]["mean_return"] if later else None,
    }


def lines(result: dict[str, Any]) -> list[Line]:
    """Share of perfect evaluations, and the worst one."""
    runs = result["runs"]
    after = [run["after"] for run in runs if run["after"] and run["after"]["evaluations"]]
    count = f"{len(after)} of {len(runs)} solved and watched"
    what = f"deterministic evaluations in the {result['watched_steps']:,} transitions after the first solve"
    peers = "Tianshou (published): 181 of 191 at 1000, minimum 907"
    share_text, minimum_text = f"at least {words.percent(SHARE)} at 1000", f"minimum at least {MINIMUM:g}"
    lost_text = "none lost"
    if not after:
        goals = tuple(Goal(text=text, met=False) for text in (share_text, minimum_text, lost_text))
        return [Line(key="stability", what=what, peers=peers, median="–", runs=count, goals=goals)]
    perfect, evaluations = sum(a["perfect"] for a in after), sum(a["evaluations"] for a in after)
    share, worst = perfect / evaluations, min(a["min_mean_return"] for a in after)
    lost = sum(a["last_mean_return"] < MINIMUM for a in after)
    interval = share_interval([a["perfect"] for a in after], [a["evaluations"] for a in after])
    is_whole = len(after) == len(runs)  # a run that never solved it is no stable one
    return [
        Line(
            key="stability",
            what=what,
            peers=peers,
            median=f"{words.percent(share)} at 1000 ({perfect} of {evaluations})",
            interval="–" if interval is None else f"{words.percent(interval.low)} – {words.percent(interval.high)}",
            worst=words.number(worst, 1),
            runs=count,
            goals=(
                Goal(text=share_text, met=share >= SHARE and is_whole, reached=words.percent(share)),
                Goal(text=minimum_text, met=worst >= MINIMUM and is_whole, reached=words.number(worst, 1)),
                Goal(text=lost_text, met=lost == 0 and is_whole, reached=f"{lost} of {len(after)}"),
            ),
        )
    ]


def details(result: dict[str, Any]) -> list[str]:
    """Every run."""
    text = [
        f"Defaults with `{' '.join(SETTINGS)}`, seeds from {FIRST_SEED} on, which were not used to choose anything;",
        f"beside every second training {LOOPS} busy loops run. What is evaluated is the newest candidate, not the",
        "best that was kept. An evaluation is at 1000 if all of its 10 episodes are. Its return is their mean, and",
        "the minimum is that of these means, as in the published figure; the lowest single episode in the table",
        "below may be one of a confirmation, from an extreme start. A solution is lost if the last mean watched is",
        f"below {MINIMUM:g}. The first solve is a confirmed one, as for whoever trains. The interval of the share is a",
        "bootstrap over runs.",
        "",
        "| seed | busy loops | first solve | transitions watched | evaluations | at 1000 | lowest | lowest episode |"
        " last | taken back | hardened at | fault |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for run in result["runs"]:
        after = run["after"]
        figures = [run["busy_loops"], *(after.values() if after else ["never"] + [""] * 6)]
        figures += [run.get("restorations"), run.get("hardened_at_step") or "never"]
        cells = ["" if v is None else f"{v:,.1f}" if isinstance(v, float) else str(v) for v in figures]
        text.append("| " + " | ".join([str(run["seed"]), *cells, run.get("error", "")]) + " |")
    return text
