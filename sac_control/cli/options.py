"""What people choose for each verb of the command and for each launch file: written once, here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sac_control.cli import config_file, ending
from sac_control.cli.choice import choice
from sac_control.cli.config_file import RunConfig
from sac_control.cli.node_description import NodeDescription
from sac_control.cli.parameter_file import read_sections
from sac_control.errors import ConfigError

EVALUATION_SEED = 1_000_000  # start states that no training with a smaller seed has used
MOST_RESTARTS = 5  # of one node, unless said otherwise: what fails again and again needs a person
LONGEST_NAMESPACE = 200  # of the 255 that rmw allows to a whole name
LOG_LEVELS = ("debug", "info", "warn", "error", "fatal")
_POLICY = "name or directory of a run, or a policy file"


def split_settings(text: str) -> list[str]:
    """Settings that are separated by spaces. A new one begins at ``node.key=``: other spaces are part of a value."""
    return re.split(r"\s+(?=\w+\.\w+\s*=)", text.strip()) if text.strip() else []


@dataclass(frozen=True, kw_only=True)
class OfRuns:
    """What is chosen wherever runs are found by name."""

    runs_dir: Path = choice("where runs are", default=Path("runs"), metavar="DIR")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What people choose, the same for every plan."""

    default_namespace: ClassVar[str] = ""  # a robot's nodes live at the root, what is simulated does not
    settings: Sequence[str] = choice(
        "one setting", default=(), flag="set", metavar="NODE.KEY=VALUE", split=split_settings
    )
    config: Path | None = choice("ROS parameter file with what differs from the defaults", default=None, metavar="FILE")
    remap: Sequence[str] = choice("another name for a topic or service", default=(), metavar="OLD:=NEW")
    namespace: str = choice(
        "ROS namespace of all nodes", default="", unset="training, evaluation, or / for a robot", metavar="NAME"
    )
    domain_id: int | None = choice(
        "ROS_DOMAIN_ID",
        default=None,
        unset="that of the environment, or a free one",
        metavar="N",
        is_for_launch=False,
    )
    bag: bool = choice("record all topics in a bag, in MCAP: bag/ of the run, or bag-DATE/ of a robot", default=False)
    network: bool = choice("let other machines see the nodes", default=False)
    stop_timeout: float = choice(
        "after Ctrl-C, a node that does nothing for this long is killed; one that still saves is waited for up to "
        f"{ending.LONGEST:g} s",
        default=ending.STOP_TIMEOUT,
        metavar="SECONDS",
        is_for_launch=False,
    )
    log_level: str = choice("log level of the nodes", default="info", choices=LOG_LEVELS)

    def __post_init__(self) -> None:
        if self.log_level not in LOG_LEVELS:
            raise ConfigError(f"log level {self.log_level!r} is not known: expected one of {', '.join(LOG_LEVELS)}")
        if self.ros_namespace and not re.fullmatch(r"(/[A-Za-z_][A-Za-z0-9_]*)+", self.ros_namespace):
            raise ConfigError(
                f"namespace {self.namespace!r} is invalid: expected letters, digits and _, not beginning with a digit, "
                "in names that are separated by /"
            )
        if len(self.ros_namespace) > LONGEST_NAMESPACE:
            raise ConfigError(f"namespace {self.namespace!r} is too long: expected at most {LONGEST_NAMESPACE} letters")
        self.parsed_remappings()

    @property
    def ros_namespace(self) -> str:
        """The namespace with exactly one slash in front; nothing for the root."""
        name = (self.namespace or self.default_namespace).strip("/")
        return f"/{name}" if name else ""

    def parsed_remappings(self) -> tuple[tuple[str, str], ...]:
        """Old and new names."""
        return tuple(map(parse_remapping, self.remap))

    def node(self, executable: str, **more: Any) -> NodeDescription:
        """A node of the plan, in the chosen namespace."""
        return NodeDescription(
            executable=executable,
            namespace=self.ros_namespace,
            remappings=self.parsed_remappings(),
            log_level=self.log_level,
            enclave=f"/sac_control{self.default_namespace}/{executable}",
            **more,
        )

    def read_config(self, base: RunConfig) -> tuple[RunConfig, tuple[str, ...]]:
        """`base` with what the parameter file says, if there is one, and a sentence if some of it is for others."""
        if self.config is None:
            return base, ()
        sections = read_sections(self.config)
        config = config_file.with_sections(base, self.config, sections, self.ros_namespace)
        others = config_file.strangers(sections, self.ros_namespace)
        return config, (f"{self.config}: left out {'; '.join(others)}",) if others else ()

    def applied_to(self, config: RunConfig) -> RunConfig:
        """`config` with the chosen settings, whichever of them comes first: some hold only together."""
        values: dict[str, dict[str, Any]] = {}
        for text in self.settings:
            section, key, value = config_file.parse_assignment(text)
            values.setdefault(section, {})[key] = value
        return config.with_values(values)


@dataclass(frozen=True, kw_only=True)
class Restarting(Options):
    """What is chosen for nodes that are started again."""

    restarts: int = choice("restarts of each node after a failure, at most", default=MOST_RESTARTS, metavar="N")


@dataclass(frozen=True, kw_only=True)
class Simulated(Options):
    """What is chosen for a simulator."""

    engine: str = choice("physics engine, as pybullet or mujoco", default="", unset="the task's own", metavar="NAME")
    headless: bool = choice("show the physics in a window", default=True, flag="gui")

    def applied_to(self, config: RunConfig) -> RunConfig:
        """`config` with the chosen settings."""
        return super().applied_to(config if self.headless else config.with_values({"simulator": {"headless": False}}))


@dataclass(frozen=True, kw_only=True)
class Told(Options):
    """What is chosen where a command tells how things go."""

    quiet: bool = choice("tell nothing but warnings, errors and the result", default=False, is_for_launch=False)


@dataclass(frozen=True, kw_only=True)
class TrainingOptions(Restarting, Simulated, Told, OfRuns):
    """What people choose for a training."""

    default_namespace = "/training"
    run: str = choice("name of the run", default="", unset="task and date", metavar="NAME")
    seed: int | None = choice("seed of all nodes", default=None, unset="that of --config, or 0", metavar="N")
    task: str = choice(
        "task to learn: a name, a task file, or gymnasium/ID,KEY=VALUE,…; config/ has settings for some",
        default="",
        unset="that of --config, or inverted_pendulum",
        metavar="TASK",
    )
    algorithm: str = choice(
        "what learns: sac, sac_v1, trpo, or an algorithm of another package",
        default="",
        unset="that of --config, or sac",
        metavar="NAME",
    )
    until: str = choice(
        "what ends the training early: solved, hardened (solved on plants of the task's exam, too), or steps (nothing)",
        default="",
        unset="that of --config, or hardened where the task has an exam, else solved",
        metavar="GOAL",
    )
    max_steps: int | None = choice(
        "transitions after which to stop, whatever was reached", default=None, unset="that of --config", metavar="N"
    )
    from_bag: Sequence[str] = choice(
        "mix transitions that were recorded with --bag into each batch, learner.bag_share of it",
        default=(),
        metavar="BAG",
    )
    accept_cut: bool = choice("use what a bag of --from-bag holds whose recording was cut off", default=False)
    resume: bool = choice("continue the run from its newest checkpoint", default=False)
    overwrite: bool = choice("replace the run", default=False)
    plot: bool = choice(
        "draw returns in rqt_plot; the training waits for its window, and for it to be closed", default=False
    )
    require_solved: bool = choice("exit with 3 if the task was not solved", default=False, is_for_launch=False)
    require_hardened: bool = choice("exit with 3 if the task was not hardened", default=False, is_for_launch=False)
    video: bool = choice(
        "leave out best.gif, which is made when the training has ended and takes seconds",
        default=True,
        flag="no-video",
    )


@dataclass(frozen=True, kw_only=True)
class EvaluationOptions(Simulated, Told, OfRuns):
    """What people choose for an evaluation."""

    default_namespace = "/evaluation"
    policy: str = choice(_POLICY, metavar="RUN", is_positional=True)
    episodes: int | None = choice("episodes to count", default=None, unset="that of --config, or 10", metavar="N")
    seed: int = choice("seed of the start states", default=EVALUATION_SEED, metavar="N")
    deterministic: bool = choice("sample actions instead of taking the mean", default=True, flag="sample")
    task: str = choice(
        "task: a name, a task file, or gymnasium/ID", default="", unset="that of the policy's training", metavar="TASK"
    )
    json: bool = choice("print one line of JSON and nothing else", default=False, is_for_launch=False)
    output: Path | None = choice(
        "write the result as JSON to this file", default=None, unset="eval.json of the run", metavar="FILE"
    )
    video: Path | None = choice(
        "film the first 10 s of an episode into this .gif or .mp4, which needs no display",
        default=None,
        metavar="FILE",
        is_for_launch=False,
    )


@dataclass(frozen=True, kw_only=True)
class DeploymentOptions(Restarting, OfRuns):
    """What people choose to drive a robot."""

    policy: str = choice(_POLICY, metavar="RUN", is_positional=True)
    shadow: str = choice(
        "a second policy, whose hypothetical actions are published, and no more", default="", metavar="RUN"
    )
    require_exam: bool = choice("refuse a policy that has not passed an exam", default=False)


@dataclass(frozen=True, kw_only=True)
class InfoOptions(OfRuns):
    """What people choose to be told."""

    policy: str = choice(_POLICY, default="", unset="list the runs", metavar="RUN", is_positional=True)
    json: bool = choice("print JSON", default=False)


@dataclass(frozen=True, kw_only=True)
class PlotOptions(OfRuns):
    """What people choose to be drawn."""

    runs: Sequence[str] = choice(
        "name or directory of a run; several are compared, those that differ in their seeds alone as one",
        metavar="RUN",
        is_positional=True,
    )
    output: Path | None = choice(
        "picture to write, .png, .pdf or .svg",
        default=None,
        unset="curve.png of the run, or comparison.png beside the runs",
        metavar="FILE",
    )


@dataclass(frozen=True, kw_only=True)
class ReportOptions(OfRuns):
    """What people choose for a report."""

    run: str = choice("name or directory of a run", metavar="RUN", is_positional=True)
    output: Path | None = choice("page to write, .html", default=None, unset="report.html of the run", metavar="FILE")


@dataclass(frozen=True, kw_only=True)
class KeysOptions:
    """What people choose for a pair of keys."""

    directory: Path = choice("where to write them", metavar="DIR", is_positional=True)


def parse_remapping(text: str) -> tuple[str, str]:
    """``joint_states:=/arm/joint_states`` to its two names.

    Raises:
        ConfigError: not of the form old:=new, or of what has an option of its own.
    """
    old, _, new = text.partition(":=")
    if not all(re.fullmatch(r"[A-Za-z0-9_/~{}:]+", name) for name in (old, new)):
        raise ConfigError(f"remapping {text!r} is not of the form OLD:=NEW, such as joint_states:=/arm/joint_states")
    if old.rpartition(":")[2] in ("__ns", "__node", "__name"):
        raise ConfigError(f"remapping {text!r} renames nodes: choose a namespace instead, their names are fixed")
    return old, new
