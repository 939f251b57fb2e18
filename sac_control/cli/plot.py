"""The verb plot: the curve of one run, or several runs and seeds beside each other."""

from __future__ import annotations

import json
import math
import os
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sac_control.cli import config_file
from sac_control.cli.aftermath import draw
from sac_control.cli.config_file import RunConfig
from sac_control.cli.options import PlotOptions
from sac_control.errors import ConfigError, RunError
from sac_control.store.run_directory import RunDirectory
from sac_control.training.interquartile import LEVEL, interquartile_interval, interquartile_mean

_PICTURES = (".png", ".pdf", ".svg")
_ONE_BY_ONE = ("seed", "run_id", "run_directory", "accept_weights", "resume", "progress_period", "wait_warning")


def plot(options: PlotOptions) -> int:
    """Draw one run, or compare several; returns the exit code."""
    runs = [find_run(name, options.runs_dir) for name in options.runs]
    if options.output is not None and options.output.suffix.lower() not in _PICTURES:
        raise ConfigError(f"--output is {str(options.output)!r}: expected a file that ends with {', '.join(_PICTURES)}")
    if len(runs) == 1:
        picture = options.output or runs[0].curve
        draw(runs[0], picture)
        print(picture)
        return 0
    picture = options.output or options.runs_dir / "comparison.png"
    for line in _compare(runs, picture):
        print(line)
    print(picture)
    return 0


def find_run(name: str, runs_directory: Path) -> RunDirectory:
    """The run of that name or in that directory.

    Raises:
        ConfigError: there is none.
    """
    path = Path(name)
    run = RunDirectory(path if path.is_dir() else runs_directory / name)
    if path.suffix.lower() in _PICTURES and not run.exists:
        raise ConfigError(f"{name} is no run: name a picture with --output {name}")
    if not run.exists:
        raise ConfigError(f"there is no run at {run.path}: `sac_control info` lists what there is")
    return run


def _compare(runs: Sequence[RunDirectory], picture: Path) -> list[str]:
    """Draw `runs`, those that differ in their seeds alone as one; returns what is to be told of each group.

    Raises:
        ConfigError: they are of different tasks, or named twice.
        RunError: one is damaged, or the picture cannot be written.
    """
    try:
        from sac_control.store.comparison import Group, draw_comparison, read_curve
    except ImportError as error:
        raise RunError(f"matplotlib, which draws curves, cannot be used ({error}): install it") from error

    if len({run.path.resolve() for run in runs}) < len(runs):
        raise ConfigError("a run is named twice: name each one once")
    settings = {run: _settings(run) for run in runs}
    tasks = {run.name: values["learner.task"] for run, values in settings.items()}
    if len(set(tasks.values())) > 1:
        of_each = ", ".join(f"{name} {task}" for name, task in tasks.items())
        raise ConfigError(f"returns of different tasks cannot be compared ({of_each}): plot those of each task")
    groups: dict[str, list[RunDirectory]] = {}
    for run in runs:
        groups.setdefault(json.dumps(settings[run], sort_keys=True, default=str), []).append(run)
    labels = _labels([settings[each[0]] for each in groups.values()], list(groups.values()))
    drawn = [
        Group(label=label, curves=tuple(map(read_curve, each)))
        for label, each in zip(labels, groups.values(), strict=True)
    ]
    told = [_told(label, each) for label, each in zip(labels, groups.values(), strict=True)]
    try:
        draw_comparison(drawn, picture)
    except OSError as error:
        raise RunError(f"cannot write {picture}: {error.strerror}; --output FILE draws elsewhere") from error
    return told


def _settings(run: RunDirectory) -> dict[str, Any]:
    """Every setting of a run but those that are its own, as ``learner.tau``."""
    if not run.config.exists():
        raise RunError(f"{run.config} is missing: nothing tells how run {run.name} was trained")
    config = config_file.read_begun(run.config, RunConfig())
    return {
        f"{node}.{key}": value
        for node in ("learner", "simulator", "policy")
        for key, value in config.section(node).to_mapping().items()
        if key not in _ONE_BY_ONE
    }


def _labels(settings: Sequence[Mapping[str, Any]], groups: Sequence[Sequence[RunDirectory]]) -> list[str]:
    """What tells the groups apart: names of single runs, else the settings that differ."""
    names = set().union(*settings)
    differing = sorted(name for name in names if len({repr(each.get(name)) for each in settings}) > 1)
    labels = []
    for values, runs in zip(settings, groups, strict=True):
        told = ", ".join(f"{name.rpartition('.')[2]}={_value(values.get(name))}" for name in differing[:3])
        more = f", and {len(differing) - 3} more" if len(differing) > 3 else ""
        own = runs[0].name if len(runs) == 1 else f"{runs[0].name} …"
        labels.append(f"{own}: {told}{more}" if told else own)
    return labels


def _value(value: Any) -> str:
    return "by default" if value == "" else str(value)


def _told(label: str, runs: Sequence[RunDirectory]) -> str:
    """How many of a group's runs were solved and after how much, and how its policies were evaluated."""
    summaries = [run.read_summary() for run in runs if run.summary.exists()]
    solved = [each for each in summaries if each.get("solved")]
    words = [f"{label}: {len(solved)} of {len(runs)} runs solved"]
    if solved and len(solved) == len(runs):
        steps = statistics.median(each["solved_at_step"] for each in solved)
        seconds = [each["solved_after_seconds"] for each in solved if each.get("solved_after_seconds") is not None]
        after = f", {statistics.median(seconds):.1f} s" if len(seconds) == len(solved) else ""
        words.append(f"after {steps:g} transitions{after} (median)")
    evaluated = [returns for run in runs if (returns := read_returns(run))]
    if len(evaluated) == len(runs):
        mean = interquartile_mean([value for returns in evaluated for value in returns])
        interval = interquartile_interval(evaluated)
        sure = f" ({100 * LEVEL:g} % interval {interval[0]:g} to {interval[1]:g})" if interval else ""
        by_run = ", stratified by run" if len(runs) > 1 else ""
        words.append(f"evaluated: interquartile mean {mean:g}{sure} of {sum(map(len, evaluated))} episodes{by_run}")
    return ", ".join(words)


def read_returns(run: RunDirectory) -> list[float]:
    """Returns of the newest `sac_control evaluate` of a run; empty where there was none.

    Raises:
        RunError: ``eval.json`` is damaged.
    """
    if not run.evaluation.exists():
        return []
    try:
        returns = [float(value) for value in json.loads(run.evaluation.read_text())["returns"]]
        complaint = "" if all(map(math.isfinite, returns)) else "a return is not finite"
    except (OSError, ValueError, TypeError, KeyError) as error:
        returns, complaint = [], f"{type(error).__name__}: {error}"
    if complaint:
        where = os.path.relpath(run.evaluation)
        raise RunError(f"{where} is damaged ({complaint}): sac_control evaluate {run.name} writes it anew")
    return returns
