"""The command line: verbs and their options. Each verb is thin; the work is done elsewhere."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sac_control.cli import info, runner
from sac_control.cli.aftermath import draw, draw_missing_curve, remove_what_never_began
from sac_control.cli.check_task import CheckTaskOptions, check
from sac_control.cli.choice import add_choices, from_command
from sac_control.cli.domain import DomainLease
from sac_control.cli.exam import ExamOptions, exam
from sac_control.cli.new_task import NewTaskOptions, new_task
from sac_control.cli.options import (
    DeploymentOptions,
    EvaluationOptions,
    ExportOptions,
    InfoOptions,
    KeysOptions,
    Options,
    PlotOptions,
    TrainingOptions,
)
from sac_control.cli.plan import Plan, find_policy, plan_deployment, plan_evaluation, plan_training
from sac_control.cli.watch import WatchOptions, watch
from sac_control.errors import ConfigError, SacControlError
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.sealing import signed
from sac_control.policy.signature import SigningKey, make_key_pair
from sac_control.store import atomic
from sac_control.store.run_directory import RunDirectory
from sac_control.system import preflight

EXIT_FAULT, EXIT_USAGE, EXIT_NOT_REACHED = 1, 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the command `sac_control`; returns its exit code."""
    try:
        verb, options = parse(arguments)
        return verb.run(options)
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_USAGE
    except SacControlError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_FAULT


@dataclass(frozen=True)
class Verb:
    """What the command can do."""

    name: str
    help: str
    options: type[Any]  # what may be chosen
    run: Callable[[Any], int]  # returns the exit code


def parse(arguments: Sequence[str] | None = None) -> tuple[Verb, Any]:
    """The verb of a command line and its options.

    Raises:
        SystemExit: it is no command, or asks for help, which was then printed.
        ConfigError: an option is refused.
    """
    parser = argparse.ArgumentParser(
        prog="sac_control", description="Train, evaluate and deploy Soft Actor-Critic policies through ROS 2 nodes."
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for verb in VERBS:
        subparser = verbs.add_parser(verb.name, help=verb.help)
        subparser.set_defaults(verb=verb)
        add_choices(subparser, verb.options)
    given = parser.parse_args(arguments)
    return given.verb, from_command(given.verb.options, given)


def _train(options: TrainingOptions) -> int:
    started = time.monotonic()
    with _before_the_start():
        lease = _own_domain(options)
        environment = _environment(options, lease, (*preflight.CONTROL, *preflight.SIMULATION))
        plan = plan_training(options)
    assert plan.run is not None
    code = _run(plan, environment, options)
    if code != 0:
        if not options.resume and remove_what_never_began(plan.run):
            print(f"removed {plan.run.path}, where nothing was learnt", file=sys.stderr)
        return code
    summary = plan.run.read_summary()
    complaint = draw_missing_curve(plan.run)  # where the training was interrupted
    relative = os.path.relpath(plan.run.path)
    curve = f"no curve: {complaint}" if complaint else f"curve: {relative}/curve.png"
    print(f"{time.monotonic() - started:.1f} s in all; {curve}")
    print(f"next: sac_control evaluate {relative}    sac_control info {relative}")
    is_missed = (options.require_solved and not summary["solved"]) or (
        options.require_hardened and not summary["hardened"]
    )
    return EXIT_NOT_REACHED if is_missed else 0


def _evaluate(options: EvaluationOptions) -> int:
    if options.json and options.log_level == "info":
        options = dataclasses.replace(options, log_level="warn")
    with _before_the_start():
        lease = _own_domain(options)
        environment = _environment(options, lease, (*preflight.CONTROL, *preflight.SIMULATION))
        plan = plan_evaluation(options)
    return _run(plan, environment, options)


def _deploy(options: DeploymentOptions) -> int:
    with _before_the_start():
        environment = _environment(options, None, preflight.CONTROL)  # a robot is where its driver is
        plan = plan_deployment(options)
    return _run(plan, environment, options)


def _info(options: InfoOptions) -> int:
    content = info.describe(options.policy, options.runs_dir) if options.policy else info.list_runs(options.runs_dir)
    print(json.dumps(content, indent=2) if options.json else info.as_text(content))
    return 0


def _plot(options: PlotOptions) -> int:
    path = Path(options.run)
    run = RunDirectory(path if path.is_dir() else options.runs_dir / options.run)
    picture = options.file or run.curve
    draw(run, picture)
    print(picture)
    return 0


def _export(options: ExportOptions) -> int:
    path, _ = find_policy(options.policy, options.runs_dir)
    key = SigningKey.read(options.sign) if options.sign else None
    if options.file.exists() and not options.overwrite:
        raise ConfigError(f"{options.file} exists already: choose another name, or give --overwrite")
    PolicyFile.read(path)
    data = signed(path.read_bytes(), key) if key else path.read_bytes()
    try:
        atomic.write_bytes(options.file, data)
    except OSError as error:
        raise ConfigError(f"cannot write {options.file}: {error.strerror}") from error
    print(options.file)
    return 0


def _keys(options: KeysOptions) -> int:
    private, public = make_key_pair(options.directory)
    print(f"{private}  signs; it stays here: learner.signing_key, or sac_control export --sign")
    print(f"{public}  goes to the robot: policy.trusted_keys, with policy.require_signature")
    return 0


@contextlib.contextmanager
def _before_the_start() -> Iterator[None]:
    """Nothing runs yet: whatever is refused is a matter of what was asked for."""
    try:
        yield
    except SacControlError as error:
        raise ConfigError(str(error)) from error


def _environment(options: Options, lease: DomainLease | None, packages: Sequence[str]) -> dict[str, str]:
    """The environment of the nodes, checked before a run is made."""
    domain = options.domain_id if lease is None else lease.domain
    environment = runner.node_environment(os.environ, domain=domain, network=options.network)
    preflight.check(environment, packages)
    return environment


def _own_domain(options: Options) -> DomainLease | None:
    """A domain of its own unless one was chosen, to be held as long as the nodes run."""
    is_chosen = options.domain_id is not None or "ROS_DOMAIN_ID" in os.environ
    return None if is_chosen else DomainLease()


def _run(plan: Plan, environment: dict[str, str], options: Options) -> int:
    wanted = plan.run.path / "log" if plan.run is not None else None
    with _before_the_start():
        environment["ROS_LOG_DIR"] = str(preflight.log_directory(environment, wanted))
    for note in plan.notes:
        print(f"note: {note}", file=sys.stderr)
    for warning in plan.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    where = f"ROS_DOMAIN_ID={environment.get('ROS_DOMAIN_ID', '0')}, "
    where += f"discovery {environment['ROS_AUTOMATIC_DISCOVERY_RANGE'].lower()}"
    print(f"nodes {', '.join(node.executable for node in plan)}: {where}", file=sys.stderr, flush=True)
    return runner.run(plan, environment, options.stop_timeout)


VERBS = (
    Verb(
        "train", "train until solved or hardened, through simulator, policy and learner nodes", TrainingOptions, _train
    ),
    Verb("evaluate", "count whole episodes of a trained policy, through real nodes", EvaluationOptions, _evaluate),
    Verb(
        "exam",
        "try a trained policy on other plants and in other engines, and write down how it did",
        ExamOptions,
        exam,
    ),
    Verb("watch", "show a training, a run that has ended or a robot live in the browser", WatchOptions, watch),
    Verb("deploy", "run the policy node alone, for a robot", DeploymentOptions, _deploy),
    Verb("info", "what a run or a policy file is; without a name, list the runs", InfoOptions, _info),
    Verb("plot", "draw curve.png of a run again", PlotOptions, _plot),
    Verb("export", "write the policy of a run into one file, signed on request", ExportOptions, _export),
    Verb("new-task", "write a first task file from the joints and limits of a robot", NewTaskOptions, new_task),
    Verb("check-task", "try a task out, and find the usual mistakes", CheckTaskOptions, check),
    Verb("keys", "make a pair of keys that sign policies", KeysOptions, _keys),
)
