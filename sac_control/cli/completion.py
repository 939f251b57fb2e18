"""Completion at Tab, by argcomplete, which ROS 2 uses, too: the shell asks the command itself what may come next.

`eval "$(register-python-argcomplete sac_control)"` switches it on in bash and zsh. Imports argcomplete at Tab alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sac_control.cli.config_file import RunConfig

_ASKING = "_ARGCOMPLETE"  # environment variable that the shell sets at Tab


def is_asked_for(environment: Mapping[str, str]) -> bool:
    """Whether a shell asks, and nothing is to be done but to answer it."""
    return _ASKING in environment


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer the shell, and end the process.

    Raises:
        SystemExit: always.
    """
    try:
        import argcomplete
    except ModuleNotFoundError:
        raise SystemExit(1) from None  # whatever is printed would be taken for words to choose from
    _teach(parser, argcomplete.FilesCompleter())
    argcomplete.autocomplete(parser, always_complete_options=False)
    raise SystemExit(1)


def _teach(parser: argparse.ArgumentParser, files: Any) -> None:
    """Let each option of every verb know its completions, by what its value is called."""

    def runs(prefix: str, parsed_args: argparse.Namespace, **_: Any) -> list[str]:
        directory: Path = getattr(parsed_args, "runs_dir", Path("runs"))
        return [*run_names(directory), *files(prefix)]

    completers = {"RUN": runs, "NODE.KEY=VALUE": _settings, "FILE": files, "DIR": files, "KEY": files}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                _teach(each, files)
        elif isinstance(action.metavar, str) and action.metavar in completers:
            action.completer = completers[action.metavar]  # type: ignore[attr-defined]  # where argcomplete looks


def run_names(directory: Path) -> list[str]:
    """The runs below `directory`."""
    if not directory.is_dir():
        return []
    return sorted(path.name for path in directory.iterdir() if (path / "config.yaml").exists())


def _settings(**_: Any) -> list[str]:
    return list(setting_names())


def setting_names() -> Iterator[str]:
    """Every setting of every node, as ``learner.batch_size=``."""
    config = RunConfig()
    for node in ("learner", "simulator", "policy", "evaluator"):
        yield from (f"{node}.{key}=" for key in config.section(node).to_mapping())
