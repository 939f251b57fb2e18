"""Which nodes make a training, an evaluation or a deployment: written once, for the command and for the launch files.

A plan is plain data; making one checks every setting and prepares the run directory, but starts nothing.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from sac_control.envs.tasks import make_task
from sac_control.errors import EXIT_DONE, EXIT_SETTING, EXIT_START, ConfigError, RunError
from sac_control.identity import new_run_id
from sac_control.policy.controller import Controller
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.policy_header import LONGEST_RUN_NAME
from sac_control.policy.requirements import check_reach
from sac_control.policy.signature import SigningKey
from sac_control.runs import config_file
from sac_control.runs.config_file import RunConfig
from sac_control.runs.parameter_file import read_sections
from sac_control.runs.run_directory import RunDirectory
from sac_control.sac.choice import check_change, check_options
from sac_control.sac.replay_buffer import check_memory

EVALUATION_SEED = 1_000_000  # start states that no training with a smaller seed has used
MOST_RESTARTS = 5  # of one node, unless said otherwise: what fails again and again needs a person
RESTART_DELAY = 1.0  # [s] before a process that failed is started again
PROTECTIONS = ("require_arm", "deterministic")  # of a robot, which no parameter file takes away
LONGEST_NAMESPACE = 200  # of the 255 that rmw allows to a whole name
LOG_LEVELS = ("debug", "info", "warn", "error", "fatal")


@dataclass(frozen=True, kw_only=True)
class NodeDescription:
    """One node's process."""

    executable: str  # name in lib/sac_control, of the module in sac_control.nodes, and of the node
    namespace: str  # "" or "/name"
    parameters_file: Path | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)  # stronger than the file
    remappings: tuple[tuple[str, str], ...] = ()
    log_level: str = "info"
    restarts: int = 0  # how often its process is started again where it fails
    restart_parameters: Mapping[str, Any] = field(default_factory=dict)  # stronger than all others from then on
    enclave: str = "/"  # of SROS2: what config/sros2_policy.xml grants it

    def successor(self, exit_code: int) -> NodeDescription | None:
        """What to start in the place of a process that ended with `exit_code`, negative for a signal; None: nothing.

        A process that did its work, and one that would fail at its start again, are not repeated.
        """
        if self.restarts == 0 or exit_code in (EXIT_DONE, EXIT_SETTING, EXIT_START):
            return None
        parameters = {**self.parameters, **self.restart_parameters}
        return dataclasses.replace(self, restarts=self.restarts - 1, parameters=parameters)

    def arguments(self) -> list[str]:
        """Command-line arguments, as every ROS 2 node takes them."""
        arguments = ["--ros-args", "--enclave", self.enclave]  # means nothing without SROS2
        arguments += ["--log-level", f"{self.executable}:={self.log_level}"]
        if self.namespace:
            arguments += ["-r", f"__ns:={self.namespace}"]
        for old, new in self.remappings:
            arguments += ["-r", f"{old}:={new}"]
        if self.parameters_file is not None:
            arguments += ["--params-file", str(self.parameters_file)]
        for name, value in self.parameters.items():
            arguments += ["-p", f"{name}:={json.dumps(value, ensure_ascii=False)}"]  # JSON is YAML, keeps text text
        return arguments


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The nodes to start together. When the first ends, the work is done; when another ends, something broke.

    A node that failed is started again `RESTART_DELAY` later where its `successor` says so.
    """

    nodes: tuple[NodeDescription, ...]
    run: RunDirectory | None = None
    notes: tuple[str, ...] = ()  # what people should know before it runs

    def __iter__(self) -> Iterator[NodeDescription]:
        return iter(self.nodes)


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
    task: str = ""  # of all three nodes; empty keeps what the configuration says
    resume: bool = False
    overwrite: bool = False
    restarts: int = MOST_RESTARTS  # of each node


def plan_training(options: TrainingOptions) -> Plan:
    """Simulator, policy and learner; prepares the run directory with its complete ``config.yaml``.

    Raises:
        ConfigError: a setting is unknown or not allowed, or settings contradict each other.
        RunError: the run exists already, is missing, or cannot be written.
    """
    if options.resume and options.overwrite:
        raise ConfigError("resume and overwrite were both given: choose to continue the run or to replace it")
    if options.resume and not options.run:
        raise ConfigError("resume needs the name of the run to continue")
    if options.run and (Path(options.run).name != options.run or options.run in (".", "..")):
        raise ConfigError(f"run name {options.run!r} is not a plain name: give a directory for runs with --runs-dir")
    if len(options.run.encode()) > LONGEST_RUN_NAME:
        raise ConfigError(f"run name {options.run!r} is too long: expected at most {LONGEST_RUN_NAME} bytes")
    restarts = _checked_restarts(options.restarts)
    run = RunDirectory(options.runs_directory.resolve() / (options.run or _new_name()))
    base = RunConfig().with_values({"policy": {"deterministic": False}})  # training explores
    if options.resume:
        if not run.exists:
            raise RunError(f"there is no run {run.path} to resume: leave --resume out to begin it")
        base = config_file.read(run.config, base, options.ros_namespace)
        if not base.learner.run_id:
            raise RunError(
                f"run {run.path} was trained by an earlier version of sac_control, without a run id: it can be "
                "evaluated, plotted and deployed, but not resumed"
            )
    begun = base.learner
    run_id = begun.run_id or new_run_id()
    base, notes = options.read_config(base)
    if options.task:
        base = base.with_values({name: {"task": options.task} for name in ("simulator", "policy", "learner")})
    config = options.applied_to(_with_seed(base, options.seed))
    learner: dict[str, Any] = {"run_directory": str(run.path), "resume": options.resume}
    if options.max_steps is not None:
        learner["max_steps"] = options.max_steps
    config = config.with_values({"learner": learner})
    config = config.with_values({name: {"run_id": run_id} for name in ("simulator", "policy", "learner")})
    config = config.with_values({"policy": {"accept_weights": run_id}})
    _check_task(config)
    check_options(config.learner)
    if config.learner.signing_key:
        SigningKey.read(Path(config.learner.signing_key))  # what the learner would refuse is refused now
    specification = make_task(config.learner.task).specification
    check_memory(config.learner.buffer_capacity, len(specification.observation), len(specification.actuated_joints))
    if options.resume:
        check_change(begun, config.learner)
    if config.learner.deterministic and config.simulator.mode != "lockstep":
        raise ConfigError(
            "learner.deterministic is set, but simulator.mode is realtime, where time decides: "
            "choose lockstep, or unset it"
        )
    if config.learner.deterministic and not config.simulator.flow_control:
        raise ConfigError(
            "learner.deterministic is set, but simulator.flow_control is not, without which a simulator waits for no "
            "update: set both, or unset learner.deterministic"
        )
    if config.learner.deterministic:
        restarts = 0  # the numbers would be others
    text = f"# Complete configuration of this run.\n{config_file.write_text(config)}"
    if options.resume:
        run.replace_config(text)
    else:
        run.create(text, overwrite=options.overwrite)
    nodes = (
        options.node("learner", parameters_file=run.config, restarts=restarts, restart_parameters={"resume": True}),
        options.node("simulator", parameters_file=run.config, restarts=restarts),
        options.node(
            "policy",
            parameters_file=run.config,
            parameters=_lockstep(options, config) if config.simulator.mode == "lockstep" else {},
            restarts=restarts,
        ),
    )
    return Plan(nodes=nodes, run=run, notes=notes)


@dataclass(frozen=True, kw_only=True)
class EvaluationOptions(Options):
    """What people choose for an evaluation."""

    default_namespace = "/evaluation"
    policy: str  # name of a run, its directory, or a policy file
    runs_directory: Path = Path("runs")
    episodes: int | None = None  # empty keeps what the configuration says
    seed: int = EVALUATION_SEED
    deterministic: bool = True
    json: bool = False
    output: str = ""


def plan_evaluation(options: EvaluationOptions) -> Plan:
    """Simulator, policy and the evaluator that counts their episodes, in lockstep.

    What is chosen is stronger than a parameter file: that of a training has its seed, and explores.

    Raises:
        ConfigError: a setting is unknown or not allowed.
        RunError: there is no such run, or it has no policy yet.
        PolicyFileError: the policy file is damaged or not one.
    """
    path, run = find_policy(options.policy, options.runs_directory)
    task = PolicyFile.read(path).specification.task
    make_task(task)
    base, notes = options.read_config(RunConfig())
    episodes = base.evaluator.episodes if options.episodes is None else options.episodes
    config = options.applied_to(
        base.with_values(
            {
                "simulator": {"task": task, "seed": options.seed},
                "policy": {
                    "task": task,
                    "policy_file": str(path),
                    "deterministic": options.deterministic,
                    "seed": options.seed,
                },
                "evaluator": {
                    "task": task,
                    "episodes": episodes,
                    "json": options.json or base.evaluator.json,
                    "output": options.output or base.evaluator.output,
                },
            }
        )
    )
    output = Path(config.evaluator.output)
    if config.evaluator.output and not os.access(output if output.exists() else output.parent, os.W_OK):
        raise ConfigError(f"evaluator.output is {str(output)!r}, which cannot be written: name another file")
    run_id = new_run_id()
    config = config.with_values({name: {"run_id": run_id} for name in ("simulator", "policy", "evaluator")})
    config = config.with_values({"policy": {"accept_weights": ""}})  # the policy file alone is evaluated
    nodes = (
        options.node("evaluator", parameters=_differences(config, "evaluator")),
        options.node("simulator", parameters=_differences(config, "simulator")),
        options.node("policy", parameters={**_differences(config, "policy"), **_lockstep(options, config)}),
    )
    return Plan(nodes=nodes, run=run, notes=notes)


@dataclass(frozen=True, kw_only=True)
class DeploymentOptions(Options):
    """What people choose to drive a robot."""

    policy: str  # name of a run, its directory, or a policy file
    runs_directory: Path = Path("runs")
    shadow: str = ""  # a second policy, which tells what it would have done; empty: none
    restarts: int = MOST_RESTARTS
    discovery_range: str = "LOCALHOST"  # ROS_AUTOMATIC_DISCOVERY_RANGE of the node


def plan_deployment(options: DeploymentOptions) -> Plan:
    """The policy node alone, deterministic: the robot brings joint_states and takes effort_controller/commands.

    Nothing moves before somebody calls policy/arm, unless policy.require_arm is unset. A policy node that failed is
    started again and waits for policy/arm in any case.

    Raises:
        ConfigError: a setting is unknown or not allowed.
        RunError: there is no such run, or it has no policy yet.
        PolicyFileError: the policy file is damaged or not one, or its period, joints or limits are not the robot's.
    """
    path, run = find_policy(options.policy, options.runs_directory)
    file = PolicyFile.read(path)
    values = {"task": file.specification.task, "policy_file": str(path)}
    if options.shadow:
        values["shadow_policy_file"] = str(find_policy(options.shadow, options.runs_directory)[0])
    base, notes = options.read_config(RunConfig().with_values({"policy": dict.fromkeys(PROTECTIONS, True)}))
    if base.policy.run_id:
        raise ConfigError(f"{options.config} belongs to a run (policy.run_id is set): write one for the robot")
    for name in PROTECTIONS:
        if not base.policy.to_mapping()[name]:  # as trainings have it
            raise ConfigError(f"{options.config}: policy.{name} is false, which a robot gets by a setting alone")
    config = options.applied_to(base.with_values({"policy": values}))
    if not config.policy.drives_robot:
        raise ConfigError(
            "policy.run_id or policy.lockstep is set, with which the node answers a simulator and commands no robot: "
            "leave them out"
        )
    check_reach(config.policy, options.discovery_range)
    controller = Controller(config.policy)  # what the node would refuse is refused now
    controller.install(file)
    if config.policy.shadow_policy_file:
        controller.admit_shadow(PolicyFile.read(Path(config.policy.shadow_policy_file)))
    node = options.node(
        "policy",
        parameters=_differences(config, "policy"),
        restarts=_checked_restarts(options.restarts),
        restart_parameters={"require_arm": True},
    )
    return Plan(nodes=(node,), run=run, notes=notes)


def find_policy(text: str, runs_directory: Path) -> tuple[Path, RunDirectory | None]:
    """The policy file that `text` means: the name of a run, a run's directory, or a file. Also its run, if any.

    Raises:
        RunError: there is no such run, or it has no policy yet.
    """
    path = Path(text)
    if path.is_file():
        return path.resolve(), None
    run = RunDirectory(path.resolve() if path.is_dir() else runs_directory.resolve() / text)
    return run.policy_file().resolve(), run


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


def _new_name() -> str:
    return f"{RunConfig().learner.task}-{datetime.now():%Y%m%d-%H%M%S}"


def _checked_restarts(restarts: int) -> int:
    if restarts < 0:
        raise ConfigError(f"restarts is {restarts}: expected at least 0")
    return restarts


def _with_seed(config: RunConfig, seed: int | None) -> RunConfig:
    if seed is None:
        return config
    return config.with_values({name: {"seed": seed} for name in ("simulator", "policy", "learner")})


def _check_task(config: RunConfig) -> None:
    make_task(config.learner.task)
    tasks = {name: config.section(name).to_mapping()["task"] for name in ("simulator", "policy", "learner")}
    if len(set(tasks.values())) > 1:
        raise ConfigError(f"simulator, policy and learner have different tasks ({tasks}): set all three alike")


def _differences(config: RunConfig, section: str) -> dict[str, Any]:
    """What the node `section` must be told beside its defaults."""
    defaults = RunConfig().section(section).to_mapping()
    settings = {key: value for key, value in config.section(section).to_mapping().items() if value != defaults[key]}
    return {**settings, **config.of_ros.get(section, {})}


def _lockstep(options: Options, config: RunConfig) -> dict[str, Any]:
    """What the policy node must know of a simulator in lockstep: it waits, so that silence is no fault.

    A lost state would cost an answer_timeout: let the policy's subscription be reliable.
    """
    reliability = f"qos_overrides.{options.ros_namespace}/joint_states.subscription.reliability"
    return {"lockstep": True, reliability: "reliable", **config.of_ros.get("policy", {})}
