"""The command's verbs and options, the launch files' arguments, and exit codes: from what makes them."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Sequence

from reference_generator.markdown import code, page, plain, table
from sac_control import errors
from sac_control.cli import main, robot_view
from sac_control.cli.choice import Argument, Choice, choices_of
from sac_control.cli.launch_arguments import DEPLOY, EVALUATE, TRAIN

LAUNCH_FILES: dict[str, Sequence[Argument]] = {
    **{file.name: file.arguments for file in (TRAIN, EVALUATE, DEPLOY)},
    "view.launch.py": robot_view.ARGUMENTS,
}
_EXIT_CODE = re.compile(r"^EXIT_\w+ = (\d+)  # (.*)$", re.MULTILINE)


def commands() -> str:
    """Every verb with its arguments and options."""
    parts = ["`sac_control VERB --help` shows the same. In a source checkout the command is `.venv/bin/sac_control`.\n"]
    parts.append(table(["verb", "what"], [[f"[{verb.name}](#{verb.name})", plain(verb.help)] for verb in main.VERBS]))
    for verb in main.VERBS:
        rows = [_option_row(each) for each in choices_of(verb.options)]
        parts += [f"## {verb.name}\n\n{plain(verb.help)}.\n", table(["option", "default", "what"], rows)]
    return page("Commands", *parts)


def written(each: Choice) -> str:
    """An option or argument as it is typed."""
    about = each.about
    if about.is_positional:
        return f"{about.metavar} …" if each.kind == Sequence[str] else about.metavar
    value = "" if each.kind is bool else f" {'|'.join(about.choices) or about.metavar}"
    return f"--{each.option}{value}"


def _option_row(each: Choice) -> list[str]:
    default = each.about.unset and plain(each.about.unset)
    if not default and each.kind is not bool and each.default not in (None, "", (), dataclasses.MISSING):
        default = code(each.default)
    more = "; may be given many times" if each.kind == Sequence[str] and not each.about.is_positional else ""
    return [code(written(each)), default, plain(each.about.description) + more]


def launch_arguments() -> str:
    """Every launch file with its arguments."""
    parts = ["`ros2 launch sac_control FILE NAME:=VALUE …`; with `--show-args` it shows the same.\n"]
    for name, arguments in LAUNCH_FILES.items():
        rows = [
            [
                code(each.name),
                "must be given" if each.default is None else code(each.default),
                plain(each.help) + (f" ({plain(', '.join(each.choices))})" if each.choices else ""),
            ]
            for each in arguments
        ]
        parts += [f"## {name}\n", table(["argument", "default", "what"], rows)]
    return page("Launch arguments", *parts)


def exit_codes() -> str:
    """Exit codes of the command and of a node."""
    heads = ["code", "when"]
    return page(
        "Exit codes",
        "## The command\n",
        table(heads, [["0", "done; after Ctrl-C, too"], *_codes(main)]),
        "## A node\n\nBy which the command and the launch files decide whether to start it again.\n",
        table(heads, _codes(errors)),
    )


def _codes(module: object) -> list[list[str]]:
    return [[number, plain(when)] for number, when in _EXIT_CODE.findall(inspect.getsource(module))]  # type: ignore[arg-type]
