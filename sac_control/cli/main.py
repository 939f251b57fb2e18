"""The command line: verbs and their options. Each verb is thin; the work is done elsewhere."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sac_control.cli import ending, info, runner
from sac_control.cli.aftermath import draw, draw_missing_curve, remove_what_never_began
from sac_control.cli.domain import DomainLease
from sac_control.cli.options import (
    EVALUATION_SEED,
    LOG_LEVELS,
    MOST_RESTARTS,
    DeploymentOptions,
    EvaluationOptions,
    TrainingOptions,
)
from sac_control.cli.plan import Plan, find_policy, plan_deployment, plan_evaluation, plan_training
from sac_control.cli.reach import DISCOVERY_RANGE, reach
from sac_control.errors import ConfigError, SacControlError
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.signature import SigningKey, make_key_pair
from sac_control.store import atomic
from sac_control.store.run_directory import RunDirectory
from sac_control.system import preflight

EXIT_FAULT, EXIT_USAGE, EXIT_NOT_SOLVED = 1, 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the command `sac_control`; returns its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.function(options))
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_USAGE
    except SacControlError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_FAULT


def _train(options: argparse.Namespace) -> int:
    started = time.monotonic()
    with _before_the_start():
        lease = _own_domain(options)
        environment = _environment(options, lease, (*preflight.CONTROL, *preflight.SIMULATION))
        plan = plan_training(
            TrainingOptions(
                run=options.run,
                runs_directory=options.runs_dir,
                seed=options.seed,
                max_steps=options.max_steps,
                task=options.task,
                engine=options.engine,
                resume=options.resume,
                overwrite=options.overwrite,
                restarts=options.restarts,
                headless=not options.gui,
                log_level=options.log_level,
                **_common(options),
            )
        )
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
    return EXIT_NOT_SOLVED if options.require_solved and not summary["solved"] else 0


def _evaluate(options: argparse.Namespace) -> int:
    with _before_the_start():
        lease = _own_domain(options)
        environment = _environment(options, lease, (*preflight.CONTROL, *preflight.SIMULATION))
        plan = plan_evaluation(
            EvaluationOptions(
                policy=options.policy,
                runs_directory=options.runs_dir,
                episodes=options.episodes,
                seed=options.seed,
                deterministic=not options.sample,
                task=options.task,
                engine=options.engine,
                json=options.json,
                output=str(options.output.resolve()) if options.output else "",
                headless=not options.gui,
                log_level="warn" if options.json and options.log_level == "info" else options.log_level,
                **_common(options),
            )
        )
    return _run(plan, environment, options)


def _deploy(options: argparse.Namespace) -> int:
    with _before_the_start():
        environment = _environment(options, None, preflight.CONTROL)  # a robot is where its driver is
        plan = plan_deployment(
            DeploymentOptions(
                policy=options.policy,
                runs_directory=options.runs_dir,
                shadow=options.shadow,
                discovery_range=reach(os.environ, network=options.network)[DISCOVERY_RANGE],
                restarts=options.restarts,
                log_level=options.log_level,
                **_common(options),
            )
        )
    return _run(plan, environment, options)


def _common(options: argparse.Namespace) -> dict[str, Any]:
    """The options of every plan."""
    return {
        "namespace": options.namespace,
        "config": options.config,
        "settings": options.set,
        "remappings": options.remap,
    }


def _info(options: argparse.Namespace) -> int:
    content = info.describe(options.policy, options.runs_dir) if options.policy else info.list_runs(options.runs_dir)
    print(json.dumps(content, indent=2) if options.json else info.as_text(content))
    return 0


def _plot(options: argparse.Namespace) -> int:
    path = Path(options.run)
    run = RunDirectory(path if path.is_dir() else options.runs_dir / options.run)
    picture = options.file or run.curve
    draw(run, picture)
    print(picture)
    return 0


def _export(options: argparse.Namespace) -> int:
    path, _ = find_policy(options.policy, options.runs_dir)
    key = SigningKey.read(options.sign) if options.sign else None
    if options.file.exists() and not options.overwrite:
        raise ConfigError(f"{options.file} exists already: choose another name, or give --overwrite")
    data = PolicyFile.read(path).to_bytes(key) if key else path.read_bytes()
    try:
        atomic.write_bytes(options.file, data)
    except OSError as error:
        raise ConfigError(f"cannot write {options.file}: {error.strerror}") from error
    print(options.file)
    return 0


def _keys(options: argparse.Namespace) -> int:
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


def _environment(options: argparse.Namespace, lease: DomainLease | None, packages: Sequence[str]) -> dict[str, str]:
    """The environment of the nodes, checked before a run is made."""
    domain = options.domain_id if lease is None else lease.domain
    environment = runner.node_environment(os.environ, domain=domain, network=options.network)
    preflight.check(environment, packages)
    return environment


def _own_domain(options: argparse.Namespace) -> DomainLease | None:
    """A domain of its own unless one was chosen, to be held as long as the nodes run."""
    is_chosen = options.domain_id is not None or "ROS_DOMAIN_ID" in os.environ
    return None if is_chosen else DomainLease()


def _run(plan: Plan, environment: dict[str, str], options: argparse.Namespace) -> int:
    wanted = plan.run.path / "log" if plan.run is not None else None
    with _before_the_start():
        environment["ROS_LOG_DIR"] = str(preflight.log_directory(environment, wanted))
    for note in plan.notes:
        print(f"note: {note}", file=sys.stderr)
    where = f"ROS_DOMAIN_ID={environment.get('ROS_DOMAIN_ID', '0')}, "
    where += f"discovery {environment['ROS_AUTOMATIC_DISCOVERY_RANGE'].lower()}"
    print(f"nodes {', '.join(node.executable for node in plan)}: {where}", file=sys.stderr, flush=True)
    return runner.run(plan, environment, options.stop_timeout)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sac_control", description="Train, evaluate and deploy Soft Actor-Critic policies through ROS 2 nodes."
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    train = verbs.add_parser("train", help="train until solved, through simulator, policy and learner nodes")
    train.set_defaults(function=_train)
    train.add_argument("--run", default="", metavar="NAME", help="name of the run (default: task and date)")
    train.add_argument("--seed", type=int, metavar="N", help="seed of all nodes (default: 0)")
    train.add_argument(
        "--task",
        default="",
        metavar="TASK",
        help="task to learn, a name or a task file (default: that of --config, or inverted_pendulum); config/ has "
        "settings for the built-in ones",
    )
    train.add_argument("--max-steps", type=int, metavar="N", help="transitions after which to stop, solved or not")
    train.add_argument("--resume", action="store_true", help="continue the run NAME from its newest checkpoint")
    train.add_argument("--overwrite", action="store_true", help="replace the run NAME")
    train.add_argument("--require-solved", action="store_true", help="exit with 3 if the task was not solved")

    evaluate = verbs.add_parser("evaluate", help="count whole episodes of a trained policy, through real nodes")
    evaluate.set_defaults(function=_evaluate)
    evaluate.add_argument("policy", metavar="RUN", help="name or directory of a run, or a policy file")
    evaluate.add_argument(
        "--episodes", type=int, metavar="N", help="episodes to count (default: that of --config, or 10)"
    )
    evaluate.add_argument(
        "--seed", type=int, default=EVALUATION_SEED, metavar="N", help="seed of the start states (default: %(default)s)"
    )
    evaluate.add_argument("--sample", action="store_true", help="sample actions instead of taking the mean")
    evaluate.add_argument("--json", action="store_true", help="print one line of JSON and nothing else")
    evaluate.add_argument("--output", type=Path, metavar="FILE", help="write the result as JSON to FILE, too")

    evaluate.add_argument(
        "--task",
        default="",
        metavar="TASK",
        help="task, a name or a task file (default: that of the policy's training)",
    )
    for verb in (train, evaluate):
        verb.add_argument(
            "--engine",
            default="",
            metavar="NAME",
            help="physics engine, as pybullet or mujoco (default: the task's own)",
        )

    deploy = verbs.add_parser("deploy", help="run the policy node alone, for a robot")
    deploy.set_defaults(function=_deploy)
    deploy.add_argument("policy", metavar="RUN", help="name or directory of a run, or a policy file")
    deploy.add_argument(
        "--shadow",
        default="",
        metavar="RUN",
        help="a second policy, whose hypothetical actions are published, and no more",
    )

    for verb in (train, evaluate, deploy):
        verb.add_argument(
            "--set", action="append", default=[], metavar="NODE.KEY=VALUE", help="one setting; may be given many times"
        )
        verb.add_argument(
            "--config", type=Path, metavar="FILE", help="ROS parameter file with what differs from the defaults"
        )
        verb.add_argument(
            "--remap",
            action="append",
            default=[],
            metavar="OLD:=NEW",
            help="another name for a topic or service; may be given many times",
        )
        verb.add_argument(
            "--namespace",
            default="",
            metavar="NAME",
            help="ROS namespace of all nodes (default: training, evaluation, or / for a robot)",
        )
        verb.add_argument(
            "--domain-id", type=int, metavar="N", help="ROS_DOMAIN_ID (default: that of the environment, or a free one)"
        )
        verb.add_argument("--network", action="store_true", help="let other machines see the nodes")
        verb.add_argument(
            "--stop-timeout",
            type=float,
            default=runner.STOP_TIMEOUT,
            metavar="SECONDS",
            help="after Ctrl-C, a node that does nothing for this long is killed; one that still saves is waited for "
            f"up to {ending.LONGEST:g} s (default: %(default)s)",
        )
        verb.add_argument("--log-level", default="info", choices=LOG_LEVELS, help="of the nodes (default: %(default)s)")
    for verb in (train, deploy):
        verb.add_argument(
            "--restarts",
            type=int,
            default=MOST_RESTARTS,
            metavar="N",
            help="how often each node is started again where it fails (default: %(default)s)",
        )
    for verb in (train, evaluate):
        verb.add_argument("--gui", action="store_true", help="show the physics in a window")

    inform = verbs.add_parser("info", help="what a run or a policy file is; without a name, list the runs")
    inform.set_defaults(function=_info)
    inform.add_argument("policy", nargs="?", metavar="RUN", help="name or directory of a run, or a policy file")
    inform.add_argument("--json", action="store_true", help="print JSON")

    plot = verbs.add_parser("plot", help="draw curve.png of a run again")
    plot.set_defaults(function=_plot)
    plot.add_argument("run", metavar="RUN", help="name or directory of a run")
    plot.add_argument("file", nargs="?", type=Path, metavar="FILE", help="picture to write (default: that of the run)")

    export = verbs.add_parser("export", help="write the policy of a run into one file, signed on request")
    export.set_defaults(function=_export)
    export.add_argument("policy", metavar="RUN", help="name or directory of a run, or a policy file")
    export.add_argument("file", type=Path, metavar="FILE", help="where to write it")
    export.add_argument("--sign", type=Path, metavar="KEY", help="sign it with the private key in KEY")
    export.add_argument("--overwrite", action="store_true", help="replace FILE")

    keys = verbs.add_parser("keys", help="make a pair of keys that sign policies")
    keys.set_defaults(function=_keys)
    keys.add_argument("directory", type=Path, metavar="DIR", help="where to write them")

    for verb in (train, evaluate, deploy, inform, plot, export):
        verb.add_argument(
            "--runs-dir", type=Path, default=Path("runs"), metavar="DIR", help="where runs are (default: %(default)s)"
        )
    return parser
