"""Judges a command of the pages without running it: by the parsers, tables and files that it would meet.

A check raises AssertionError, ConfigError or SystemExit where the command would be refused.
"""

from __future__ import annotations

import functools
import itertools
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from doc_pages import ROOT
from reference_generator import commands, settings, wires
from sac_control.cli import config_file
from sac_control.cli.choice import choices_of, from_launch
from sac_control.cli.config_file import RunConfig
from sac_control.cli.launch_arguments import DEPLOY, EVALUATE, TRAIN
from sac_control.cli.main import VERBS, parse
from sac_control.errors import ConfigError
from sac_control.option import Config
from sac_control.policy.live_limits import LIVE
from sac_control.tasks.catalogue import TASKS
from sac_control.tasks.gymnasium_reference import is_gymnasium, parse_reference

SHELL = {  # that need no check: they do nothing of ours
    "cd", "cp", "done", "export", "git", "journalctl", "kill", "ls", "mkdir", "podman", "docker", "rosdep", "source",
    "ssh", "systemctl", "rqt", "register-python-argcomplete", "touch", "unset", "ulimit",
}  # fmt: skip
TOOLS = {
    "bag",
    "control",
    "security",
    "interface",
    "pkg",
    "node",
    "lifecycle",
    "doctor",
}  # of ros2, which have others' words
OTHERS = {
    "controller_manager",
    "diagnostic_aggregator",
    "rqt_plot",
    "plotjuggler",
}  # packages whose nodes the pages start
NAMESPACES = ("/training/", "/evaluation/", "/")
INSTALLED = "".join(path.read_text() for path in (*(ROOT / ".ci").glob("requirements*.txt"), ROOT / "setup.py"))


def commands_in(block: str) -> Iterator[list[str]]:
    """The words of each command of a block of shell lines."""
    for line in re.sub(r"\\\n\s*", " ", block).splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if not set(word) <= set(";&|"):
                words.append(word)
            elif words:
                yield words
                words = []


def check(words: list[str]) -> None:
    """Judge one command."""
    while words and (words[0] in ("sudo", "do", "exec") or re.fullmatch(r"[A-Z_]+=.*", words[0])):
        words = words[1:]
    if not words or words[0] in ("for", "$"):
        return check(words[1:]) if words and words[0] == "$" else None
    program, rest = re.sub(r"^\.?venv/bin/", "", words[0]), words[1:]
    if program == "eval":
        return check(shlex.split(rest[0].strip("$()")))
    if program in SHELL or (ROOT / program).is_file():
        return None
    judge = JUDGES.get(program)
    assert judge is not None, f"{program} is no program that the pages use; known are {sorted({*JUDGES, *SHELL})}"
    return judge(rest)


def check_command(words: list[str]) -> None:
    """`sac_control …`: the parser takes it, and so do settings, files and tasks that it names."""
    if "--help" in words:
        assert [each for each in words if each != "--help"] in ([], *([verb.name] for verb in VERBS))
        return
    _, options = parse(["1" if re.fullmatch(r"N|SEED|\$\w+", each) else each for each in words])
    config = RunConfig()
    if getattr(options, "algorithm", ""):
        config = config.with_values({"learner": {"algorithm": options.algorithm}})
    given = getattr(options, "config", None)
    if given is not None and given.parts[0] == "config":
        config = config_file.read(ROOT / given, config, options.ros_namespace)
    if hasattr(options, "applied_to"):
        options.applied_to(config)
    task = getattr(options, "task", "")
    if task and is_gymnasium(task):
        parse_reference(task)
    elif task and task != "TASK":
        assert isinstance(task, Path) or task in TASKS or task.endswith((".yaml", ".urdf")), task


def _ros2(words: list[str]) -> None:
    kind, rest = words[0], words[1:]
    if kind == "launch":
        _launch(rest)
    elif kind == "run":
        _run(rest)
    elif kind == "topic":
        assert rest[0] in ("echo", "hz", "delay", "list", "info"), rest
        for name in [each for each in rest[1:2] if not each.startswith("-")]:
            assert _relative(name) in {topic.name.lstrip("/") for topic in wires.all_topics()}, name
    elif kind == "service":
        offered = {name: of for node in wires.NODES for name, of in wires.services(node).items()}
        assert rest[0] == "call"
        assert offered[_relative(rest[1])] == rest[2], rest
    elif kind == "param":
        assert rest[0] in ("describe", "set", "get", "list", "dump"), rest
        if rest[0] == "set" and rest[2:] and rest[2] != "NAME":
            assert rest[1:2] == ["/policy"]
            assert rest[2] in LIVE
    else:
        assert kind in TOOLS, f"ros2 {kind}"


def _launch(words: list[str]) -> None:
    package, name, *given = words
    assert package == "sac_control"
    assert (ROOT / "launch" / name).exists(), name
    values = {each.name: each.default or "" for each in commands.LAUNCH_FILES[name]}
    for word in given:
        if word != "--show-args":
            argument, is_given, value = word.partition(":=")
            assert is_given, word
            assert argument in values, f"{name} has no argument {argument}"
            values[argument] = value
    for file in (TRAIN, EVALUATE, DEPLOY):
        if file.name == name:
            options = from_launch(file.options, values)
            options.applied_to(RunConfig())


def _run(words: list[str]) -> None:
    package, executable, *rest = words
    if package != "sac_control":
        assert package in OTHERS, package
        return
    assert re.search(rf'"{executable} = sac_control\.start:', (ROOT / "setup.py").read_text()), executable
    if executable == "sac_control":
        check_command(rest)
    else:
        check_node(executable, rest)


def check_node(node: str, words: list[str]) -> None:
    """A node that is started by hand: its parameters are known and allowed."""
    given = [after for before, after in itertools.pairwise(words) if before == "-p"]
    values = dict(each.split(":=", 1) for each in given)
    section = {name: config_file.parse_assignment(f"{node}.{name}={value}")[2] for name, value in values.items()}
    if node in config_file.SECTIONS:
        RunConfig().with_values({node: section})
    else:
        settings.NODES[node].from_mapping(section)


def _python(words: list[str]) -> None:
    assert words[0] == "-m", words
    module, rest = words[1], words[2:]
    if module == "pip":
        _pip(rest)
    elif module == "sac_control":
        check_command(rest)
    elif module == "venv":
        return
    else:
        assert (ROOT / f"{module.replace('.', '/')}.py").exists(), module
        check_node(module.rpartition(".")[2], rest)


def _pip(words: list[str]) -> None:
    if words[0] in ("freeze", "list"):
        return
    assert words[0] == "install", words
    for word in words[1:]:
        name = re.split(r"[\[<>=!~]", word)[0]
        if word.startswith("-") or word in (".", "-e") or name in ("moviepy", "sac_control"):
            continue
        if "/" not in word and not word.endswith(".txt"):
            assert re.search(rf'(^|["\s]){re.escape(name)}\b', INSTALLED), (
                f"{name} is nothing that this package asks for"
            )


def _make(words: list[str]) -> None:
    text = (ROOT / "Makefile").read_text()
    for word in words:
        name, is_given, value = word.partition("=")
        if not is_given:
            assert re.search(rf"^{re.escape(word)}:.*##", text, re.MULTILINE), f"make {word}: no such target"
        else:
            assert f"$({name})" in text or f"$(or $({name})" in text, f"make {name}=: no such variable"
            if name == "ARGS" and words[0] == "train":
                check_command(["train", *shlex.split(value)])


def _plot(words: list[str]) -> None:
    """`rqt_plot`: each path is a field of a topic that is published."""
    known = {topic.name.lstrip("/"): topic.type for topic in wires.all_topics()}
    for word in words:
        topic, _, field = word.rpartition("/")
        name = _relative(topic)
        kind = wires.topics.joint(name).type if name.startswith("joint/") else known[name]
        assert field in kind.get_fields_and_field_types(), word


def _executable(name: str) -> Callable[[list[str]], None]:
    def check_installed(_: list[str]) -> None:
        assert (Path(sys.executable).parent / name).exists(), name

    return check_installed


def _relative(name: str) -> str:
    """The name of a topic or service without the namespaces that ours live in."""
    return next((name.removeprefix(each) for each in NAMESPACES if name.startswith(each)), name)


def _colcon(words: list[str]) -> None:
    assert words[0] in ("build", "test", "test-result"), words


JUDGES: dict[str, Callable[[list[str]], Any]] = {
    "sac_control": check_command,
    "ros2": _ros2,
    "make": _make,
    "pip": _pip,
    "python": _python,
    "python3": _python,
    "rqt_plot": _plot,
    "colcon": _colcon,
    "tensorboard": _executable("tensorboard"),
    **{node: lambda words, node=node: check_node(node, words) for node in settings.NODES},  # type: ignore[misc]
    "apt": lambda words: words[0] in ("install", "update"),
}


@functools.cache
def options_of_the_command() -> set[str]:
    """Every option of every verb, with its dashes."""
    return {f"--{each.option}" for verb in VERBS for each in choices_of(verb.options) if not each.about.is_positional}


def check_setting(text: str) -> None:
    """``node.name``, with or without ``=value``: it exists, and may have that value.

    Raises:
        ConfigError: it does not.
    """
    name, is_given, value = text.partition("=")
    node, _, key = name.partition(".")
    kinds: list[type[Config]] = [settings.NODES[node]]
    if node == "learner":
        kinds += [settings.settings_of(each) for each in settings.algorithms()]
    owners = [kind for kind in kinds if key in kind.types()]
    if not owners:
        raise ConfigError(f"{name} is no setting")
    if is_given and value not in ("…", "VALUE"):
        algorithm = next((each for each in settings.algorithms() if settings.settings_of(each) in owners), "sac")
        base = RunConfig().with_values({"learner": {"algorithm": algorithm}}) if node == "learner" else RunConfig()
        base.with_values({node: {key: config_file.parse_assignment(text)[2]}})
