"""What people name: a run, a policy file, the task of a policy."""

from __future__ import annotations

from pathlib import Path

from sac_control.cli import config_file
from sac_control.cli.config_file import RunConfig
from sac_control.errors import ConfigError
from sac_control.store.run_directory import RunDirectory
from sac_control.tasks.catalogue import absolute_reference, make_task
from sac_control.tasks.gymnasium_reference import is_gymnasium, parse_reference
from sac_control.tasks.task import Task
from sac_control.types import Specification


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


def task_of(
    specification: Specification, run: RunDirectory | None, chosen: str = "", ros_namespace: str = ""
) -> tuple[str, str, Task]:
    """The task of a policy: as chosen, else that of its training. Its name or file, the training's engine, and itself.

    Raises:
        ConfigError: the task is not known here, or sees and moves other things than the policy.
    """
    task, engine = absolute_reference(chosen) if chosen else specification.task, ""
    is_known = bool(chosen)  # by more than what a policy file says, which may come from anywhere
    if run is not None and run.config.exists():
        begun = config_file.read_begun(run.config, RunConfig(), ros_namespace).learner
        task, is_known, engine = task if chosen else begun.task, True, begun.engine
    if not is_known and is_gymnasium(task) and parse_reference(task).names_module:
        raise ConfigError(
            f"the policy file names {task}, whose module would be imported and run: if you trust it, give --task {task}"
        )
    try:
        asked = make_task(task)
    except ConfigError as error:
        if chosen or task != specification.task:
            raise
        raise ConfigError(f"{error}; or name the file of its task: --task FILE") from None
    if asked.specification.hash != specification.hash:
        raise ConfigError(
            f"the policy is for a task {specification.task!r} that sees or moves other things than {task}: joints, "
            "observation, limits or control period differ; name the file that it was trained with: --task FILE"
        )
    return task, engine, asked
