"""The verb new-task: writes a first task file for a robot."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from sac_control.cli.choice import choice
from sac_control.errors import ConfigError
from sac_control.robots.description import locate
from sac_control.store import atomic
from sac_control.tasks.catalogue import SUFFIXES
from sac_control.tasks.new_task import first_task, view_lines
from sac_control.tasks.task_file import read_task
from sac_control.worlds.survey import survey, view


@dataclass(frozen=True, kw_only=True)
class NewTaskOptions:
    """What people choose for a first task file."""

    robot: str = choice("URDF, xacro or MJCF: a path, or package://name/path", metavar="ROBOT", is_positional=True)
    output: Path | None = choice(
        "where to write it", default=None, unset="ROBOT.yaml, beside the robot", letter="o", metavar="FILE"
    )
    overwrite: bool = choice("replace FILE", default=False)


def new_task(options: NewTaskOptions) -> int:
    """Write the file; returns the exit code."""
    robot = locate(options.robot, Path.cwd())
    is_packaged = options.robot.startswith("package://")
    stem = robot.name.removesuffix(".xacro").rpartition(".")[0] or robot.stem
    file = options.output or (Path.cwd() if is_packaged else robot.parent) / f"{stem}.yaml"
    if not robot.is_file():
        raise ConfigError(f"there is no robot description {robot}: check the path")
    if robot.suffix in SUFFIXES:
        raise ConfigError(f"{robot} is a task file already: expected a robot description, URDF, xacro or MJCF")
    if file.suffix not in SUFFIXES:
        raise ConfigError(f"{file} has not the suffix of a task file: expected {' or '.join(SUFFIXES)}")
    if file.exists() and not options.overwrite:
        raise ConfigError(f"{file} exists already: choose another name with -o, or give --overwrite")
    reference = options.robot if is_packaged else os.path.relpath(robot, file.resolve().parent)
    text = first_task(survey(robot), reference, file.stem)
    complaint = ""
    try:
        camera = view(robot)
        text += view_lines(camera) if camera else ""
    except ConfigError as error:
        complaint = str(error)  # check-task finds out why
    try:
        atomic.write_text(file, text)
    except OSError as error:
        raise ConfigError(f"cannot write {file}: {error.strerror}") from error
    read_task(file)
    if complaint:
        print(f"note: {complaint}", file=sys.stderr)
    shown = os.path.relpath(file)
    print(shown)
    print(f"next: edit the lines with TODO, then sac_control check-task {shown}    sac_control train --task {shown}")
    return 0
