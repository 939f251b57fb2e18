"""What is worth doing when a training has ended: commands that can be copied as they stand."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sac_control.store.run_directory import RunDirectory

_NAME = "sac_control"
_MORE_STEPS = 2  # a training that has reached max_steps is given so many times as many


def next_commands(run: RunDirectory, runs_directory: Path, summary: Mapping[str, Any]) -> list[str]:
    """Each with what it is for, as text of two columns.

    Args:
        run: what was trained.
        runs_directory: where it was looked for.
        summary: of the run.
    """
    where = shlex.quote(os.path.relpath(run.path))
    ours = _program()
    if summary["solved"]:
        commands = [
            (f"{ours} evaluate {where} --gui", "see it, in a window; without --gui, count its episodes"),
            (f"{ours} exam {where}", "try it on other plants, in every engine"),
            (f"{ours} report {where}", "one page with all of it, to keep or to send"),
            (f"{ours} deploy {where}", "the policy node alone, for a robot: docs/hardware.md"),
        ]
    else:
        default = runs_directory == Path("runs")
        steps = _MORE_STEPS * max(1, summary["env_steps"])
        named = shlex.quote(run.name) + ("" if default else f" --runs-dir {shlex.quote(str(runs_directory))}")
        commands = [
            (f"{ours} train --run {named} --resume --max-steps {steps}", "go on"),
            (f"{ours} evaluate {where} --gui", "see its best policy, in a window"),
            (f"{ours} report {where}", "one page with all of it"),
        ]
    width = max(len(command) for command, _ in commands)
    return [f"{command:{width}}  # {purpose}" for command, purpose in commands]


def _program() -> str:
    """How the command is called from where people are."""
    if shutil.which(_NAME):
        return _NAME
    program = Path(sys.argv[0])
    return shlex.quote(os.path.relpath(program)) if program.name == _NAME else f"{sys.executable} -m {_NAME}"
