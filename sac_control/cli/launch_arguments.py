"""The arguments of the launch files, and what they mean. Needs no launch library: launch_files.py does."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sac_control.cli.options import (
    EVALUATION_SEED,
    LOG_LEVELS,
    MOST_RESTARTS,
    DeploymentOptions,
    EvaluationOptions,
    TrainingOptions,
)
from sac_control.cli.plan import Plan, plan_deployment, plan_evaluation, plan_training
from sac_control.cli.reach import DISCOVERY_RANGE, reach
from sac_control.errors import ConfigError, SacControlError
from sac_control.option import suggest
from sac_control.system.preflight import CONTROL, SIMULATION


@dataclass(frozen=True, kw_only=True)
class Argument:
    """A launch argument; its value is text. One without a default must be given."""

    name: str
    help: str
    default: str | None = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LaunchFile:
    """What a launch file takes and which plan it makes of it."""

    name: str  # of the file
    arguments: tuple[Argument, ...]
    make_plan: Callable[[Mapping[str, str]], Plan]
    packages: tuple[str, ...] = (*CONTROL, *SIMULATION)  # that its nodes need beside ROS

    def plan(self, values: Mapping[str, str]) -> Plan:
        """The plan that all arguments, given or not, make.

        Raises:
            SacControlError: something is refused; where it names an option of the command, its launch argument.
        """
        try:
            return self.make_plan(values)
        except SacControlError as error:
            raise type(error)(in_launch_words(str(error))) from None

    def check_names(self, given: Iterable[str]) -> None:
        """Refuse an argument that does not exist: launch itself would ignore it.

        Raises:
            ConfigError: the first such one, with the nearest that exists.
        """
        names = [argument.name for argument in self.arguments]
        for name in given:
            if name not in names and not name.startswith("launch-prefix"):  # which are arguments of launch itself
                raise ConfigError(f"launch argument {name!r} is not known; {suggest(name, names)}")


_YES_NO = ("true", "false")
_LAUNCH_WORDS = {"set": "settings", "gui": "headless", "sample": "deterministic"}  # others have the same name
_LAUNCH_VALUES = {"resume": "true", "overwrite": "true", "network": "true", "gui": "false", "sample": "false"}
_COMMON = (
    Argument(name="namespace", help="ROS namespace of all nodes; empty: training, evaluation, or / for a robot"),
    Argument(name="log_level", help="log level of the nodes", default="info", choices=LOG_LEVELS),
    Argument(name="config", help="ROS parameter file with what differs from the defaults"),
    Argument(name="settings", help="settings node.key=value, separated by spaces, which values may hold, too"),
    Argument(name="remap", help="new names old:=new of topics and services, separated by spaces"),
    Argument(name="runs_dir", help="directory of runs", default="runs"),
    Argument(name="network", help="let other machines see the nodes", default="false", choices=_YES_NO),
)
_HEADLESS = Argument(name="headless", help="false shows the physics in a window", default="true", choices=_YES_NO)
_RESTARTS = Argument(
    name="restarts", help="how often each node is started again where it fails", default=str(MOST_RESTARTS)
)
_ENGINE = Argument(name="engine", help="physics engine, as pybullet or mujoco; empty: the task's own")
_SHADOW = Argument(name="shadow", help="a second policy, whose hypothetical actions are published, and no more")
_POLICY = Argument(name="policy", help="name or directory of a run, or a policy file", default=None)


def _plan_training(values: Mapping[str, str]) -> Plan:
    return plan_training(
        TrainingOptions(
            run=values["run"],
            runs_directory=Path(values["runs_dir"]),
            seed=_whole_number("seed", values) if values["seed"] else None,
            max_steps=_whole_number("max_steps", values) if values["max_steps"] else None,
            task=values["task"],
            engine=values["engine"],
            resume=values["resume"] == "true",
            overwrite=values["overwrite"] == "true",
            restarts=_whole_number("restarts", values),
            headless=values["headless"] == "true",
            **_common(values),
        )
    )


def _plan_evaluation(values: Mapping[str, str]) -> Plan:
    return plan_evaluation(
        EvaluationOptions(
            policy=values["policy"],
            runs_directory=Path(values["runs_dir"]),
            episodes=_whole_number("episodes", values) if values["episodes"] else None,
            seed=_whole_number("seed", values),
            deterministic=values["deterministic"] == "true",
            task=values["task"],
            engine=values["engine"],
            output=values["output"],
            headless=values["headless"] == "true",
            **_common(values),
        )
    )


def _plan_deployment(values: Mapping[str, str]) -> Plan:
    return plan_deployment(
        DeploymentOptions(
            policy=values["policy"],
            runs_directory=Path(values["runs_dir"]),
            shadow=values["shadow"],
            discovery_range=reach(os.environ, network=values["network"] == "true")[DISCOVERY_RANGE],
            restarts=_whole_number("restarts", values),
            **_common(values),
        )
    )


def _common(values: Mapping[str, str]) -> dict[str, Any]:
    """The options of every plan."""
    return {
        "namespace": values["namespace"],
        "log_level": values["log_level"],
        "config": Path(values["config"]) if values["config"] else None,
        "settings": split_settings(values["settings"]),
        "remappings": values["remap"].split(),
    }


def in_launch_words(text: str) -> str:
    """A sentence with launch arguments in place of the command's options."""
    return re.sub(r"--([a-z]+(?:-[a-z]+)*)", lambda option: _in_launch_words(option[1]), text)


def _in_launch_words(option: str) -> str:
    return _LAUNCH_WORDS.get(option, option.replace("-", "_")) + ":=" + _LAUNCH_VALUES.get(option, "")


def split_settings(text: str) -> list[str]:
    """Settings that are separated by spaces. A new one begins at ``node.key=``: other spaces are part of a value."""
    return re.split(r"\s+(?=\w+\.\w+\s*=)", text.strip()) if text.strip() else []


def _whole_number(name: str, values: Mapping[str, str]) -> int:
    text = values[name]
    try:
        return int(text)
    except ValueError:
        raise ConfigError(f"{name} is {text!r}: expected a whole number") from None


TRAIN = LaunchFile(
    name="train.launch.py",
    arguments=(
        Argument(name="run", help="name of the run; empty makes one of task and date"),
        Argument(name="seed", help="seed of all nodes; empty leaves that of the configuration"),
        Argument(name="task", help="task of all nodes, a name or a task file; empty leaves that of the configuration"),
        _ENGINE,
        Argument(name="max_steps", help="transitions after which to stop; empty leaves that of the configuration"),
        Argument(name="resume", help="continue the run from its newest checkpoint", default="false", choices=_YES_NO),
        Argument(name="overwrite", help="replace the run", default="false", choices=_YES_NO),
        _RESTARTS,
        _HEADLESS,
        *_COMMON,
    ),
    make_plan=_plan_training,
)
EVALUATE = LaunchFile(
    name="evaluate.launch.py",
    arguments=(
        _POLICY,
        Argument(name="episodes", help="episodes to count; empty leaves that of the configuration, or 10"),
        Argument(name="seed", help="seed of the start states", default=str(EVALUATION_SEED)),
        Argument(name="deterministic", help="false samples actions", default="true", choices=_YES_NO),
        Argument(name="task", help="task, a name or a task file; empty: that of the policy's training"),
        _ENGINE,
        Argument(name="output", help="file that receives the result as JSON"),
        _HEADLESS,
        *_COMMON,
    ),
    make_plan=_plan_evaluation,
)
DEPLOY = LaunchFile(
    name="deploy.launch.py",
    arguments=(_POLICY, _SHADOW, _RESTARTS, *_COMMON),
    make_plan=_plan_deployment,
    packages=CONTROL,
)
