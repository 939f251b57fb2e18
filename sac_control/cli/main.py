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
from typing import Any, TypeVar

from sac_control.cli import completion, info, runner
from sac_control.cli.aftermath import draw_curve, remove_what_never_began
from sac_control.cli.check_task import CheckTaskOptions, check
from sac_control.cli.choice import add_choices, from_command
from sac_control.cli.domain import DomainLease
from sac_control.cli.exam import ExamOptions, exam
from sac_control.cli.export import ExportOptions, export
from sac_control.cli.filming import check_video, film_evaluated, film_trained
from sac_control.cli.named import find_policy
from sac_control.cli.new_task import NewTaskOptions, new_task
from sac_control.cli.next_commands import next_commands
from sac_control.cli.options import (
    DeploymentOptions,
    EvaluationOptions,
    InfoOptions,
    KeysOptions,
    Options,
    PlotOptions,
    ReportOptions,
    Simulated,
    Told,
    TrainingOptions,
)
from sac_control.cli.plan import Plan, plan_deployment, plan_evaluation, plan_training
from sac_control.cli.plot import plot
from sac_control.cli.replay import ReplayOptions, replay
from sac_control.cli.report import report
from sac_control.cli.voice import voice
from sac_control.cli.watch import WatchOptions, watch
from sac_control.errors import ConfigError, SacControlError
from sac_control.policy.signature import make_key_pair
from sac_control.system import preflight
from sac_control.system.reach import export_line
from sac_control.training.progress import QUIET, STYLE

EXIT_FAULT = 1  # something broke while it ran
EXIT_USAGE = 2  # a wrong argument, or something without which nothing can start
EXIT_NOT_REACHED = 3  # not solved, hardened or passed, where an option requires that
EXAMPLES = (
    ("sac_control train --run first --seed 3", "until the pendulum is solved and hardened"),
    ("sac_control evaluate first --episodes 20 --video first.gif", "count episodes, and film one"),
    ("sac_control train --task my_robot.yaml", "a robot of your own: docs/your_robot.md"),
)
AnyTold = TypeVar("AnyTold", bound=Told)


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
    width = max(len(line) for line, _ in EXAMPLES)
    parser = argparse.ArgumentParser(
        prog="sac_control",
        description="Train, evaluate and deploy Soft Actor-Critic policies through ROS 2 nodes.",
        epilog="examples:\n" + "\n".join(f"  {line:{width}}  # {purpose}" for line, purpose in EXAMPLES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for verb in VERBS:
        subparser = verbs.add_parser(verb.name, help=verb.help)
        subparser.set_defaults(verb=verb)
        add_choices(subparser, verb.options)
    if completion.is_asked_for(os.environ):
        completion.complete(parser)
    given = parser.parse_args(arguments)
    return given.verb, from_command(given.verb.options, given)


def _train(options: TrainingOptions) -> int:
    started = time.monotonic()
    options = _muted(options)
    with _before_the_start():
        _check_display(options)
        lease = _own_domain(options)
        environment = _environment(options, lease, (*preflight.CONTROL, *preflight.SIMULATION))
        plan = plan_training(options)
    assert plan.run is not None
    with voice(environment, is_quiet=options.quiet) as hear:
        code = _run(plan, environment, options, hear)
    if code != 0:
        if not options.resume and remove_what_never_began(plan.run):
            print(f"removed {plan.run.path}, where nothing was learnt", file=sys.stderr)
        return code
    summary = plan.run.read_summary()
    complaint = draw_curve(plan.run)
    relative = os.path.relpath(plan.run.path)
    if not options.quiet:
        curve = f"no curve: {complaint}" if complaint else f"curve: {relative}/curve.png"
        print(f"{time.monotonic() - started:.1f} s in all; {curve}", flush=True)
    elif complaint:
        print(f"warning: no curve: {complaint}", file=sys.stderr)
    if options.video and summary["complete"]:  # after Ctrl-C people do not want to wait
        film_trained(plan.run, is_quiet=options.quiet)
    if not options.quiet:
        print("next:", *next_commands(plan.run, options.runs_dir, summary), sep="\n  ")
    is_missed = (options.require_solved and not summary["solved"]) or (
        options.require_hardened and not summary["hardened"]
    )
    return EXIT_NOT_REACHED if is_missed else 0


def _evaluate(options: EvaluationOptions) -> int:
    options = _muted(options)
    with _before_the_start():
        _check_display(options)
        lease = _own_domain(options)
        environment = _environment(options, lease, (*preflight.CONTROL, *preflight.SIMULATION))
        plan = plan_evaluation(options)
        if options.video is not None:
            check_video(options.video)
    if options.quiet:
        environment[STYLE] = QUIET
    code = _run(plan, environment, options)
    if code == 0 and options.video is not None:
        path, run = find_policy(options.policy, options.runs_dir)
        film_evaluated(path, run, task=options.task, engine=options.engine, seed=options.seed, video=options.video)
        print(f"video: {options.video}", file=sys.stderr if options.json else sys.stdout)
    return code


def _deploy(options: DeploymentOptions) -> int:
    with _before_the_start():
        environment = _environment(options, None, preflight.CONTROL)  # a robot is where its driver is
        plan = plan_deployment(options)
    return _run(plan, environment, options)


def _info(options: InfoOptions) -> int:
    content = info.describe(options.policy, options.runs_dir) if options.policy else info.list_runs(options.runs_dir)
    print(json.dumps(content, indent=2) if options.json else info.as_text(content))
    return 0

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


def _check_display(options: Simulated) -> None:
    """Refuse a window where none can be seen."""
    if not (options.headless or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        otherwise = "; evaluate --video FILE needs none" if isinstance(options, EvaluationOptions) else ""
        raise ConfigError(
            f"--gui opens a window, and there is no display (DISPLAY is not set): leave it out{otherwise}"
        )


def _own_domain(options: Options) -> DomainLease | None:
    """A domain of its own unless one was chosen, to be held as long as the nodes run."""
    is_chosen = options.domain_id is not None or "ROS_DOMAIN_ID" in os.environ
    return None if is_chosen else DomainLease()


def _muted(options: AnyTold) -> AnyTold:
    """The same, with nodes that tell no more than was asked for."""
    is_muted = options.quiet or (isinstance(options, EvaluationOptions) and options.json)
    return dataclasses.replace(options, log_level="warn") if is_muted and options.log_level == "info" else options


def _run(plan: Plan, environment: dict[str, str], options: Options, hear: runner.Hear | None = None) -> int:
    wanted = plan.run.path / "log" if plan.run is not None else None
    with _before_the_start():
        environment["ROS_LOG_DIR"] = str(preflight.log_directory(environment, wanted))
    is_quiet = isinstance(options, Told) and options.quiet
    for note in () if is_quiet else plan.notes:
        print(f"note: {note}", file=sys.stderr)
    for warning in plan.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if not is_quiet:
        names = ", ".join(node.executable for node in plan)
        print(f"nodes {names}; for tools of ROS in another terminal:", file=sys.stderr)
        print(export_line(environment), file=sys.stderr, flush=True)
    return runner.run(plan, environment, options.stop_timeout, hear)


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
    Verb("plot", "draw a run again, or compare several runs and seeds", PlotOptions, plot),
    Verb("report", "write one HTML page with all that a run has left behind", ReportOptions, report),
    Verb("export", "write the policy of a run into one file: signed on request, or as ONNX", ExportOptions, export),
    Verb("replay", "compare a policy's actions with those of a bag, and publish nothing", ReplayOptions, replay),
    Verb("new-task", "write a first task file from the joints and limits of a robot", NewTaskOptions, new_task),
    Verb("check-task", "try a task out, and find the usual mistakes", CheckTaskOptions, check),
    Verb("keys", "make a pair of keys that sign policies", KeysOptions, _keys),
)
