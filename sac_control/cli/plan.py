"""Which nodes make a training, an evaluation or a deployment: written once, for the command and for the launch files.

A plan is plain data; making one checks every setting and prepares the run directory, but starts nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sac_control.bags.bag_reader import check_packages
from sac_control.cli import config_file
from sac_control.cli.command_topic import with_command_topic
from sac_control.cli.config_file import RunConfig
from sac_control.cli.named import find_policy, task_of
from sac_control.cli.node_description import NodeDescription
from sac_control.cli.options import DeploymentOptions, EvaluationOptions, Options, TrainingOptions
from sac_control.cli.plan_checks import (
    PROTECTIONS,
    check_bags,
    check_deployed,
    check_determinism,
    check_file_of_robot,
    check_goal,
    check_learner,
    check_output,
    check_restarts,
    check_run_name,
    check_simulated,
    check_tasks,
    exam_of,
)
from sac_control.cli.plotting import AUDIENCE_TIMEOUT, plot_window
from sac_control.cli.recording import AWAIT, with_recorder
from sac_control.errors import RunError
from sac_control.identity import new_run_id
from sac_control.policy.policy_file import PolicyFile
from sac_control.store.run_directory import RunDirectory
from sac_control.tasks.catalogue import absolute_reference, make_task, short_name
from sac_control.tasks.engine_choice import choose_engine
from sac_control.training.learner_config import check_change
from sac_control.types import INPUTS, Specification


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The nodes to start together. When the first ends, the work is done; when another one that is needed ends,
    something broke.

    A node that failed is started again `RESTART_DELAY` later where its `successor` says so.
    """

    nodes: tuple[NodeDescription, ...]
    run: RunDirectory | None = None
    notes: tuple[str, ...] = ()  # what people should know before it runs
    warnings: tuple[str, ...] = ()  # what they should think about

    def __iter__(self) -> Iterator[NodeDescription]:
        return iter(self.nodes)


def plan_training(options: TrainingOptions) -> Plan:
    """Simulator, policy and learner; prepares the run directory with its complete ``config.yaml``.

    Raises:
        ConfigError: a setting is unknown or not allowed, or settings contradict each other.
        RunError: the run exists already, is missing, or cannot be written.
    """
    check_run_name(options)
    check_restarts(options.restarts)
    if options.bag:
        check_packages("--bag")
    restarts = options.restarts
    run = RunDirectory(options.runs_dir.resolve() / (options.run or _new_name(options.task or "")))
    base = RunConfig().with_values({"policy": {"deterministic": False}})  # training explores
    if options.resume:
        base = _resumed(run, base, options.ros_namespace)
    begun = base.learner
    run_id = begun.run_id or new_run_id()
    base, notes = options.read_config(base)
    if options.task:
        task = absolute_reference(options.task)
        base = base.with_values(
            {"simulator": {"task": task}, "learner": {"task": task}, "policy": {"task": _name_of(task)}}
        )
    if options.algorithm:
        base = base.with_values({"learner": {"algorithm": options.algorithm}})
    config = options.applied_to(_with_seed(base, options.seed))
    config, engine_note = _with_engine(config, options.engine)
    learner: dict[str, Any] = {"run_directory": str(run.path), "resume": options.resume}
    if options.max_steps is not None:
        learner["max_steps"] = options.max_steps
    if options.until:
        learner["until"] = options.until
    if options.from_bag:
        learner["bags"] = os.pathsep.join(str(Path(bag).resolve()) for bag in options.from_bag)
        learner["accept_cut_bags"] = options.accept_cut
    config = config.with_values({"learner": learner})
    config = config.with_values({name: {"run_id": run_id} for name in ("simulator", "policy", "learner")})
    config = config.with_values({"policy": {"accept_weights": run_id}})
    check_tasks(config)
    check_learner(config.learner)
    check_goal(options, config.learner)
    check_bags(config.learner)
    if options.resume:
        check_change(begun, config.learner)
    if config.learner.deterministic:
        check_determinism(config.simulator)
        restarts = 0  # the numbers would be others
    window = (plot_window(options, os.environ, make_task(config.learner.task).solved_return),) if options.plot else ()
    text = f"# Complete configuration of this run.\n{config_file.write_text(config)}"
    if options.resume:
        run.replace_config(text)
    else:
        run.create(text, overwrite=options.overwrite)
    nodes: tuple[NodeDescription, ...] = (
        options.node(
            "learner",
            parameters_file=run.config,
            parameters={"audience_timeout": AUDIENCE_TIMEOUT} if options.plot else {},
            restarts=restarts,
            restart_parameters={"resume": True},
        ),
        options.node(
            "simulator", parameters_file=run.config, parameters=AWAIT if options.bag else {}, restarts=restarts
        ),
        options.node(
            "policy",
            parameters_file=run.config,
            parameters=_lockstep(options, config) if config.simulator.mode == "lockstep" else {},
            restarts=restarts,
        ),
        *window,
    )
    nodes = with_recorder(nodes, options, run, run_id)
    return Plan(nodes=nodes, run=run, notes=(*notes, *engine_note))


def plan_evaluation(options: EvaluationOptions) -> Plan:
    """Simulator, policy and the evaluator that counts their episodes, in lockstep.

    What is chosen is stronger than a parameter file: that of a training has its seed, and explores.

    Raises:
        ConfigError: a setting is unknown or not allowed.
        RunError: there is no such run, or it has no policy yet.
        PolicyFileError: the policy file is damaged or not one.
    """
    path, run = find_policy(options.policy, options.runs_dir)
    specification = PolicyFile.read(path).specification
    task, engine, engine_note = _task_of(specification, run, options)
    base, notes = options.read_config(RunConfig())
    episodes = base.evaluator.episodes if options.episodes is None else options.episodes
    output, output_note = _output_of(run, options.output, base.evaluator.output)
    config = options.applied_to(
        base.with_values(
            {
                "simulator": {"task": task, "engine": engine, "seed": options.seed},
                "policy": {
                    "task": specification.task,
                    "policy_file": str(path),
                    "deterministic": options.deterministic,
                    "seed": options.seed,
                },
                "evaluator": {
                    "task": task,
                    "episodes": episodes,
                    "json": options.json or base.evaluator.json,
                    "output": output,
                },
            }
        )
    )
    check_output(config.evaluator.output)
    check_simulated(config.simulator)
    run_id = new_run_id()
    config = config.with_values({name: {"run_id": run_id} for name in ("simulator", "policy", "evaluator")})
    config = config.with_values({"policy": {"accept_weights": ""}})  # the policy file alone is evaluated
    nodes: tuple[NodeDescription, ...] = (
        options.node("evaluator", parameters=_differences(config, "evaluator")),
        options.node("simulator", parameters={**_differences(config, "simulator"), **(AWAIT if options.bag else {})}),
        options.node("policy", parameters={**_differences(config, "policy"), **_lockstep(options, config)}),
    )
    nodes = with_recorder(nodes, options, None, run_id)
    return Plan(nodes=nodes, run=run, notes=(*notes, *engine_note, *output_note))


def plan_deployment(options: DeploymentOptions) -> Plan:
    """The policy node alone, deterministic: the robot brings joint_states and takes commands, see `with_command_topic`.

    Nothing moves before somebody calls policy/arm, unless policy.require_arm is unset. A policy node that failed is
    started again and waits for policy/arm in any case.

    Raises:
        ConfigError: a setting is unknown or not allowed.
        RunError: there is no such run, or it has no policy yet.
        PolicyFileError: the policy file is damaged or not one, its period, joints or limits are not the robot's, or its
            joints have several interfaces.
    """
    check_restarts(options.restarts)
    path, run = find_policy(options.policy, options.runs_dir)
    file = PolicyFile.read(path)
    values = {"task": file.specification.task, "policy_file": str(path)}
    if options.shadow:
        values["shadow_policy_file"] = str(find_policy(options.shadow, options.runs_dir)[0])
    base, notes = options.read_config(RunConfig().with_values({"policy": dict.fromkeys(PROTECTIONS, True)}))
    check_file_of_robot(base.policy, options.config)
    config = options.applied_to(base.with_values({"policy": values}))
    check_deployed(config.policy, file, network=options.network)
    is_passed, exam = exam_of(config.policy, file, is_required=options.require_exam)
    node = options.node(
        "policy",
        parameters=_differences(config, "policy"),
        restarts=options.restarts,
        restart_parameters={"require_arm": True},
    )
    if is_passed:
        notes = (*notes, exam)
    node = with_command_topic(node, file.specification)
    recorders = with_recorder((), options, None, "")
    nodes = (node, *(with_command_topic(each, file.specification) for each in recorders))
    return Plan(nodes=nodes, run=run, notes=notes, warnings=() if is_passed else (exam,))


def _name_of(task: str) -> str:
    """What policies for `task`, a name or a file, call it."""
    return make_task(task).specification.task


def _with_engine(config: RunConfig, engine: str) -> tuple[RunConfig, tuple[str, ...]]:
    """`config` with the engine that simulates and evaluates, and a note where it is not the task's own."""
    task = make_task(config.learner.task)
    chosen, note = choose_engine(task, engine or config.simulator.engine or config.learner.engine)
    values = {"engine": "" if chosen == task.engine else chosen}
    config = config.with_values({"simulator": values, "learner": values})
    if config.policy.task == config.learner.task:  # policies name a task, not its file
        config = config.with_values({"policy": {"task": task.specification.task}})
    return config, (*task.notes, *((note,) if note else ()))


def _task_of(
    specification: Specification, run: RunDirectory | None, options: EvaluationOptions
) -> tuple[str, str, tuple[str, ...]]:
    """The task and the engine by which a policy is evaluated: as chosen, else those of its training; and a note.

    Raises:
        ConfigError: see `task_of`; or the engine is not known or not installed.
    """
    task, engine, asked = task_of(specification, run, options.task, options.ros_namespace)
    chosen, note = choose_engine(asked, options.engine or engine)
    return task, "" if chosen == asked.engine else chosen, (note,) if note else ()


def _output_of(run: RunDirectory | None, chosen: Path | None, configured: str) -> tuple[str, tuple[str, ...]]:
    """The file that the result of an evaluation goes to, as asked for or else into the run; a note where it cannot."""
    if chosen is not None:
        return str(chosen.resolve()), ()
    if configured or run is None:
        return configured, ()
    if os.access(run.evaluation if run.evaluation.exists() else run.path, os.W_OK):
        return str(run.evaluation), ()
    return "", (f"{run.path} cannot be written: the result is only told; --output FILE writes it elsewhere",)


def _new_name(task: str) -> str:
    return f"{short_name(task or RunConfig().learner.task)}-{datetime.now():%Y%m%d-%H%M%S}"


def _resumed(run: RunDirectory, base: RunConfig, ros_namespace: str) -> RunConfig:
    """The configuration with which `run` began, over `base`."""
    if not run.exists:
        raise RunError(f"there is no run {run.path} to resume: leave --resume out to begin it")
    config = config_file.read_begun(run.config, base, ros_namespace)
    run.check_resumable(config.learner.run_id)
    return config


def _with_seed(config: RunConfig, seed: int | None) -> RunConfig:
    if seed is None:
        return config
    return config.with_values({name: {"seed": seed} for name in ("simulator", "policy", "learner")})


def _differences(config: RunConfig, section: str) -> dict[str, Any]:
    """What the node `section` must be told beside its defaults."""
    defaults = RunConfig().section(section).to_mapping()
    settings = {key: value for key, value in config.section(section).to_mapping().items() if value != defaults[key]}
    return {**settings, **config.of_ros.get(section, {})}


def _lockstep(options: Options, config: RunConfig) -> dict[str, Any]:
    """What the policy node must know of a simulator in lockstep: it waits, so that silence is no fault.

    A lost state would cost an answer_timeout: let the policy's subscription be reliable.
    """
    states = [f"{options.ros_namespace}/{topic}" for topic in INPUTS]
    reliable = {f"qos_overrides.{name}.subscription.reliability": "reliable" for name in states}
    return {"lockstep": True, **reliable, **config.of_ros.get("policy", {})}
