"""The verb watch: a run, or the robot that its policy drives, live in the browser of this machine."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import webbrowser
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from sac_control.cli import config_file
from sac_control.cli.choice import choice
from sac_control.cli.config_file import RunConfig
from sac_control.cli.named import task_of
from sac_control.cli.options import OfRuns
from sac_control.cli.runner import node_environment
from sac_control.errors import ConfigError, RunError
from sac_control.policy.policy_file import PolicyFile
from sac_control.store.run_directory import RunDirectory
from sac_control.store.where import Where, read_where
from sac_control.system import preflight
from sac_control.system.offspring import end_with_parent
from sac_control.system.reach import DISCOVERY_RANGE
from sac_control.tasks.catalogue import make_task
from sac_control.watch.port import address_of, check_port
from sac_control.watch.subject import Subject

PORT = 8060
VISER = "viser"
INSTALL = f"{sys.executable} -m pip install 'viser>=1.1,<2'"


@dataclass(frozen=True, kw_only=True)
class WatchOptions(OfRuns):
    """What people choose to watch."""

    run: str = choice(
        "name or directory of a run; with --robot, of the policy that drives it",
        default="",
        unset="the newest run, and each one that begins later",
        metavar="RUN",
        is_positional=True,
    )
    robot: bool = choice("watch the robot that sac_control deploy RUN drives, instead of a training", default=False)
    namespace: str = choice("ROS namespace of the robot's nodes", default="/", metavar="NAME")
    domain_id: int | None = choice(
        "ROS_DOMAIN_ID", default=None, unset="that of the training, or of the environment", metavar="N"
    )
    network: bool = choice("hear nodes on other machines, too", default=False)
    port: int = choice("port of the page on 127.0.0.1", default=PORT, metavar="N")
    browser: bool = choice("print the address and open no browser", default=True, flag="no-browser")

    def __post_init__(self) -> None:
        if self.robot and not self.run:
            raise ConfigError("--robot needs RUN, the run or policy file that drives it: its task says what to draw")


def watch(options: WatchOptions) -> int:
    """Show until Ctrl-C; returns the exit code.

    A process of its own serves the page, in a session of its own: what shares a terminal with this command keeps its
    share of the processors; see `yield_to_others`.
    """
    check_page()
    check_port(options.port)
    first = finder(options)()  # whatever is wrong with what was asked for is said before anything is opened
    command = [sys.executable, "-m", "sac_control.cli.watch_page", json.dumps(asdict(options), default=str)]
    page = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=end_with_parent,
        text=True,
    )
    assert page.stdout is not None
    try:
        if page.stdout.readline():  # it serves
            address = address_of(options.port)
            print(f"watching {first.path if first else 'for the next training'}: {address} (Ctrl-C ends)", flush=True)
            if options.browser:
                open_browser(address)
        return page.wait()
    except KeyboardInterrupt:
        page.send_signal(signal.SIGINT)
        return page.wait()


def check_page() -> None:
    """See that what makes the page is installed.

    Raises:
        ConfigError: it is not; says how to install it.
    """
    try:
        preflight.check_packages((VISER,))
    except ConfigError:
        raise ConfigError(f"sac_control watch needs {VISER}, which is not installed: {INSTALL}") from None


def subject_of(text: str, runs_directory: Path) -> Subject:
    """The run, or the policy file, that `text` names.

    Raises:
        RunError: there is no such run, or it has written nothing that could be shown.
        ConfigError: its configuration is damaged or of another version, or its task is not known here.
    """
    path = Path(text)
    if path.is_file():
        file = PolicyFile.read(path)
        task = task_of(file.specification, None)[2]
        return Subject(path=path.resolve(), is_run=False, algorithm="", is_lockstep=False, task=task)
    run = RunDirectory(path.resolve() if path.is_dir() else runs_directory.resolve() / text)
    if not run.config.exists():
        hint = "it has no config.yaml" if run.path.is_dir() else "`sac_control info` lists what there is"
        raise RunError(f"there is no run at {run.path}: {hint}")
    try:
        config = config_file.read_begun(run.config, RunConfig())
    except ConfigError as error:  # that of YAML has many lines
        raise ConfigError(" ".join(str(error).split())) from error
    read_where(run.path)
    return Subject(
        path=run.path,
        is_run=True,
        algorithm=config.learner.algorithm,
        is_lockstep=config.simulator.mode == "lockstep",
        task=make_task(config.learner.task),
    )


def finder(options: WatchOptions) -> Callable[[], Subject | None]:
    """What tells what to watch now."""
    if options.run:
        subject = subject_of(options.run, options.runs_dir)
        return lambda: subject
    known = lru_cache(maxsize=1)(lambda path: subject_of(path, options.runs_dir))

    def newest() -> Subject | None:
        path = _newest_run(options.runs_dir)
        if path is None:
            return None
        try:
            return known(str(path))
        except (ConfigError, RunError):
            return None  # it begins just now, or is of another version: the next one may be neither

    return newest


def _newest_run(runs_directory: Path) -> Path | None:
    """The run that began or was resumed last."""
    found: list[tuple[float, Path]] = []
    with contextlib.suppress(OSError):
        for path in runs_directory.resolve().iterdir():
            with contextlib.suppress(OSError):
                began = [each.stat().st_mtime for each in (path / "config.yaml", path / "where.json") if each.exists()]
                found += [(max(began), path)] if began else []
    return max(found)[1] if found else None


def robot_of(options: WatchOptions) -> Where | None:
    """Where the nodes of a deployed robot speak; None: a training is watched."""
    if not options.robot:
        return None
    domain = options.domain_id if options.domain_id is not None else int(os.environ.get("ROS_DOMAIN_ID") or 0)
    discovery = "SUBNET" if options.network else os.environ.get(DISCOVERY_RANGE, "LOCALHOST")
    return Where(domain=domain, discovery=discovery, namespace=f"/{options.namespace.strip('/')}")


def environment_at(options: WatchOptions) -> Callable[[Where], dict[str, str]]:
    """What of its environment lets a process hear the nodes that speak there."""

    def of(where: Where) -> dict[str, str]:
        domain = options.domain_id if options.domain_id is not None else where.domain
        base = {**os.environ, DISCOVERY_RANGE: where.discovery or "LOCALHOST"}
        return node_environment(base, domain=domain, network=options.network)

    return of


def open_browser(address: str) -> None:
    """Show the page, or say where it is."""
    is_open = False
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("BROWSER"):
        with contextlib.suppress(webbrowser.Error, OSError):
            is_open = webbrowser.open(address)
    if not is_open:
        print(f"note: no browser could be opened here: open {address} in one of this machine", file=sys.stderr)
