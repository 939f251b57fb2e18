"""The built-in tasks: files beside this one."""

from __future__ import annotations

from pathlib import Path

from sac_control.tasks.file_task import FileTask
from sac_control.tasks.task_file import read_task

_FOLDER = Path(__file__).resolve().parent


def inverted_pendulum() -> FileTask:
    """Keep a pole upright on a cart."""
    return read_task(_FOLDER / "inverted_pendulum.yaml")


def inverted_pendulum_swingup() -> FileTask:
    """Swing a hanging pole up."""
    return read_task(_FOLDER / "inverted_pendulum_swingup.yaml")


def inverted_double_pendulum() -> FileTask:
    """Keep a pole upright on a pole."""
    return read_task(_FOLDER / "inverted_double_pendulum.yaml")
