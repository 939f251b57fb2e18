"""What people choose for a training, an evaluation or a deployment, by the command or a launch file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sac_control.cli import config_file
from sac_control.cli.config_file import RunConfig
from sac_control.cli.node_description import NodeDescription
from sac_control.cli.parameter_file import read_sections
from sac_control.errors import ConfigError

EVALUATION_SEED = 1_000_000  # start states that no training with a smaller seed has used
MOST_RESTARTS = 5  # of one node, unless said otherwise: what fails again and again needs a person
LONGEST_NAMESPACE = 200  # of the 255 that rmw allows to a whole name
LOG_LEVELS = ("debug", "info", "warn", "error", "fatal")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What people choose, the same for every plan."""

    default_namespace: ClassVar[str] = ""  # a robot's nodes live at the root, what is simulated does not
    namespace: str = ""  # empty takes the default, "/" the root
    log_level: str = "info"
    headless: bool = True
    config: Path | None = None  # parameter file
    settings: Sequence[str] = ()  # section.key=value
    remappings: Sequence[str] = ()  # old:=new, of topics and services of all nodes

    def __post_init__(self) -> None:
        if self.log_level not in LOG_LEVELS:
            raise ConfigError(f"log level {self.log_level!r} is not known: expected one of {', '.join(LOG_LEVELS)}")
        if self.ros_namespace and not re.fullmatch(r"(/[A-Za-z_][A-Za-z0-9_]*)+", self.ros_namespace):
            raise ConfigError(
                f"namespace {self.namespace!r} is none: expected letters, digits and _, not beginning with a digit, "
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
        return tuple(map(parse_remapping, self.remappings))

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
        """`config` with the chosen settings."""
        if not self.headless:
            config = config.with_values({"simulator": {"headless": False}})
        for text in self.settings:
            section, key, value = config_file.parse_assignment(text)
            config = config.with_values({section: {key: value}})
        return config


@dataclass(frozen=True, kw_only=True)
class TrainingOptions(Options):
    """What people choose for a training."""

    default_namespace = "/training"
    run: str = ""  # name of the run; empty makes one of task and date
    runs_directory: Path = Path("runs")
    seed: int | None = None
    max_steps: int | None = None
    task: str = ""  # name or file, for all three nodes; empty keeps what the configuration says
    engine: str = ""  # physics engine; empty keeps what the configuration says, or takes the task's own
    resume: bool = False
    overwrite: bool = False
    restarts: int = MOST_RESTARTS  # of each node


@dataclass(frozen=True, kw_only=True)
class EvaluationOptions(Options):
    """What people choose for an evaluation."""

    default_namespace = "/evaluation"
    policy: str  # name of a run, its directory, or a policy file
    runs_directory: Path = Path("runs")
    episodes: int | None = None  # empty keeps what the configuration says
    seed: int = EVALUATION_SEED
    deterministic: bool = True
    task: str = ""  # name or file; empty: that of the policy's training
    engine: str = ""  # physics engine; empty: that of the training, or the task's own
    json: bool = False
    output: str = ""


@dataclass(frozen=True, kw_only=True)
class DeploymentOptions(Options):
    """What people choose to drive a robot."""

    policy: str  # name of a run, its directory, or a policy file
    runs_directory: Path = Path("runs")
    shadow: str = ""  # a second policy, whose hypothetical actions are published; empty: none
    restarts: int = MOST_RESTARTS
    discovery_range: str = "LOCALHOST"  # ROS_AUTOMATIC_DISCOVERY_RANGE of the node


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
