"""Parameters of every node, from the dataclasses of settings."""

from __future__ import annotations

import dataclasses
from typing import Any

from reference_generator.markdown import code, page, plain, table
from sac_control.algorithms.catalogue import algorithms, settings_of
from sac_control.nodes.recorder import RecorderConfig
from sac_control.option import Config, OptionInfo, PerJoint
from sac_control.policy.live_limits import LIVE
from sac_control.policy.policy_config import PolicyConfig
from sac_control.simulation.simulator_config import SimulatorConfig
from sac_control.training.evaluator_config import EvaluatorConfig
from sac_control.training.learner_config import LearnerConfig

NODES: dict[str, type[Config]] = {
    "simulator": SimulatorConfig,
    "policy": PolicyConfig,
    "learner": LearnerConfig,
    "evaluator": EvaluatorConfig,
    "recorder": RecorderConfig,
}


def parameters() -> str:
    """Every parameter of every node, and of every algorithm."""
    parts = [
        "A parameter is set by `--set NODE.NAME=VALUE`, in a file for `--config`, or by `-p NAME:=VALUE` for a\n"
        "node that is started by hand. While it runs all are read-only but those of the policy node marked *live*.\n"
    ]
    for node, kind in NODES.items():
        parts += [f"## {node}\n", _table(kind, live=LIVE if node == "policy" else ())]
        if node == "learner":
            parts += ["Of the algorithm that `learner.algorithm` names:\n"]
            for name in algorithms():
                parts += [f"### learner, algorithm {name}\n", _table(settings_of(name))]
    return page("Parameters", *parts)


def _table(kind: type[Config], live: tuple[str, ...] = ()) -> str:
    rows = []
    for name, of in kind.types().items():
        info, default = kind.info(name), next(each.default for each in dataclasses.fields(kind) if each.name == name)
        words = plain(info.description) + (". *live*" if name in live else "")
        rows.append([code(name), code(_shown(default)), plain(allowed(of, info)), words])
    return table(["name", "default", "allowed", "what"], rows)


def allowed(kind: Any, info: OptionInfo) -> str:
    """Type and allowed values in words, whole numbers in full."""
    if kind == PerJoint:
        name = "a number, or one by joint,"
    elif kind == tuple[int, ...]:
        name = "whole numbers"
    else:
        name = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}[kind]
    if kind in (int, tuple[int, ...]) and info.low is not None and info.high is not None and not info.form:
        return f"{name} from {info.low:.0f} to {info.high:.0f}"
    words = info.allowed()
    if words == "any value":
        return name
    return words if kind is str else f"{name} {words}"


def _shown(value: Any) -> str:
    """A default as YAML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return str(list(value))
    return f"{value:g}" if isinstance(value, float) else str(value)
