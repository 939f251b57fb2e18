"""The verb exam: a policy on plants that it was not trained on, a table, a picture, and a verdict that goes with it."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from sac_control.cli import config_file
from sac_control.cli.choice import choice
from sac_control.cli.config_file import RunConfig
from sac_control.cli.named import find_policy, task_of
from sac_control.cli.options import OfRuns
from sac_control.errors import ConfigError, RunError
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.signature import SigningKey
from sac_control.robots.robot import Robot
from sac_control.store.run_directory import RunDirectory
from sac_control.system import preflight
from sac_control.tasks.plants_reader import read_plants
from sac_control.tasks.robot_task import RobotTask
from sac_control.variation.plants import Plant, report_plants
from sac_control.worlds.survey import survey

if TYPE_CHECKING:  # the command is a robot's, too, which has no Gymnasium
    from sac_control.exam.examination import Paper

EXAM_SEED = 2_000_000  # start states that neither trainings nor evaluations with smaller seeds have used
EXIT_OK, EXIT_FAULT, EXIT_NOT_PASSED = 0, 1, 3
_MOST_EPISODES = 100_000
_LINE_PERIOD = 5.0  # [s] between two lines of progress where there is no terminal
_PICTURE = ".png"


@dataclass(frozen=True, kw_only=True)
class ExamOptions(OfRuns):
    """What people choose for an exam."""

    policy: str = choice("name or directory of a run, or a policy file", metavar="RUN", is_positional=True)
    episodes: int = choice("episodes on each plant", default=20, metavar="N")
    seed: int = choice("seed of start states and noise", default=EXAM_SEED, metavar="N")
    task: str = choice(
        "task by whose rules an episode counts as kept: a name, or a task file",
        default="",
        unset="that of the policy's training",
        metavar="TASK",
    )
    engine: Sequence[str] = choice("physics engine, by default all that the task lists", default=(), metavar="NAME")
    plants: Path | None = choice(
        "YAML file with plants of your own, as heavy: {mass: 2}",
        default=None,
        unset="those of the task",
        metavar="FILE",
    )
    hour: bool = choice("an hour of robot time, too, from four starts in each engine", default=False)
    pass_mark: float = choice("share of episodes in which each plant must be kept", default=0.95, metavar="SHARE")
    workers: int | None = choice("processes side by side", default=None, unset="one per processor", metavar="N")
    require_passed: bool = choice("exit with 3 if the exam was not passed", default=False)
    json: bool = choice("print JSON and nothing else", default=False)
    output: Path | None = choice(
        "write what was found to this JSON file, and the picture beside it",
        default=None,
        unset="exam.json of the run, or beside the policy file",
        metavar="FILE",
    )
    sign: Path | None = choice(
        "sign the verdict with the private key in this file", default=None, unset="that of the run", metavar="KEY"
    )
    verdict: bool = choice("leave the policy file as it is", default=True, flag="no-verdict")

    def __post_init__(self) -> None:
        if not 1 <= self.episodes <= _MOST_EPISODES:
            raise ConfigError(f"--episodes is {self.episodes}: expected 1 to {_MOST_EPISODES}")
        if self.workers is not None and self.workers < 1:
            raise ConfigError(f"--workers is {self.workers}: expected at least 1")
        if not 0.0 < self.pass_mark <= 1.0:
            raise ConfigError(f"--pass-mark is {self.pass_mark:g}: expected a share, more than 0 and at most 1")
        if self.seed < 0:
            raise ConfigError(f"--seed is {self.seed}: expected at least 0")


def exam(options: ExamOptions) -> int:
    """Examine a policy and write down how it did; returns the exit code."""
    preflight.check_packages((*preflight.CONTROL, *preflight.SIMULATION, "matplotlib"))
    from sac_control.exam.examination import examine
    from sac_control.exam.filing import check_policy_file, write_findings, write_verdict
    from sac_control.exam.picture import draw
    from sac_control.exam.table import as_text, in_one_line

    path, run = find_policy(options.policy, options.runs_dir)
    file, data = PolicyFile.read(path), path.read_bytes()
    paper = _paper(file, run, options)
    output = _output(path, run, options)
    key, notes = _signing_key(file, run, options)
    if options.verdict:
        try:
            check_policy_file(path)
        except RunError as error:
            raise ConfigError(str(error)) from error
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    processes = options.workers or len(os.sched_getaffinity(0))
    today = datetime.now(timezone.utc).date().isoformat()
    try:
        found = examine(paper, file, data, processes=processes, date=today, progress=_progress())
    except KeyboardInterrupt:
        print("interrupted: nothing was written", file=sys.stderr)
        return EXIT_FAULT
    print(json.dumps(found.to_mapping()) if options.json else as_text(found))
    write_findings(output, found)
    try:
        draw(found, output.with_suffix(_PICTURE))
    except OSError as error:
        raise RunError(f"cannot write {output.with_suffix(_PICTURE)}: {error.strerror}") from error
    if options.verdict:
        write_verdict(path, data, found, key)
    if not options.json:
        print(_told(output, path, options, in_policy=key is not None))
    sys.stdout.flush()
    if options.require_passed and not found.is_passed:
        print(f"error: the exam was not passed, which --require-passed asks for: {in_one_line(found)}", file=sys.stderr)
        return EXIT_NOT_PASSED
    return EXIT_OK


def _paper(file: PolicyFile, run: RunDirectory | None, options: ExamOptions) -> Paper:
    """What is asked.

    Raises:
        ConfigError: the policy's task is unknown, has no robot or no exam, or a plant or engine is refused.
    """
    from sac_control.exam.examination import Paper, choose_engines, described_plant

    reference, _, task = task_of(file.specification, run, options.task)
    if not isinstance(task, RobotTask):
        raise ConfigError(f"{reference} has no robot whose plant could differ: sac_control evaluate is its exam")
    engines, missing = choose_engines(task, options.engine)
    source, plants = _plants(task, options)
    if len({plant.name for plant in plants}) < len(plants):
        raise ConfigError(f"two plants of {source} have the same name: give each one of its own")
    return Paper(
        task=reference,
        source=source,
        plants=plants,
        described=described_plant(task),
        engines=engines,
        missing_engines=missing,
        is_strict=options.plants is not None,
        joints=task.specification.joints,
        units=_units(task.robot(engines[0])),
        episodes=options.episodes,
        seed=options.seed,
        pass_mark=options.pass_mark,
        has_hours=options.hour,
    )


def _units(robot: Robot) -> dict[str, str]:
    """Of each joint's position."""
    try:
        kinds = {joint.name: joint for joint in survey(robot.description).joints}
    except ConfigError:  # that of MJCF is mujoco's to read; what else is wrong with it, the engine says
        return {}
    named = {joint: kinds.get(robot.model_name(joint)) for joint in robot.joints}
    return {joint: found.unit("position") for joint, found in named.items() if found is not None}


def _plants(task: RobotTask, options: ExamOptions) -> tuple[str, Sequence[Plant]]:
    """Where the plants are from, and these."""
    name = task.specification.task
    if (task.exam is None or task.exam.kept_for <= 0.0) and task.solved_return == math.inf:
        raise ConfigError(f"{name} has neither an exam nor a solved_return: nothing says which episode is kept")
    if options.plants is not None:
        return options.plants.name, read_plants(options.plants, task.specification)
    if task.exam is None:
        raise ConfigError(
            f"{name} has no exam: say in its task file how far its robot may vary (exam:, see docs/robustness.md), or "
            "name plants of your own with --plants FILE"
        )
    return name, report_plants(task.exam.ranges)


def _output(path: Path, run: RunDirectory | None, options: ExamOptions) -> Path:
    """Where the findings go.

    Raises:
        ConfigError: nothing can be written there.
    """
    from sac_control.exam.filing import is_in_checkpoint, place_of_findings

    output = options.output or (run.exam if run is not None else place_of_findings(path))
    if is_in_checkpoint(output, path):
        raise ConfigError(
            f"--output is {output}, in a checkpoint, which is replaced as a whole with its verdict: name another place"
        )
    if output.suffix == _PICTURE:
        raise ConfigError(f"--output is {output}: expected a JSON file; the picture goes beside it")
    if not os.access(output if output.exists() else output.parent, os.W_OK):
        raise ConfigError(f"{output} cannot be written: name another file with --output")
    return output


def _signing_key(
    file: PolicyFile, run: RunDirectory | None, options: ExamOptions
) -> tuple[SigningKey | None, list[str]]:
    """What signs the verdict, and sentences about what does not."""
    if options.sign is not None:
        return SigningKey.read(options.sign), []
    if not options.verdict:
        return None, []
    named = ""
    if run is not None and run.config.exists():
        named = config_file.read_begun(run.config, RunConfig(), "").learner.signing_key
    reason = "for want of the key (--sign KEY)"
    if named:
        try:
            return SigningKey.read(Path(named)), []
        except ConfigError as error:
            reason = str(error)
    if not (file.signature or named):
        return None, []
    return None, [
        f"the policy is signed and its verdict will not be, {reason}: "
        "a robot that requires signatures takes it for none"
    ]


def _told(output: Path, path: Path, options: ExamOptions, *, in_policy: bool) -> str:
    where = os.path.relpath(output)
    written = f"{where}, {Path(where).with_suffix(_PICTURE)}"
    if not options.verdict:
        return f"written: {written}"
    return f"written: {written}, and the verdict{', signed,' if in_policy else ''} into {os.path.relpath(path)}"


def _progress() -> Callable[[int, int], None]:
    """Tells on standard error how far it is: on a terminal in one line, elsewhere now and then in a new one."""
    stream, began = sys.stderr, time.monotonic()
    told_at = began

    def tell(done: int, of: int) -> None:
        nonlocal told_at
        now = time.monotonic()
        text = f"exam: {done} of {of} parts, {now - began:.0f} s"
        if stream.isatty():
            stream.write(f"\r\x1b[K{text}" + ("\r\x1b[K" if done == of else ""))
        elif now - told_at >= _LINE_PERIOD:
            stream.write(f"{text}\n")
            told_at = now
        stream.flush()

    return tell
